"""The demo business, a process of its own: what another service of the house would do."""
