"""`garbo doctor`: what is wrong here, and what to type."""
