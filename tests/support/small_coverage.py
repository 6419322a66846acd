"""Coverage of a plugin that there is not: two functions, three blocks, a file with two lines."""

from __future__ import annotations

from simwasm.coverage.values import Covered, Function, Ground, Source, Written

GROUND = Ground(
    (2, 3, 1),
    (Function(1, "first", 0, 2, True), Function(2, "second", 2, 3, False)),
    (Source("/a/b.c", True, "b.c", "ab", {1: (0,), 7: (1, 2)}, (Written("f", 1, (0, 1)),)),),
    ("proxy_on_tick",),
    ("proxy_log",),
)
SMALL = Covered("small", "ab" * 32, GROUND, 0b101, {"proxy_on_tick": 2}, {"proxy_log": 0})
