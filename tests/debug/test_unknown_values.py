"""Values of a trace file that are not known: they are `?` wherever they are shown, and match nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import TRACES
from debugging import WAIT
from unknown import blurred

from simwasm.abi.enums import BufferType, MapType
from simwasm.debug import writers
from simwasm.debug.arguments import arguments
from simwasm.debug.plain.rowtext import row_text
from simwasm.debug.problems import Problems
from simwasm.debug.reader import TraceReader
from simwasm.trace.align import align
from simwasm.trace.event import Entered
from simwasm.trace.explain import explain
from simwasm.trace.file import open_trace
from simwasm.trace.query import compile
from simwasm.trace.query.terms import TERMS
from simwasm.trace.rows import Row

CASES = ("http_auth/browser", "response_body/chunks", "grpc_auth/denied")
BROWSER = TRACES / "golden" / "http_auth" / "browser.jsonl"


def read(path: Path) -> TraceReader:
    reader = TraceReader(open_trace(path, ahead=0))
    reader.open().result(WAIT)
    assert reader.reading.exception(WAIT) is None
    reader.record().result(WAIT)
    return reader


@pytest.fixture(params=[(case, nothing) for case in CASES for nothing in (False, True)], ids=str)
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TraceReader]:
    """A trace in which texts, or all values, are unknown."""
    case, nothing = request.param
    found = read(blurred(TRACES / "golden" / f"{case}.jsonl", tmp_path / "x.jsonl", nothing=nothing))
    yield found
    found.close()


def rows_of(reader: TraceReader) -> list[Row]:
    rows = reader.tape.rows
    return [rows[index] for index in range(len(rows))]


def test_problems_are_found_without_the_values(reader: TraceReader) -> None:
    problems = Problems(reader.tape)
    problems.grow()
    assert not [
        each for each in problems.all() if "None" in each.title + each.happened + each.why + each.advice
    ]


def test_rows_and_arguments_show_a_question_mark(reader: TraceReader) -> None:
    tape = reader.tape
    for row in rows_of(reader):
        assert "None" not in row_text(row)
        ended = tape.at(tape.end_of(row.entered.seq))
        assert not isinstance(ended, Entered)
        assert all("None" not in each.text + each.note for each in arguments(row.entered, ended, tape=tape))


def test_who_wrote_what_is_asked_without_the_values(reader: TraceReader) -> None:
    tape = reader.tape
    for position in range(1, len(tape) + 1, 5):
        found = [
            *(each for map in MapType for each in writers.header(tape, position, map, ":status")),
            *(each for buffer in BufferType for each in writers.body(tape, position, buffer)),
            *writers.property(tape, position, "a.b"),
            *writers.shared(tape, position, "key"),
            *writers.metric(tape, position, "metric"),
        ]
        assert not [each for each in found if "None" in f"{each.call}{each.old or ''}{each.new or ''}"]


def test_an_unknown_value_fits_no_comparison(reader: TraceReader) -> None:
    looked = 0
    for row in rows_of(reader):
        for param, value in zip(row.entered.function.inputs, row.entered.args, strict=True):
            if value is None:
                looked += 1
                tests = (":x", "!=x", "~x", "!~x")
                assert not any(compile(f"arg.{param.name}{test}")(row) for test in tests)
    assert looked


def test_every_term_can_be_asked(reader: TraceReader) -> None:
    rows = rows_of(reader)
    for term in TERMS:
        value = term.values[0] if term.values else "1ns" if term.name == "dur" else "1"
        for test in (f":{value}", f"!={value}"):
            assert all(query(row) in (True, False) for query in [compile(term.name + test)] for row in rows)


def test_a_trace_without_values_is_compared_with_one_that_has_them(reader: TraceReader) -> None:
    whole = read(BROWSER)
    alignment = align(reader.tape.rows, whole.tape.rows)
    told = [explain(*alignment.rows(alignment[at])) for at in range(len(alignment))]
    whole.close()
    assert any(told)
    assert "None" not in "".join(told)


def test_verbs_and_breakpoints_walk_through_it(reader: TraceReader) -> None:
    reader.breakpoints.add("get_header_map_value if key!=x")
    reader.breakpoints.add("http_call")
    for verb in (reader.step, reader.over, reader.out, reader.proceed):
        for back in (False, True):
            for _ in range(3):
                verb(back=back).result(WAIT)
    assert reader.stop is not None
