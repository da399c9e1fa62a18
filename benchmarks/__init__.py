"""Figures with their references: `make bench`."""
