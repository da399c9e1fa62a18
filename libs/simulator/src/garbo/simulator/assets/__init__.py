"""What the business has on the platform, as it is held there: app, tokens, accounts, numbers, templates."""
