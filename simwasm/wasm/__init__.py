"""The binary: read it, rewrite it, show it."""
