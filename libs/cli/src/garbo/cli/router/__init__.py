"""Commands that ask the router: what another policy would have done, and what is known of a person."""
