"""The files of a folder, in the order in which they are read.

Rules that live here:
- All that is below it, sorted by name: files before folders. What is hidden is skipped, so is what is no regular file:
  nobody means a pipe or a device that lies about.
- Envoy's tap gives every stream a file of its own, PREFIX_ID.json: those of one prefix come in the order of their ids,
  or where these are random, in the order in which they were written.
- A link to a folder is not followed, since it may lead back; that is told, and so is a link that leads nowhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from simwasm.errors import TrafficError
from simwasm.traffic.notes import Notes

_STREAM = re.compile(r"(?s)(.*_)([0-9]{1,20})\.(?:json|pb|pb_text|pb_length_delimited)(?:\.gz|\.zst)?")
_LARGEST_COUNT = 10**9
"""Connections are counted, streams have random numbers of 64 bits."""


def below(folder: str, notes: Notes) -> Iterator[str]:
    """Go through the paths of the files."""

    def unreadable(error: OSError) -> None:
        notes.broken(TrafficError(f"{error.filename}: cannot be read: {error.strerror}"))

    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        shown = (os.path.join(parent, name) for name in files if not name.startswith("."))
        for path in sorted(shown, key=place):
            if os.path.isfile(path):
                yield path
            elif os.path.islink(path) and not os.path.exists(path):
                notes.broken(TrafficError(f"{path}: is a link that leads nowhere"))
        for path in (os.path.join(parent, name) for name in folders):
            if os.path.islink(path):
                notes.left_out(
                    f"{path}: is a link to a folder, and not followed; name it to have it read; left out"
                )


def place(path: str) -> tuple[str, int, str]:
    """Where a file comes among those beside it."""
    found = _STREAM.fullmatch(path)
    if found is None:
        return path, 0, ""
    number = int(found[2])
    return found[1], _written(path) if number > _LARGEST_COUNT else number, path


def _written(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0  # opening it will tell
