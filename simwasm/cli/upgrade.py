"""`simwasm upgrade`: trace files of older formats, written anew in the newest."""

from __future__ import annotations

from argparse import Namespace

from simwasm.trace.formats import FORMAT
from simwasm.trace.text import printable
from simwasm.trace.upgrade import upgrade


def command(words: Namespace) -> int:
    """Upgrade each, and tell which needed it."""
    for path in words.trace:
        old = upgrade(path)
        said = f"format {old} -> {FORMAT}" if old < FORMAT else f"is of format {FORMAT} already"
        print(printable(f"{path}: {said}"))
    return 0
