"""What may be typed next in an expression."""

from __future__ import annotations

import re
from typing import NamedTuple

from simwasm.debug.expression_functions import FUNCTIONS
from simwasm.debug.expression_scope import NAMES, Parts, Scope
from simwasm.debug.expressions import LONGEST, evaluate
from simwasm.errors import ExpressionError


class Completion(NamedTuple):
    """What may stand from `start` to the cursor."""

    start: int
    words: tuple[str, ...]


_KEY = re.compile(r"""([a-z_]+(?:\.[a-z_]+)?)\[(["'])([^"']*)$""")
_FIELD = re.compile(r"([a-z_]+)\.([A-Za-z_]*)$")
_WORD = re.compile(r"([A-Za-z_]\w*)$|()$")


def complete(text: str, cursor: int, scope: Scope) -> Completion:
    """Names, fields and keys that fit what stands before the cursor."""
    before = text[:cursor][-LONGEST:]
    shift = min(cursor, len(text)) - len(before)
    key, field = _KEY.search(before), _FIELD.search(before)
    if key is not None:
        end = f"{key[2]}]"
        words = tuple(f"{name}{end}" for name in _parts(key[1], scope) if name.startswith(key[3]))
        return Completion(shift + key.start(3), words)
    if field is not None:
        words = tuple(
            name for name in _parts(field[1], scope) if name.startswith(field[2]) and name.isidentifier()
        )
        return Completion(shift + field.start(2), words)
    word = _WORD.search(before)
    start = word.start() if word is not None else len(before)
    known = (*NAMES, *(f"{name}(" for name in FUNCTIONS))
    return Completion(shift + start, tuple(name for name in known if name.startswith(before[start:])))


def _parts(owner: str, scope: Scope) -> tuple[str, ...]:
    try:
        found = evaluate(owner, scope)
    except ExpressionError:
        return ()
    return tuple(found.parts) if isinstance(found, Parts) else ()
