"""Places: a moment of a run told by names, so that it is found again in another run of another build.

    {"exchange": 3, "callback": "proxy_on_request_headers", "nth": 1, "call": "proxy_http_call", "call_nth": 2}

The second `proxy_http_call` in the first `proxy_on_request_headers` of the third exchange. Rule: what is not there any
more leads to the nearest thing around it that is: the callback, the exchange, the beginning. Whatever happens in a host
call, an allocator's work, is in the place of that call.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from simwasm.abi.table import Side
from simwasm.debug.steps import first_row
from simwasm.debug.tape import Tape
from simwasm.errors import InputError


@dataclass(frozen=True, slots=True)
class Place:
    """A moment, by names; numbers count from 1, and 0 or nothing means that there is none."""

    exchange: int = 0
    callback: str = ""
    nth: int = 0
    call: str = ""
    call_nth: int = 0
    returned: bool = False
    """Where the innermost call ends, not where it begins."""

    def to_json(self) -> dict[str, Any]:
        """What is not there is left out."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, content: object) -> Place:
        """Read what `to_json` gave."""
        if not isinstance(content, dict):
            raise InputError(f"a place is an object with `exchange`, `callback` and so on, not {content!r}")
        kinds = {"exchange": int, "callback": str, "nth": int, "call": str, "call_nth": int, "returned": bool}
        for name, value in content.items():
            if type(value) is not kinds.get(name) or (type(value) is int and value < 0):
                raise InputError(f"a place has no `{name}` that is {value!r}")
        return cls(**content)


def place_of(tape: Tape, position: int) -> Place:
    """The place of a position, by the names of the calls around it."""
    if not 0 < position <= len(tape):
        return Place()
    calls = tape.calls_at(position)
    served = next((at for at in calls if tape.entered(at).function.side is not Side.PLUGIN), 0)
    if served and served != calls[-1]:
        position, calls = served, tape.calls_at(served)
    span = tape.span_of(tape.entered(calls[0])) or tape.span_at(position)
    first = span.first if span is not None else 1
    callback = tape.entered(calls[0]).function.name
    nth = sum(name == callback for name, _ in _outermost(tape, first, calls[0]))
    call, call_nth = "", 0
    if len(calls) > 1:
        call = tape.entered(calls[-1]).function.name
        call_nth = sum(
            tape.opening(at) == at and tape.entered(at).function.name == call
            for at in range(calls[0], calls[-1] + 1)
        )
    number = 0 if span is None else span.index + 1
    return Place(number, callback, nth, call, call_nth, tape.opening(position) != position)


def find_place(tape: Tape, place: Place) -> int:
    """The position of a place, or of the nearest thing around it."""
    if place.exchange > len(tape.spans):
        return first_row(tape)
    first = tape.spans[place.exchange - 1].first if place.exchange else 1
    last = (
        tape.spans[place.exchange].first - 1
        if place.exchange and place.exchange < len(tape.spans)
        else len(tape)
    )
    begins = [at for name, at in _outermost(tape, first, last) if name == place.callback]
    if not begins:
        return min(first, len(tape)) if place.exchange else first_row(tape)
    callback = begins[min(place.nth, len(begins)) - 1]
    found = callback
    if place.call:
        end = tape.end_of(callback) or len(tape)
        calls = [
            at
            for at in range(callback + 1, end)
            if tape.opening(at) == at and tape.entered(at).function.name == place.call
        ]
        if not calls:
            return callback
        found = calls[min(place.call_nth, len(calls)) - 1]
    return (tape.end_of(found) or found) if place.returned else found


def _outermost(tape: Tape, first: int, last: int) -> list[tuple[str, int]]:
    """The callbacks of the host that begin in a stretch of the tape."""
    rows = tape.rows
    found = []
    for index in range(rows.at(first - 1) + 1, rows.at(last) + 1):
        at = rows.position(index)
        if not tape.depth(at) and tape.is_callback(at):
            found.append((tape.entered(at).function.name, at))
    return found
