"""Typed fakes of `ports.py`, proven against the real adapters by one conformance suite."""
