"""How two outcomes of an exchange differ, in words: `status: 200 -> 403`, `the response's headers: + x: "1"`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simwasm.exchange import Message
from simwasm.trace.explain import change, one_line
from simwasm.trace.lines import dumps
from simwasm.trace.parse import Ending
from simwasm.trace.text import value_text

_APART = ("exchange", "upstream_request", "response", "instructions")
"""What is told by its parts, or makes no difference."""
_PARTS = {"headers": "headers", "data": "body", "trailers": "trailers"}


def ending_changes(old: Ending, new: Ending) -> Iterator[str]:
    """What of two outcomes is not the same."""
    for key in dict.fromkeys((*old.content, *new.content)):
        before, after = old.content.get(key), new.content.get(key)
        if before != after and key not in _APART:
            yield f"{one_line(key)}: {_shown(before)} -> {_shown(after)}"
    yield from _message("the upstream's request", old.request, new.request)
    yield from _message("the response", old.response, new.response)


def _message(name: str, old: Message | None, new: Message | None) -> Iterator[str]:
    if old is None or new is None:
        if old is not new:
            yield f"{name}: {'there was none before' if old is None else 'there is none any more'}"
        return
    for part, word in _PARTS.items():
        before, after = getattr(old, part), getattr(new, part)
        if before != after:
            yield from change(f"{name}'s {word}", before, after)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value_text(value) if isinstance(value, str) else one_line(dumps(value))
