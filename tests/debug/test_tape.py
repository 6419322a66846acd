"""The tape while it is written: another thread reads it at any moment."""

from __future__ import annotations

from typing import ClassVar

import pytest
from debugging import debugging, inputs_of

from simwasm.abi.enums import MapType
from simwasm.debug.tape import Packed, SeenMaps, Tape


def test_whatever_a_tape_leads_to_is_on_it_while_an_event_is_added() -> None:
    looks = 0

    def look() -> int:
        nonlocal looks
        looks += 1
        for index in range(max(0, len(tape.rows) - 3), len(tape.rows)):
            tape.rows[index]
        for position in range(max(1, len(tape) - 3), len(tape) + 1):
            tape.at(tape.end_of(tape.opening(position)) or position)
        return looks

    tape = Tape(look)
    with debugging(inputs_of("http_auth/browser")) as debugger:
        for event in debugger.tape.events:
            tape.add(event)
    assert looks == len(tape) > 0


def test_what_the_run_stood_still_for_took_no_time() -> None:
    now = 0

    def clock() -> int:
        nonlocal now
        now += 1
        return now

    tape = Tape(clock)
    with debugging(inputs_of("allow_header/browser")) as debugger:
        for event in debugger.tape.events:
            if event.seq == 12:
                tape.stood()
                now += 1_000_000
            tape.add(event)
    took = [tape.rows[index].took_ns for index in range(len(tape.rows))]
    assert max(took) < 1_000
    fork = tape.fork(12)
    now += 1_000_000
    for event in tape.events[12:]:
        fork.add(event)
    assert max(fork.rows[index].took_ns for index in range(len(fork.rows))) < 1_000


class TestSeenMaps:
    """Header maps by position."""

    ONE: ClassVar[Packed] = ((MapType.HTTP_REQUEST_HEADERS, ("a",), ("1",)),)
    TWO: ClassVar[Packed] = ((MapType.HTTP_REQUEST_HEADERS, ("a", "b"), ("1", "2")),)

    @pytest.fixture
    def seen(self) -> SeenMaps:
        found = SeenMaps()
        found.put(3, self.ONE)
        found.put(7, self.TWO)
        return found

    def test_only_where_somebody_looked_there_is_something(self, seen: SeenMaps) -> None:
        assert seen.get(3) == ((MapType.HTTP_REQUEST_HEADERS, (("a", "1"),)),)
        assert seen.get(4) is None

    def test_a_stretch_has_its_first_and_its_last_position(self, seen: SeenMaps) -> None:
        assert [at for at, _ in seen.between(3, 7)] == [3, 7]
        assert [at for at, _ in seen.between(4, 6)] == []

    def test_what_is_still_so_is_kept_again_for_another_position(self, seen: SeenMaps) -> None:
        assert seen.still(9, 7)
        assert seen.get(9) == seen.get(7)

    def test_what_was_not_seen_last_is_not_still_so(self, seen: SeenMaps) -> None:
        assert not seen.still(9, 3)
        assert seen.get(9) is None
        assert not SeenMaps().still(1, 0)

    def test_a_copy_ends_at_its_position_and_grows_alone(self, seen: SeenMaps) -> None:
        copy = seen.until(6)
        copy.put(6, self.TWO)
        assert [at for at, _ in copy.between(0, 9)] == [3, 6]
        assert [at for at, _ in seen.between(0, 9)] == [3, 7]
