"""The rows of events in memory are those that the debugger shows of the same run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simwasm.debug.conditions import OnTape
from simwasm.debug.tape import Tape
from simwasm.engines.find import engine
from simwasm.exchange import Exchange, request, response
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event
from simwasm.trace.event_rows import AroundEvents, EventRows
from simwasm.trace.rows import Kind


@pytest.fixture(scope="module")
def events(sample: Callable[..., Plugin]) -> list[Event]:
    """Those of a run in which a plugin calls out and is trapped in the end."""
    found: list[Event] = []
    exchange = Exchange("1", 0, request("POST", "/", body=[b"a", b"b"]), response(200, body=b"a secret"))
    with Session([sample("response_body")], engine=engine(), observers=[found.append]) as session:
        assert [outcome.status for outcome in session.replay([exchange])] == [200]
    return found


@pytest.fixture(scope="module")
def tape(events: list[Event]) -> Tape:
    """The same on a debugger's tape."""
    tape = Tape(lambda: 0)
    for event in events:
        tape.add(event)
    return tape


def test_rows_are_those_of_a_tape(events: list[Event], tape: Tape) -> None:
    assert list(EventRows(events)) == [tape.rows[index] for index in range(len(tape.rows))]


def test_rows_of_a_part_are_where_they_are_in_all_of_it(events: list[Event], tape: Tape) -> None:
    begin = next(at for at, event in enumerate(events) if isinstance(event, Entered) and event.context == 2)
    part = EventRows(events[begin:])
    first = tape.rows.at(events[begin].seq)
    assert [row.position for row in part] == [tape.rows[at].position for at in range(first, len(tape.rows))]
    assert part.at(part[3].position) == 3


def test_a_row_counts_from_the_end_too(events: list[Event]) -> None:
    rows = EventRows(events)
    assert rows[-1] == rows[len(rows) - 1]
    with pytest.raises(IndexError):
        rows[len(rows)]


def test_what_is_around_a_row_is_what_a_tape_says(events: list[Event], tape: Tape) -> None:
    rows, around, on_tape = EventRows(events), AroundEvents(EventRows(events)), OnTape(tape)
    assert [around.callback(row.position) for row in rows] == [on_tape.callback(row.position) for row in rows]


def test_a_call_that_has_not_ended_is_open(events: list[Event]) -> None:
    row = EventRows(events[:1])[0]
    assert (row.kind, row.ended, row.depth) == (Kind.CALLBACK, None, 0)


def test_no_events_have_no_rows() -> None:
    assert len(EventRows([])) == 0
