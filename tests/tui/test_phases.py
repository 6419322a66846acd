"""The timeline: exchanges and phases side by side, each cell a row that one can go to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simwasm_tui.phases import Mark, Segment, draw, exchange_at, exchanges, phases, rows_of
from simwasm_tui.text import cells, plain
from tapes import tape_of

CASE = "http_auth/browser"
TWO = [Segment("one", 0, 9), Segment("two", 10, 29)]


def test_start_and_end_are_around_the_exchanges() -> None:
    tape = tape_of(CASE)
    labels = [segment.label for segment in exchanges(tape, len(tape.rows))]
    assert labels == ["start", "#1 GET /get", "#2 GET /get", "#3 POST /post", "end"]


def test_every_row_is_in_one_exchange() -> None:
    tape = tape_of(CASE)
    segments = exchanges(tape, len(tape.rows))
    assert [segment.first for segment in segments[1:]] == [segment.last + 1 for segment in segments[:-1]]
    assert (segments[0].first, segments[-1].last) == (0, len(tape.rows) - 1)


def test_a_row_is_looked_up_in_the_segment_that_shows_it() -> None:
    tape = tape_of(CASE)
    rows = len(tape.rows)
    segments = exchanges(tape, rows)
    found = {exchange_at(tape, row, rows) for row in range(rows)}
    assert found == {(segment.first, segment.last) for segment in segments}


def test_an_exchange_has_its_phases_in_order() -> None:
    tape = tape_of(CASE)
    labels = [segment.label for segment in phases(tape, *rows_of(tape, tape.spans[0], len(tape.rows)))]
    assert labels == ["ctx", "REQ HDR", "CALL", "RSP HDR", "RSP BODY", "end"]


def test_what_has_happened_differs_from_what_lies_ahead_without_colour() -> None:
    text = plain(draw(TWO, 40, 12, []).line)
    assert "▯" not in text.split("│")[0]
    assert text.count("▶") == 1
    assert text.split("▶")[1].strip("▯") == ""


@pytest.mark.parametrize(("row", "sign"), [(3, "✗"), (20, "●"), (20, "◆")])
def test_a_mark_is_seen_once_where_its_row_is(row: int, sign: str) -> None:
    strip = draw(TWO, 60, 0, [Mark(row, sign)])
    text = plain(strip.line)
    assert text.count(sign) == 1
    assert strip.rows[text.index(sign)] == row


def test_the_worst_mark_of_a_cell_is_shown() -> None:
    marks = [Mark(10, "●"), Mark(11, "✗"), Mark(12, "◆")]
    assert "✗" in plain(draw([Segment("one", 0, 10_000)], 20, 5_000, marks).line)


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=60),
    st.integers(8, 200),
    st.integers(0, 5000),
)
def test_a_timeline_is_never_wider_than_its_room_and_knows_a_row_for_each_cell(
    sizes: list[int], width: int, now: int
) -> None:
    first, segments = 0, []
    for size in sizes:
        segments.append(Segment(f"#{size} GET /", first, first + size - 1))
        first += size
    strip = draw(segments, width, now, [])
    assert cells(strip.line) <= width
    assert len(strip.rows) == cells(strip.line)
    assert list(strip.rows) == sorted(strip.rows)


@pytest.mark.parametrize("row", range(10))
def test_a_mark_and_where_one_stands_are_in_the_same_cell_for_the_same_row(row: int) -> None:
    for width in (6, 8, 20, 40):
        segments = [Segment("", 0, 9)]
        marked = plain(draw(segments, width + 2, -1, [Mark(row, "●")]).line)
        stands = plain(draw(segments, width + 2, row, []).line)
        assert marked.index("●") == stands.index("▶")
