"""Reads recorded traffic, whatever it was recorded with.

A format is an importer: it recognises its files by how they begin, and turns one into exchanges. Rules that
live here: the first importer that says yes reads the file; a file that nobody recognises is described to the
user as what it looks like; what is left out, lost or broken goes to `notes`. A file that a folder brought spoils
nothing: what is no traffic is left out (`opening` counts and tells it), what cannot be read is broken.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange
from simwasm.traffic.notes import Notes
from simwasm.traffic.opening import Source, sources


class Importer(Protocol):
    """A recording format. `name` is what users are told can be read; `head` has no byte order mark, and may be cut."""

    name: str

    def sniff(self, head: bytes) -> bool: ...
    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]: ...


class Later:
    """An importer whose module is loaded once a file is looked at."""

    def __init__(self, name: str, module: str, importer: str) -> None:
        self.name = name
        self._module = module
        self._importer = importer

    def sniff(self, head: bytes) -> bool:
        """Ask it."""
        return self.importer().sniff(head)

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Let it read."""
        return self.importer().read(stream, where, notes)

    def importer(self) -> Importer:
        """The importer itself."""
        found = getattr(importlib.import_module(f"simwasm.traffic.{self._module}"), self._importer)
        return cast("Importer", found())


IMPORTERS: tuple[Importer, ...] = (
    Later("simwasm JSON Lines (.jsonl)", "jsonl", "JsonLines"),
    Later("HAR (.har)", "har", "Har"),
    Later("mitmproxy flows (.flows, .mitm)", "mitmproxy", "MitmproxyFlows"),
    Later("Envoy taps (JSON, protobuf)", "envoy_tap", "EnvoyTap"),
    Later("curl command lines", "curl", "Curl"),
    Later("raw HTTP/1.1 text", "raw_http", "RawHttp"),
    Later("editors' request files (.http, .rest)", "http_file", "HttpFile"),
    Later("Envoy access logs (JSON, text)", "access_log", "AccessLog"),
)
"""In the order in which they are asked: what is certain by its first bytes comes first."""


def read_traffic(
    name: str | Path,
    notes: Notes = Notes(),  # noqa: B008  # it is frozen
    importers: tuple[Importer, ...] = IMPORTERS,
) -> Iterator[Exchange]:
    """Go through the exchanges of a recording; `notes` hears of what is left out, and of broken entries.

    for exchange in read_traffic("login.har", telling(print)): ...
    """
    return read_all([str(name)], notes, importers)


def read_all(
    names: Iterable[str],
    notes: Notes = Notes(),  # noqa: B008  # it is frozen
    importers: tuple[Importer, ...] = IMPORTERS,
) -> Iterator[Exchange]:
    """Go through the exchanges of files, folders, patterns, addresses and standard input, in their order."""
    for source in sources(names, notes):
        yield from read_source(source, notes, importers)


def read_source(
    source: Source,
    notes: Notes = Notes(),  # noqa: B008  # it is frozen
    importers: tuple[Importer, ...] = IMPORTERS,
) -> Iterator[Exchange]:
    """Go through the exchanges of one file."""
    try:
        with source.open() as stream:
            chosen = next((importer for importer in importers if importer.sniff(stream.head)), None)
            if chosen is not None:
                yield from chosen.read(stream, source.name, notes)
            elif source.found and not source.damage():
                source.foreign = _looks(stream.head)
            else:
                raise _unknown(source, stream.head, importers)
    except TrafficError as error:
        if not source.found:
            raise
        notes.broken(error)
    else:
        if source.damage() and chosen:
            notes.broken(TrafficError(f"{source.name}: {source.damage()}; what came before was read"))


def _looks(head: bytes) -> str:
    from simwasm.traffic.looks import looks  # few files are of no format

    return looks(head)


def _unknown(source: Source, head: bytes, importers: tuple[Importer, ...]) -> TrafficError:
    if source.damage():
        return TrafficError(f"{source.name}: {source.damage()}; is it whole?")
    names = ", ".join(importer.name for importer in importers)
    return TrafficError(f"{source.name}: {_looks(head)}; what can be read: {names}")
