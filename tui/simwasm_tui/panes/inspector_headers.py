"""The header maps of the inspector: what is in them, and what has become of them since a moment one chooses.

    ~ x-user        alice → alice@corp
    + x-authz       v1.9f3c
    - cookie        sid=77
      user-agent    curl/8.6

A map that is not there, or cannot be read now, says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import NamedTuple

from simwasm.abi.enums import MapType
from simwasm.debug.expression_scope import MAPS
from simwasm.debug.state import Change, MapState, State, changes
from simwasm.debug.tape import Tape
from simwasm.exchange import Headers
from simwasm_tui.items import Due, Item, Items, filtered, heading, prose
from simwasm_tui.text import Piece, cells, clean, count

_LONG = 4000
_WATCHED = {kind: name for name, kind in MAPS.items()}
MARKS = {"~": "changed", "+": "added", "-": "removed", " ": ""}
"""The ink of each mark of a change."""


class Since(Enum):
    """What is compared with; the value is how it is told."""

    CALLBACK = "callback entry"
    STOP = "previous stop"
    STREAM = "stream start"

    @property
    def next(self) -> Since:
        """The one after it, round the end."""
        every = list(Since)
        return every[(every.index(self) + 1) % len(every)]


class Then(NamedTuple):
    """The maps at an earlier moment; a map that is not among them was not there. None: nothing is known of it."""

    maps: Mapping[MapType, Headers] | None
    position: int = 0


def then(state: State, tape: Tape, since: Since, before: State | None) -> Then:
    """The maps at the moment that one compares with; `before` is the state at the previous stop."""
    return _FINDERS[since](state, tape, before)


def _at_stop(state: State, tape: Tape, before: State | None) -> Then:
    if before is None or _whose(before) != _whose(state):
        return Then(None)
    return Then({map.kind: map.entries for map in before.maps if map.there}, before.position)


def _whose(state: State) -> tuple[str, int]:
    return state.where.vm, state.where.acting


def _at_entry(state: State, tape: Tape, before: State | None) -> Then:
    for at in reversed(tape.calls_at(state.position)):
        if (maps := tape.seen.get(at)) is not None:
            return Then(dict(maps), at)
    return Then(None)


def _at_start(state: State, tape: Tape, before: State | None) -> Then:
    """Each map as it was when it was seen first in the exchange."""
    span = tape.span_of(tape.entered(state.position)) if state.position else None
    if span is None:
        return _at_entry(state, tape, before)
    found: dict[MapType, Headers] = {}
    for at, maps in tape.seen.between(span.first, state.position):
        if tape.span_of(tape.entered(at)) is span:
            for kind, entries in maps:
                found.setdefault(kind, entries)
    return Then(found, span.first)


_FINDERS = {Since.STOP: _at_stop, Since.CALLBACK: _at_entry, Since.STREAM: _at_start}


def header_items(state: State, earlier: Then, width: int, wanted: str = "") -> Items | Due:
    """All maps, those first that are there."""
    found: list[Item | Callable[[], Item]] = []
    for map in sorted(state.maps, key=lambda map: not map.there):
        found += _map_items(map, _old(map, earlier), width) if map.there else _missing(map, width)
    if not state.maps:
        found += prose("The plugin acts for no exchange here, so there are no headers.", width)
    return filtered(Due(found), wanted) if wanted else Due(found)


def _old(map: MapState, earlier: Then) -> Headers:
    return map.entries if earlier.maps is None else earlier.maps.get(map.kind, ())


def _map_items(map: MapState, old: Headers, width: int) -> list[Item | Callable[[], Item]]:
    made = changes(old, map.entries)
    changed = sum(change.mark != " " for change in made)
    note = f"{changed} changed" if changed else "" if made else "empty"
    found: list[Item | Callable[[], Item]] = [heading(title(map.kind), note)]
    if not map.read.allowed:
        told = f"The plugin cannot read them now: {map.read.why}."
        found.append(Item((("  not readable now", "muted"),), told=told))
    room = min(16, max((len(change.name) for change in made), default=0), max(6, width // 2))
    found += [partial(_entry, map.kind, change, room, width) for change in made]
    return [*found, Item()]


def _entry(kind: MapType, change: Change, room: int, width: int) -> Item:
    ink = MARKS[change.mark]
    name = clean(change.name)
    value: tuple[Piece, ...] = ((_short(change.new if change.new is not None else change.old), ink or ""),)
    if change.mark == "~":
        value = ((_short(change.old), "removed"), (" → ", "muted"), (_short(change.new), "changed"))
    watch = f"headers.{_WATCHED[kind]}[{json.dumps(change.name)}]" if kind in _WATCHED else ""
    line = ((f"{change.mark} ", ink), (f"{name:<{room}} ", ink or "muted"), *value)
    whole = "" if cells(line) <= width else f"{change.name}: {_short(change.new or change.old)}"
    return Item(line, watch, name=change.name, told=whole)


def _short(value: str | None) -> str:
    text = value or ""
    return clean(text if len(text) <= _LONG else f"{text[:_LONG]}… ({count(len(text), 'character')})")


def _missing(map: MapState, width: int) -> list[Item]:
    return [
        Item(
            ((title(map.kind), "muted"), (" – not here", "muted")),
            name=map.kind.name,
            told=f"{map.read.why}.",
        )
    ]


def title(kind: MapType) -> str:
    """A map's name for people: `Request headers`."""
    return kind.name.removeprefix("HTTP_").replace("_", " ").capitalize()


def changed(state: State, before: State | None) -> bool:
    """Whether any map has changed since the previous stop."""
    earlier = _at_stop(state, Tape(), before)
    if earlier.maps is None:
        return False
    return dict(earlier.maps) != {map.kind: map.entries for map in state.maps if map.there}
