"""The official test suite of WebAssembly, run by one runner in any engine."""
