"""Header maps and bodies at a stop: what is in them, what the plugin may do with them now, and what changed.

Rule: looking changes nothing. The host makes trailers when a plugin asks for them; here they are only asked about.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from simwasm.abi.enums import BufferType, MapType
from simwasm.debug.seen import maps_of
from simwasm.exchange import Headers
from simwasm.host.calls.buffers import WHEN
from simwasm.host.calls.headers import READ_ONLY, absent
from simwasm.host.context import NOWHERE, Context
from simwasm.host.lane import Lane


class Access(NamedTuple):
    """Whether the plugin may do something now; `why` says why not."""

    allowed: bool
    why: str = ""


YES = Access(True)


@dataclass(frozen=True, slots=True)
class MapState:
    """A header map. `there` is whether the exchange has it, whoever may look at it."""

    kind: MapType
    there: bool
    entries: Headers
    read: Access
    write: Access


@dataclass(frozen=True, slots=True)
class BodyState:
    """A buffer: what the plugin reads from it now, and what the host holds back for it."""

    kind: BufferType
    data: bytes
    """What the plugin reads now."""
    read: Access
    write: Access
    buffered: bytes = b""
    """What is held back in this direction."""
    received: int = 0
    """How many bytes have come in so far."""
    sent: int = 0
    """How many bytes have left the last plugin so far."""
    complete: bool = False
    """The whole message has come in."""
    ended: bool = False
    """The plugin was told that this is the end."""


class Change(NamedTuple):
    """A header in two versions of a map. Its mark: `~` another value, `+` new, `-` gone, a space for as it was."""

    mark: str
    name: str
    old: str | None
    new: str | None


def changes(old: Headers, new: Headers) -> tuple[Change, ...]:
    """How a map became another: the new entries in their order, each that is gone behind the one it stood behind."""
    before = _paired(old, new)
    after = {place: index for index, place in enumerate(before) if place is not None}
    gone: dict[int, list[Change]] = defaultdict(list)
    behind = -1
    for index, (name, value) in enumerate(old):
        place = before[index]
        if place is not None:
            behind = place
        else:
            gone[behind].append(Change("-", name, value, None))
    return tuple(_in_order(old, new, after, gone))


def _in_order(
    old: Headers, new: Headers, after: dict[int, int], gone: dict[int, list[Change]]
) -> Iterator[Change]:
    yield from gone.get(-1, ())
    for place, (name, value) in enumerate(new):
        index = after.get(place)
        if index is None:
            yield Change("+", name, None, value)
        else:
            was = old[index][1]
            yield Change(" " if was == value else "~", name, was, value)
        yield from gone.get(place, ())


def _paired(old: Headers, new: Headers) -> list[int | None]:
    """Where each old entry is among the new: the same one if it is there, else another of its name."""
    found: list[int | None] = [None] * len(old)
    taken: set[int] = set()
    for same in (True, False):
        places: dict[object, deque[int]] = defaultdict(deque)
        for place, entry in enumerate(new):
            if place not in taken:
                places[entry if same else entry[0]].append(place)
        for index, entry in enumerate(old):
            left = places.get(entry if same else entry[0]) if found[index] is None else None
            if left:
                place = left.popleft()
                found[index] = place
                taken.add(place)
    return found


_OF_STREAMS = (
    MapType.HTTP_REQUEST_HEADERS,
    MapType.HTTP_REQUEST_TRAILERS,
    MapType.HTTP_RESPONSE_HEADERS,
    MapType.HTTP_RESPONSE_TRAILERS,
)
_OF_CALLOUTS = (MapType.HTTP_CALL_RESPONSE_HEADERS, MapType.HTTP_CALL_RESPONSE_TRAILERS)


def maps(context: Context) -> tuple[MapState, ...]:
    """The header maps that a context has to do with."""
    there = dict(maps_of(context))
    kinds = (*_OF_STREAMS, *_OF_CALLOUTS) if context.stream is not None else _OF_CALLOUTS
    return tuple(
        MapState(
            kind,
            kind in there,
            there[kind].entries if kind in there else (),
            Access(True) if context.readable_map(kind) is not None else Access(False, absent(kind)),
            _writing(context, kind),
        )
        for kind in kinds
    )


def _writing(context: Context, kind: MapType) -> Access:
    if kind in READ_ONLY:
        return Access(False, f"{kind.name} cannot be written")
    if not context.may_write(kind):
        return Access(False, absent(kind))
    return Access(False, "nothing can be written in proxy_on_log") if context.logging else YES


_BUFFERS = (
    BufferType.HTTP_CALL_RESPONSE_BODY,
    BufferType.GRPC_CALL_MESSAGE,
    BufferType.VM_CONFIGURATION,
    BufferType.PLUGIN_CONFIGURATION,
)


def bodies(context: Context) -> tuple[BodyState, ...]:
    """The bodies and other buffers that a context has to do with."""
    stream = context.stream
    of_stream: tuple[BodyState, ...] = ()
    if stream is not None:
        of_stream = (
            _body(context, stream.request, stream.router.sent),
            _body(context, stream.response, stream.sent),
        )
    return (*of_stream, *(BodyState(kind, *_reading(context, kind)) for kind in _BUFFERS))


def _body(context: Context, lane: Lane, sent: int) -> BodyState:
    return BodyState(
        lane.body_type,
        *_reading(context, lane.body_type),
        buffered=lane.buffer.data if lane.buffer is not None else b"",
        received=lane.received,
        sent=sent,
        complete=lane.complete,
        ended=any(station.ended for station in lane.stations if station.filter is context),
    )


def _reading(context: Context, kind: BufferType) -> tuple[bytes, Access, Access]:
    found = context.buffer(kind)
    if found is None:
        no = Access(False, f"{kind.name} is not available here: {WHEN[kind]}")
        return b"", no, no
    if found is NOWHERE:
        no = Access(False, found.why)
        return b"", no, no
    write = YES if found.writable else Access(False, found.why or "this buffer is read-only")
    return found.data, YES, write
