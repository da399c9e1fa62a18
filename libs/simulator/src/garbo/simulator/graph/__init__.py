"""Meta's Graph API as a sender meets it."""
