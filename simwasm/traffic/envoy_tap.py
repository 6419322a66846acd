"""Envoy's taps: what the HTTP tap filter, the tap transport socket and the admin endpoint `/tap` write.

Any of their formats, told apart by how a file begins: JSON with bodies as bytes or as strings, protobuf with or
without lengths, protobuf's text; one message a file or many in a row; whole traces or segments.

Rules that live here: an exchange's id is the number of its stream, which stands in a segment and in the name of a file
that Envoy made for one stream; otherwise it is its place in the file. What happened to many exchanges is told once,
with how many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange
from simwasm.traffic.envoy_tap_binary import read_binary
from simwasm.traffic.envoy_tap_exchange import Connections, from_trace
from simwasm.traffic.envoy_tap_framing import is_binary, is_delimited
from simwasm.traffic.envoy_tap_json import is_json, read_json
from simwasm.traffic.envoy_tap_pieces import HttpSegment, HttpTrace, Traced, Unusable
from simwasm.traffic.envoy_tap_sockets import Sockets
from simwasm.traffic.envoy_tap_streams import Streams
from simwasm.traffic.envoy_tap_text import is_text, read_text
from simwasm.traffic.notes import Notes

_HEAD = 4096
_BOM = b"\xef\xbb\xbf"
_NAMED = re.compile(r"_(\d{1,20})\.(?:json|pb|pb_text|pb_length_delimited)(?:\.\w+)?$", re.ASCII)


class EnvoyTap:
    """The importer of what Envoy taps."""

    name = "Envoy taps (JSON, protobuf)"

    def sniff(self, head: bytes) -> bool:
        """Say yes to what begins as a trace does."""
        return is_json(head) or is_text(head) or is_delimited(head) or is_binary(head)

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Go through the exchanges: whole ones in the order of the file, others as they end."""
        told = _Told()
        named = _NAMED.search(where)
        connections = Connections(one_stream=named is not None)
        streams, sockets = Streams(connections, told.tell), Sockets(connections, told.tell)
        id = named[1] if named else ""
        for number, traced in _messages(stream, where, notes):
            if isinstance(traced, HttpTrace):
                try:
                    exchange, happened = from_trace(id or str(number), traced, connections)
                except Unusable as error:
                    notes.broken(
                        TrafficError(f"{where}, entry {number}: {error}; what stands around it is read")
                    )
                    continue
                id = ""
                for what in happened:
                    told.tell(what, exchange.id)
                yield exchange
            elif isinstance(traced, HttpSegment):
                yield from streams.take(traced)
            else:
                yield from sockets.take(traced)
        yield from streams.rest()
        yield from sockets.rest()
        told.all(where, notes)


def _messages(stream: BinaryIO, where: str, notes: Notes) -> Iterator[tuple[int, Traced]]:
    begun = _begun(stream)
    if is_json(begun):
        return read_json(begun, stream, where, notes)
    if is_text(begun):
        return read_text(begun, stream, where, notes)
    delimited = is_delimited(begun) or not is_binary(begun)
    return read_binary(begun, stream, where, notes, delimited=delimited)


def _begun(stream: BinaryIO) -> bytes:
    """How the file begins; a pipe may bring little at once."""
    begun = b""
    while len(begun) < _HEAD and (block := stream.read(_HEAD - len(begun))):
        begun += block
    return begun.removeprefix(_BOM)


class _Told:
    """What happened to how many exchanges."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, str]] = {}

    def tell(self, what: str, id: str) -> None:
        """Count it."""
        count, first = self._counts.get(what, (0, id))
        self._counts[what] = count + 1, first

    def all(self, where: str, notes: Notes) -> None:
        """Tell everything, a line for each kind of thing."""
        for what, (count, first) in self._counts.items():
            many = f"{count:,} times, first in #{first}" if count > 1 else f"#{first}"
            notes.left_out(f"{where}: {many}: {what}")
