"""Traces for other tools: Perfetto's and Chrome's viewers, OpenTelemetry, Prometheus.

Each reads a trace file once, from its beginning to its end, and writes while it reads: `perfetto.py`, `otlp.py`,
`prometheus.py`. Rule: what is kept is what is under way, never what has been.
"""
