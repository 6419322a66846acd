"""The terminal: one view of a trace, forwards and backwards. `tui/` is a source root, as `src/` would be."""
