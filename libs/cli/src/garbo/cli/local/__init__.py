"""Real servers as plain processes, for machines without Docker. Importing this does nothing."""
