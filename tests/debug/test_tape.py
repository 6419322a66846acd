"""The tape while it is written: another thread reads it at any moment."""

from __future__ import annotations

from debugging import debugging, inputs_of

from simwasm.debug.tape import Tape


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
