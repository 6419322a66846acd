"""The mock Envoy: jobs over a virtual clock, with no memory, engine, socket, thread or real time in them.

Whoever makes a `Proxy` gives it functions to reach guests, upstream and clusters (`ports`); while a callback runs, the
guest's host calls are answered by the functions of `calls`.
"""
