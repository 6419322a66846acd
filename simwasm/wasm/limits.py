"""How large the parts of a module may be, so that none, however hostile, takes all memory or time.

They are what browsers agreed to support (https://webassembly.github.io/spec/js-api/#limits), hence what V8 does in
Envoy. Where that list has nothing, the limit is V8's (elements, labels) or wasmtime's (element segments, names). No
engine limits how deeply blocks are nested; plugins were seen to stay below 500.

A memory's and a table's size is limited where it is made: `rewrite.Limits`, `rewrite.LARGEST_TABLE`.
"""

from __future__ import annotations

BYTES = 1 << 30

ITEMS: dict[int, int] = {
    1: 1_000_000,
    2: 1_000_000,
    3: 1_000_000,
    4: 100_000,
    6: 1_000_000,
    7: 1_000_000,
    9: 100_000,
    10: 1_000_000,
    11: 100_000,
}
"""How many items a section may have, by its number."""

PARAMETERS = 1_000
RESULTS = 1_000
NAME = 100_000
"""Bytes of a name of an import or export."""

ELEMENTS = 10_000_000
"""Of one segment."""

BODY = 7_654_321
"""Bytes of a function."""

LOCALS = 50_000
"""Of a function, parameters included."""

LABELS = 65_520
"""Of a `br_table`, besides the default one."""

NESTING = 10_000
"""Blocks within blocks."""
