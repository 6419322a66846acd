"""Values of a trace as other tools take them: text that is always UTF-8, and not megabytes of it."""

from __future__ import annotations

import json
from typing import Any

from simwasm.trace.event import Left, Trapped
from simwasm.trace.rows import Row
from simwasm.trace.store import to_json

_LONG = 10_000
dumps = json.JSONEncoder(separators=(",", ":")).encode
"""As JSON in ASCII, which every reader reads alike."""


def text(value: object) -> str:
    """A text; what is too long is cut, and no lone surrogate is in it."""
    found = str(value)
    found = found if len(found) <= _LONG else f"{found[:_LONG]}… ({len(found):,} long)"
    return found.encode("utf-8", "backslashreplace").decode()


def plain(value: Any) -> Any:
    """A value for JSON."""
    value = to_json(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, (list, dict)):
        told = dumps(value)
        return value if len(told) <= _LONG else text(told)
    return value


def args(row: Row) -> dict[str, Any]:
    """What goes into a call and what comes out of it, by name."""
    function, ended = row.entered.function, row.ended
    found = {
        param.name: plain(value) for param, value in zip(function.inputs, row.entered.args, strict=False)
    }
    if isinstance(ended, Left):
        if ended.result is not None:
            found["status" if function.errors is not None else "result"] = plain(ended.result)
        found |= {
            f"out.{param.name}": plain(value)
            for param, value in zip(function.outputs, ended.values, strict=False)
        }
        if ended.reason:
            found["reason"] = text(ended.reason)
    elif isinstance(ended, Trapped):
        found["trap"] = text(ended.trap)
    if row.instructions:
        found["instructions"] = row.instructions
    return found
