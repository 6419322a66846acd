"""Wasm engines behind one interface."""
