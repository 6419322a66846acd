"""Recorded traffic, one importer a format."""
