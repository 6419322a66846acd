"""Configurations of others, read into what simwasm is told: a plugin as Istio's WasmPlugin describes it."""
