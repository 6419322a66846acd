"""Which rows of a run one sees: without the allocator's, folded, filtered."""

from __future__ import annotations

from simwasm_tui.outline import Outline
from tapes import tape_of

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.conditions import matching_rows
from simwasm.debug.tape import Tape
from simwasm.trace.query import compile

CASE = "http_auth/browser"


def outline(tape: Tape, *, allocator: bool = False) -> Outline:
    found = Outline(tape, allocator=allocator)
    while found.grow(len(tape.rows), 7):
        pass
    return found


def functions(found: Outline) -> list[str]:
    return [found.tape.rows[found[index]].entered.function.name for index in range(len(found))]


def test_the_allocator_is_left_out() -> None:
    assert not set(functions(outline(tape_of(CASE)))) & set(ALLOCATORS)


def test_the_allocator_is_there_if_it_is_asked_for() -> None:
    tape = tape_of(CASE)
    assert len(outline(tape, allocator=True)) == len(tape.rows)


def test_a_folded_callback_hides_all_until_its_return() -> None:
    found = outline(tape_of(CASE))
    place = functions(found).index("proxy_on_request_headers")
    callback = found[place]
    end = found.end_of(callback)
    found.fold(callback)
    assert found[place] == callback
    assert found[place + 1] == end + 1


def test_unfolding_brings_back_what_was_hidden() -> None:
    found, untouched = outline(tape_of(CASE)), outline(tape_of(CASE))
    callback = found[functions(found).index("proxy_on_request_headers")]
    found.fold(callback)
    found.unfold(callback)
    assert [found[i] for i in range(len(found))] == [untouched[i] for i in range(len(untouched))]


def test_the_callback_of_a_host_call_is_the_one_around_it() -> None:
    found = outline(tape_of(CASE))
    callback = found[functions(found).index("proxy_on_request_headers")]
    inside = range(callback + 1, found.end_of(callback) + 1)
    rows = [row for row in inside if found.tape.rows[row].depth <= 1]
    assert {found.callback_of(row) for row in rows} == {callback}


def test_only_rows_that_are_wanted_are_shown() -> None:
    tape = tape_of(CASE)
    query = compile("call:http_call")
    found = Outline(tape, lambda first, last: matching_rows(query, tape, first, last))
    while found.grow(len(tape.rows), 7):
        pass
    assert functions(found) == ["proxy_http_call"] * 3


def test_a_hidden_row_has_the_place_of_the_one_before_it() -> None:
    tape = tape_of(CASE)
    found = outline(tape)
    hidden = next(row for row in range(len(tape.rows)) if not found.shows(row))
    assert found[found.place(hidden)] < hidden
