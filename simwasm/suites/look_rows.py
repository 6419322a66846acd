"""Where a trace shows what was decided: the row of a miss, and the events behind headers and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwasm.config.tree import Place
from simwasm.suites.case import Miss
from simwasm.suites.rules import Said
from simwasm.testing.excerpt import around
from simwasm.testing.trace import Trace
from simwasm.trace.event import Entered, Left, Trapped

if TYPE_CHECKING:
    pass


def missed(place: Place, said: Said, trace: Trace | None = None, seq: int = 0) -> Miss:
    """A miss with the callback around its event."""
    rows = trace.rows if trace is not None and seq else ()
    if trace is None or not rows:
        return Miss(said.message, place.line, None, said.details)
    row = rows[min(trace.rows.at(seq), len(rows) - 1)]
    told = around(trace.rows, row, trace.number)
    return Miss(said.message, place.line, trace.number(row), "\n".join(filter(None, (said.details, told))))


def last_call(trace: Trace, function: str) -> int:
    """The last event at which a function is called; 0 if it never is."""
    return next((event.seq for event in reversed(trace.rows.events)
                 if isinstance(event, Entered) and event.function.name == function), 0)  # fmt: skip


def last_written(trace: Trace, header: str) -> int:
    """The last event at which a header is written; 0 if it never is."""
    for event in reversed(trace.rows.events):
        if isinstance(event, Entered) and "_header_map_" in event.function.name:
            name = event.function.name
            if not name.startswith("proxy_get") and any(
                isinstance(arg, str) and arg.lower() == header for arg in event.args
            ):
                return event.seq
    return 0


def during(trace: Trace, seq: int) -> Trace:
    """The part of a trace that is one callback: the one that returned at an event."""
    events = trace.rows.events
    end = next((number for number, event in enumerate(events) if event.seq == seq), None)
    if end is None:
        return Trace((), trace.setting)
    ended = events[end]
    opened = ended.opened if isinstance(ended, (Left, Trapped)) else ended.seq
    begin = next(number for number, event in enumerate(events) if event.seq == opened)
    return Trace(events[begin : end + 1], trace.setting)
