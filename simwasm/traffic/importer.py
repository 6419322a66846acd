"""Reads recorded traffic, whatever it was recorded with.

A format is an importer: it recognises its files by how they begin, and turns one into exchanges. Rules that
live here: the first importer that says yes reads the file; a file that nobody recognises is described to the
user as what it looks like; what is left out, lost or broken goes to `notes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Protocol

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange
from simwasm.traffic.har import Har
from simwasm.traffic.jsonl import JsonLines
from simwasm.traffic.notes import Notes

_HEAD = 4096


class Importer(Protocol):
    """A recording format. `name` is what users are told can be read."""

    name: str

    def sniff(self, head: bytes, path: Path) -> bool: ...
    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]: ...


IMPORTERS: tuple[Importer, ...] = (JsonLines(), Har())

_LOOKS = (
    (rb"\s*$", "is empty"),
    (rb"\0asm", "is a WebAssembly module, which is a plugin and not traffic"),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|PK\x03\x04", "is compressed: unpack it first"),
    (rb"\xff\xfe|\xfe\xff", "is UTF-16 text: save it as UTF-8"),
    (rb"[\xd4\xa1]\xc3\xb2\xa1|\xa1\xb2[\xc3\x3c][\xd4\x4d]|\x0a\x0d\x0d\x0a", "is a packet capture"),
    (rb"\d+:\d+:\w+;?", "looks like a mitmproxy flow file: export it as HAR"),
    (rb"(?is)\s*<(!doctype html|html|head|body)", "is an HTML page, perhaps an error page that was saved"),
    (rb"\s*<", "is XML"),
    (rb"(?s).*[\0-\x08\x0e-\x1a\x1c-\x1f]", "is binary"),
    (rb"\s*[\[{]", "is JSON, but of no kind that is known here"),
    (rb"(?i)\s*(curl|GET|POST|PUT|HEAD|DELETE|PATCH|OPTIONS)\s", "is a request as text"),
)


def read_traffic(
    path: str | Path,
    notes: Notes = Notes(),  # noqa: B008  # it is frozen
    importers: tuple[Importer, ...] = IMPORTERS,
) -> Iterator[Exchange]:
    """Go through the exchanges of a recording; `notes` hears of what is left out, and of broken entries.

    for exchange in read_traffic("login.har", telling(print)): ...
    """
    with _opened(path) as stream:
        head = stream.peek(_HEAD)[:_HEAD]
        chosen = next((importer for importer in importers if importer.sniff(head, Path(path))), None)
        if chosen is None:
            names = ", ".join(importer.name for importer in importers)
            raise TrafficError(f"{path}: {_looks(head)}; what can be read: {names}")
        yield from chosen.read(stream, str(path), notes)


def _opened(path: str | Path) -> BufferedReader:
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise TrafficError(f"{path}: cannot be read: {why}; is the path right?") from None


def _looks(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf")
    return next((looks for pattern, looks in _LOOKS if re.match(pattern, text)), "is of no format known here")
