"""`who`: who wrote a header, a body, a property, a shared value, a metric or bytes of memory, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simwasm.abi.enums import BufferType, MapType
from simwasm.abi.table import Side
from simwasm.debug import writers
from simwasm.debug.byte_writers import MemoryWrite
from simwasm.debug.plain.codelines import name as short
from simwasm.debug.plain.command import Command, number, wants
from simwasm.debug.plain.desk import Desk
from simwasm.debug.tape import Tape
from simwasm.debug.writers import Write
from simwasm.errors import InputError
from simwasm.trace.text import value_text

_MOST = 50
_SHOWN = 16
_MAPS = {
    "request": MapType.HTTP_REQUEST_HEADERS,
    "response": MapType.HTTP_RESPONSE_HEADERS,
    "request_trailers": MapType.HTTP_REQUEST_TRAILERS,
    "response_trailers": MapType.HTTP_RESPONSE_TRAILERS,
}
_BODIES = {"request": BufferType.HTTP_REQUEST_BODY, "response": BufferType.HTTP_RESPONSE_BODY}


def who(desk: Desk, rest: str) -> None:
    """Tell who wrote something."""
    words = rest.split()
    ask = _SUBJECTS.get(words[0]) if words else None
    if ask is None:
        raise wants("who", _USAGE)
    ask(desk, words[1:])


def _tell(desk: Desk, writes: Iterable[Write], what: str) -> None:
    found = list(writes)
    if not found:
        desk.say(f"nobody has written {what} until here")
    for write in found[:_MOST]:
        row = f"row {write.row + 1:,}" if write.row >= 0 else f"position {write.position:,}"
        old = "" if write.old is None else f"{value_text(write.old)} → "
        new = "gone" if write.new is None else value_text(write.new)
        call = f"  {write.call}" if write.call else ""
        desk.say(f"{row:>14}  {write.by}: {old}{new}{call}")
    if len(found) > _MOST:
        desk.say(f"… and {len(found) - _MOST:,} more")


def _header(desk: Desk, words: list[str]) -> None:
    if not words or len(words) > 2 or (len(words) == 2 and words[1] not in _MAPS):
        raise wants("who", f"header NAME [{' | '.join(_MAPS)}]")
    tape, position = desk.debugger.tape, desk.stop.position
    names = words[1:] or list(_MAPS)
    found = {name: writers.header(tape, position, _MAPS[name], words[0]) for name in names}
    if not any(found.values()):
        _tell(desk, (), f"the header {words[0]}")
    for name, writes in found.items():
        if writes:
            desk.say(_MAPS[name].name, "callback")
            _tell(desk, writes, words[0])


def _body(desk: Desk, words: list[str]) -> None:
    if len(words) > 1 or (words and words[0] not in _BODIES):
        raise wants("who", "body [request | response]")
    for name in words or _BODIES:
        desk.say(_BODIES[name].name, "callback")
        writes = writers.body(desk.debugger.tape, desk.stop.position, _BODIES[name])
        _tell(desk, writes, f"the {name}'s body")


def _one(kind: str, ask: Callable[..., Iterable[Write]], what: str) -> Callable[[Desk, list[str]], None]:
    def tell(desk: Desk, words: list[str]) -> None:
        if not words:
            raise wants("who", f"{kind} {what}")
        name = " ".join(words)
        _tell(desk, ask(desk.debugger.tape, desk.stop.position, name), f"{kind} {name}")

    return tell


def _memory(desk: Desk, words: list[str]) -> None:
    if not 0 < len(words) < 3:
        raise wants("who", "memory ADDRESS [SIZE]")
    at = desk.value(words[0])
    size = number(words[1], "who memory: the size") if len(words) == 2 else 1
    if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < 1 << 32 or not 0 < size <= 1 << 20:
        raise InputError("who memory: an address, and a size of 1 to 1,048,576 bytes")
    found = desk.wait(desk.debugger.inside.written_by(at, size))
    if not found:
        desk.say(_unchanged(desk, at, size))
    for write in found[:_MOST]:
        desk.say(_written(desk.debugger.tape, at, write))
    if len(found) > _MOST:
        desk.say(f"… and {len(found) - _MOST:,} more")


def _written(tape: Tape, at: int, write: MemoryWrite) -> str:
    """Who wrote bytes, and what they became."""
    row = tape.rows.at(write.position) + 1
    by = short(write.by)
    if write.instant is not None:
        by = f"{by}  {write.instant.text}"
    elif tape.entered(write.position).function.side is Side.HOST:
        by = f"the host, in {by}"
    return f"{f'row {row:,}':>14}  by {by}: {_change(at, write.old, write.new)}"


def _change(at: int, old: bytes, new: bytes) -> str:
    """The bytes that are others now, with their address."""
    changed = [index for index, (was, is_now) in enumerate(zip(old, new)) if was != is_now]  # noqa: B905
    first, end = (changed[0], changed[-1] + 1) if changed else (0, len(new))
    more = "…" if end - first > _SHOWN else ""
    end = min(end, first + _SHOWN)
    return f"0x{at + first:x}: {old[first:end].hex(' ')}{more} → {new[first:end].hex(' ')}{more}"


def _unchanged(desk: Desk, at: int, size: int) -> str:
    """Where bytes come from that nobody has changed."""
    memory = desk.debugger.memory()
    if at + size > memory.size():
        raise InputError(f"who memory: the memory has {memory.size():,} bytes")
    if any(memory.read(at, size)):
        return "nobody has changed these bytes until here: the module's own data, since it was loaded"
    return "nobody has written these bytes until here: they are 0"


_SUBJECTS: dict[str, Callable[[Desk, list[str]], None]] = {
    "header": _header,
    "body": _body,
    "property": _one("property", writers.property, "PATH"),
    "shared": _one("shared", writers.shared, "KEY"),
    "metric": _one("metric", writers.metric, "NAME"),
    "memory": _memory,
}
_USAGE = (
    "header NAME [request|response] | body | property PATH | shared KEY | metric NAME | memory ADDRESS [SIZE]"
)

COMMANDS = (
    Command("who", who, "who wrote it, until here, the newest first", _USAGE, group="looking",
            words=lambda desk: _SUBJECTS),
)  # fmt: skip
