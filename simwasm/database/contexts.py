"""Writes down which contexts and lines belong to which exchange, as two tables for the views to join with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from simwasm.trace.whose import Whose

WRITTEN = {
    "contexts": {
        "f": "INTEGER",
        "plugin": "VARCHAR",
        "context": "BIGINT",
        "begins": "BIGINT",
        "exchange": "BIGINT",
    },
    "exchanges": {"f": "INTEGER", "exchange": "BIGINT", "begun": "BIGINT", "ending": "BIGINT"},
}
"""The tables and their columns."""


def write_contexts(marked: Iterable[tuple[Any, ...]], folder: Path) -> bool:
    """Write both as JSON Lines; whether numbers of contexts were used again."""
    again, whose, begun, now = False, Whose(), dict[int, int](), 0
    with ExitStack() as stack:
        contexts, exchanges = (
            stack.enter_context((folder / f"{name}.ndjson").open("w", encoding="ascii")) for name in WRITTEN
        )

        def over() -> None:
            for number, first in begun.items():
                exchanges.write(f'{{"f": {now}, "exchange": {number}, "begun": {first}}}\n')

        for f, n, outcome, plugin, context, called, parent in marked:
            if f != now:
                over()
                whose, begun, now = Whose(), {}, f
            if outcome:
                number = whose.ended()
                first = begun.pop(number, None)
                line = {"f": f, "exchange": number, "begun": first, "ending": n}
                exchanges.write(json.dumps(line) + "\n")
            elif number := whose.called(called, plugin, context or 0, parent or 0):
                begun.setdefault(number, n)
                line = {"f": f, "plugin": plugin, "context": context, "begins": n, "exchange": number}
                contexts.write(json.dumps(line) + "\n")
                again = again or whose.again
        over()
    return again
