"""How fast simwasm is, always beside something else in the same run: `python -m benchmarks`."""
