"""The router's HTTP API: one module a resource, one door for all of them."""
