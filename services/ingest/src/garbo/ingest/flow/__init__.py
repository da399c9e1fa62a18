"""What ingest does: take webhooks, take submissions."""
