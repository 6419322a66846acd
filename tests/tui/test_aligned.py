"""Two runs side by side, as lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cases import TRACES
from debugging import WAIT, debugging, inputs_of
from simwasm_tui.aligned import Sides
from simwasm_tui.text import cells, plain

from simwasm.abi.enums import Status
from simwasm.debug.branch import Override
from simwasm.trace.align import align
from simwasm.trace.file import open_trace


@pytest.fixture(scope="module")
def sides() -> Iterator[Sides]:
    """A run, and the same one without the header that the service answered with."""
    with debugging(inputs_of("http_auth/browser")) as debugger:
        tape = debugger.tape
        call = [at for at in range(1, len(tape)) if tape.opening(at) == at
                and tape.entered(at).function.name == "proxy_get_header_map_value"][1]  # fmt: skip
        debugger.override(call, Override(Status.NOT_FOUND)).result(WAIT)
        yield Sides(align(tape.rows, debugger.tape.rows))


def test_every_line_has_both_rows_and_a_mark_between_them_at_any_width(sides: Sides) -> None:
    for width in (60, 80, 117):
        for index in range(len(sides)):
            line = sides.line(index, width)
            assert cells(line) == width
    first = plain(sides.line(sides.place(sides.changes[0]), 120))
    assert first.count("get_header(CALL") == 2
    assert "│≠│" in first
    assert first.rstrip().endswith("NOT_FOUND")


def test_one_goes_from_difference_to_difference(sides: Sides) -> None:
    found, at = [], -1
    while (following := sides.change_after(at)) is not None:
        found.append(at := following)
    assert found == list(sides.changes)
    assert [sides.change_before(each) for each in found[1:]] == found[:-1]
    assert sides.change_before(found[0]) is None


def test_with_differences_only_a_line_is_a_difference(sides: Sides) -> None:
    only = Sides(sides.alignment, changes_only=True)
    assert len(only) == len(sides.changes)
    assert [only.pair_at(index) for index in range(len(only))] == list(sides.changes)
    assert only.place(sides.changes[2] + 1) == 3


def test_the_summary_counts_every_pair(sides: Sides) -> None:
    numbers = [int(part.split()[0]) for part in sides.summary.split(" · ")]
    assert sum(numbers) == len(sides)
    assert sides.summary.startswith("78 same · 1 answered otherwise")


def test_a_difference_is_told_in_words(sides: Sides) -> None:
    assert "status: OK -> NOT_FOUND" in plain(sides.explained(sides.place(sides.changes[0]), 200))
    assert plain(sides.explained(0, 200)).strip() == "same"


def test_a_run_and_its_golden_trace_do_not_differ() -> None:
    with debugging(inputs_of("http_auth/browser")) as debugger:
        trace = open_trace(TRACES / "golden" / "http_auth" / "browser.jsonl")
        trace.index()
        found = Sides(align(trace.rows, debugger.tape.rows), changes_only=True)
        trace.close()
        assert len(found) == 0
        assert found.summary == f"{len(found.pairs)} same"
