"""The mock Envoy: sans-IO, generators over a virtual clock."""
