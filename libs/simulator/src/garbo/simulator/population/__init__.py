"""The customers: who they are, how they react, when they write."""
