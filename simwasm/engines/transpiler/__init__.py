"""Wasm functions as Python functions."""
