"""The debugger: stop anywhere in a run, step by ABI call, go back, see everything. Knows no screen."""
