"""Tail calls without a stack that grows.

A function that makes tail calls asks at its entry whether `trampoline` called it: then it does not make the next tail
call but leaves it in `tail`, and returns. Whoever else called it gets the result, because then it goes through
`trampoline` itself.

Rules that live here: `raw` is the function that `trampoline` calls, and only until that has asked; a function without
tail calls never asks, so what it leaves there is of no harm. What only traps is called by who wanted to tail call it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CellType
from typing import Any

from simwasm.engines.transpiler.tables import TRAPPING


def tail_cells() -> dict[str, CellType]:
    """The cells of one instance that tail calls need."""
    raw, tail = CellType(None), CellType(None)

    def trampoline(function: Callable[..., Any], *words: object) -> Any:
        try:
            while True:
                raw.cell_contents = function
                result = function(*words)
                if tail.cell_contents is None:
                    return result
                (function, words), tail.cell_contents = tail.cell_contents, None
        except BaseException:
            raw.cell_contents = tail.cell_contents = None
            raise

    return {"raw": raw, "tail": tail, "trampoline": CellType(trampoline), "trapping": CellType(TRAPPING)}
