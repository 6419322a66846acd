"""simwasm: run, watch and test Istio/Envoy Proxy-Wasm plugins without Envoy."""

__version__ = "0.1.0"
