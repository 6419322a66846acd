"""Trace files in which values are not known, as those that are made of a proxy's log: real runs, with values left out.

Without texts and bytes they are as `simwasm import-envoy-log` writes them; without anything, as no tool of ours does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def blurred(path: Path, into: Path, *, nothing: bool = False) -> Path:
    """A copy of a trace without its texts and bytes; with `nothing`, without any argument or result."""
    lines = [_blurred(json.loads(line), nothing) for line in path.read_text().splitlines()]
    into.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return into


def _blurred(line: dict[str, Any], nothing: bool) -> dict[str, Any]:
    found = dict(line)
    if "args" in found:
        found["args"] = {
            name: None if nothing or _is_text(value) else value for name, value in found["args"].items()
        }
    if "gives" in found:
        given = dict.fromkeys(found.pop("gives"))
        if nothing:
            found["gives"] = given
    if nothing and "result" in found:
        found["result"] = None
    return found


def _is_text(value: object) -> bool:
    """Whether a value is none of the numbers and names of numbers that a log tells."""
    return isinstance(value, (list, dict)) or (isinstance(value, str) and not value.isupper())
