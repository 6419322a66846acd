"""Trace files made ready to be asked: each is looked at where it begins and where it ends.

Rules: what is no trace is a `TraceError` at once; of a file that ends too early it is found out how many calls are open
there, from its last lines. DuckDB is given names of links, since it takes signs like `*` in a name for a pattern.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfileobj
from typing import NamedTuple

from simwasm.database.views import Source
from simwasm.trace.file import open_trace
from simwasm.trace.linefile import BOM
from simwasm.trace.parse import Header, Wrong
from simwasm.trace.shape import Shape, shape

_TAIL = 1 << 16


class Ready(NamedTuple):
    """A file that can be asked."""

    source: Source
    header: Header
    note: str
    """What is wrong with its end; empty if nothing is."""


def ready(paths: Sequence[str], folder: Path) -> list[Ready]:
    """The files, linked into a folder."""
    return [_ready(path, folder / f"{number}.jsonl") for number, path in enumerate(paths, 1)]


def _ready(path: str, link: Path) -> Ready:
    trace = open_trace(path, ahead=1)
    try:
        header = trace.header
    finally:
        trace.close()
    unfinished, cut = _end(path)
    note = ""
    if cut:
        note = f"{path}: the file ends in the middle of a line, and is read up to there: was the run killed?"
    elif unfinished:
        open_calls = "a call is" if unfinished == 1 else f"{unfinished} calls are"
        note = f"{path}: the file ends while {open_calls} open: was the run killed?"
    _link(path, link)
    only = header.plugins[0].name if header.plugins else ""
    return Ready(Source(str(link), path, only, unfinished, cut), header, note)


def _link(path: str, link: Path) -> None:
    """Have DuckDB find a file; without the mark that some editors put at the beginning, which it does not read."""
    with open(path, "rb") as file:
        if file.read(len(BOM)) != BOM:
            link.symlink_to(os.path.abspath(path))
            return
        with link.open("wb") as target:
            copyfileobj(file, target)


def _end(path: str) -> tuple[int, bool]:
    """How many calls are open at a file's end, and whether that is in the middle of a line."""
    size = _TAIL
    whole = os.path.getsize(path)
    while True:
        with open(path, "rb") as file:
            file.seek(max(0, whole - size))
            data = file.read(size)
        lines = data.splitlines(keepends=True)
        if size < whole:
            lines = lines[1:]  # the first is likely to be a part of one
        found = _look_back(lines, size >= whole)
        if found is not None:
            return found
        size *= 8


def _look_back(lines: list[bytes], whole: bool) -> tuple[int, bool] | None:
    """The same of its last lines; None if more of them have to be looked at."""
    cut, closed, opened = False, 0, 0
    for number, line in enumerate(reversed(lines)):
        try:
            found = shape(line)
        except Wrong:
            if number == 0 and not line.endswith(b"\n"):
                cut = True
                continue
            return (opened, cut)  # it is told when the line is read
        if found.ending:
            return opened, cut
        step = _step(found)
        if step < 0:
            closed += 1
        elif step > 0 and closed:
            closed -= 1
        elif step > 0:
            opened += 1
    return (opened, cut) if whole else None


def _step(found: Shape) -> int:
    return found.begins - found.ends
