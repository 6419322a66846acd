"""Lines of a file of any size, with their numbers; one that is longer than any exchange is told and left out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.traffic.notes import Notes

LONGEST = 1 << 28


def lines(stream: BinaryIO, where: str, notes: Notes, longest: int = LONGEST) -> Iterator[tuple[int, bytes]]:
    """Go through the lines that have something in them, counting all from 1."""
    number, too_long = 1, False
    for line in iter(partial(stream.readline, longest), b""):
        ended = len(line) < longest or line.endswith(b"\n")
        if not ended and not too_long:
            notes.broken(
                TrafficError(
                    f"{where}, line {number}: is longer than {longest >> 20} MB; is it one exchange?"
                )
            )
        elif not too_long and not line.isspace():
            yield number, line
        too_long = not ended
        number += ended
