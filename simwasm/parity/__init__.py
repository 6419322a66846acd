"""The real Envoy, run beside us, and the comparison with it."""
