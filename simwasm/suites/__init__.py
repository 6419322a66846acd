"""Suites: cases that are written down in files rather than in code, read, run and judged."""
