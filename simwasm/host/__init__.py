"""The mock Envoy: generators over a virtual clock, with no memory, engine, socket, thread or real time in them.

Whoever drives a `Proxy` performs the commands it yields (`Callback`, `Callout`, `Upstream`) and sends the answers
back in; while a callback runs, the guest's host calls are answered by the functions of `calls`.
"""
