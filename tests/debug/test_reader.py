"""A trace file alone: its rows are those of the run that it was recorded of, and what a file cannot tell is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cases import TRACES
from debugging import CASES, WAIT, debugging, inputs_of

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.branch import Override
from simwasm.debug.reader import TraceReader, is_trace
from simwasm.debug.stop import Why
from simwasm.errors import InputError, TraceError
from simwasm.trace.file import open_trace
from simwasm.trace.rows import Row

GOLDEN = TRACES / "golden" / "http_auth" / "browser.jsonl"


@contextmanager
def reading(path: Path = GOLDEN) -> Iterator[TraceReader]:
    """A reader that stands on its first row, the whole file read."""
    reader = TraceReader(open_trace(path, ahead=0))
    try:
        reader.open().result(WAIT)
        reader.reading.exception(WAIT)
        while not reader.tape.complete:
            pass
        yield reader
    finally:
        reader.close()


def told(row: Row) -> tuple[object, ...]:
    """What a row says, without what only a measured run knows."""
    entered, ended = row.entered, row.ended
    result = getattr(ended, "result", None)
    return row.kind, row.depth, entered.function.name, entered.args, result, getattr(ended, "values", ())


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.startswith(("http_auth", "response_body", "grpc"))]
)
def test_the_rows_of_a_golden_trace_are_those_of_the_run(case: str) -> None:
    with debugging(inputs_of(case)) as debugger, reading(CASES[case].golden) as reader:
        live, read = debugger.tape.rows, reader.tape.rows
        expected = [told(live[index]) for index in range(len(live))]
        assert [told(read[index]) for index in range(len(read))] == expected
        assert [span.first for span in reader.tape.spans] == [span.first for span in debugger.tape.spans]
        for mine, theirs in zip(reader.tape.spans, debugger.tape.spans, strict=True):
            assert mine.outcome is not None
            assert theirs.outcome is not None
            assert mine.outcome.status == theirs.outcome.status
            assert mine.exchange.label == theirs.exchange.label


def test_one_stands_on_the_first_row_of_the_first_exchange() -> None:
    with reading() as reader:
        assert reader.stop is not None
        assert reader.stop.why is Why.ENTRY
        assert reader.stop.position == reader.tape.spans[0].first


def test_without_an_exchange_one_stands_on_the_first_row(tmp_path: Path) -> None:
    starting = tmp_path / "starting.jsonl"
    lines = GOLDEN.read_bytes().splitlines(keepends=True)
    creates = (at for at, line in enumerate(lines) if b'"proxy_on_context_create"' in line)
    next(creates)
    starting.write_bytes(b"".join(lines[: next(creates)]))
    with reading(starting) as reader:
        assert not reader.tape.spans
        assert reader.stop is not None
        assert (reader.stop.row, reader.stop.why) == (0, Why.ENTRY)
        assert reader.step().result(WAIT).row == 1


def test_verbs_and_breakpoints_go_both_ways() -> None:
    with reading() as reader:
        begin = reader.stop
        assert begin is not None
        assert reader.step().result(WAIT).row == begin.row + 1
        assert reader.step(back=True).result(WAIT).row == begin.row
        reader.breakpoints.add("http_call")
        first = reader.proceed().result(WAIT)
        assert first.why is Why.BREAKPOINT
        assert reader.tape.entered(first.position).function.name == "proxy_http_call"
        second = reader.proceed().result(WAIT)
        assert second.position > first.position
        assert reader.proceed(back=True).result(WAIT).position == first.position


def test_going_on_comes_to_the_end() -> None:
    with reading() as reader:
        assert reader.proceed().result(WAIT).why is Why.END
        assert reader.proceed().result(WAIT).why is Why.END


def test_what_needs_a_plugin_says_what_to_type() -> None:
    with reading() as reader:
        for refused in (reader.state, reader.memory):
            with pytest.raises(InputError, match=r"simwasm debug PLUGIN\.wasm TRAFFIC"):
                refused()
        for future in (reader.stack(), reader.changes(0, 1), reader.override(1, Override())):
            assert isinstance(future.exception(WAIT), InputError)


def test_a_file_that_ends_in_the_middle_is_read_up_to_there(tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(GOLDEN.read_bytes()[:6000])
    with reading(cut) as reader:
        error = reader.reading.exception(WAIT)
        assert isinstance(error, TraceError)
        assert "and the file ends there" in str(error)
        assert len(reader.tape.rows) > 10


def test_a_broken_line_is_told_with_its_number(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    lines = GOLDEN.read_bytes().splitlines(keepends=True)
    broken.write_bytes(b"".join([*lines[:20], b"{nonsense}\n", *lines[20:]]))
    with reading(broken) as reader:
        assert "line 21 is not JSON" in str(reader.reading.exception(WAIT))


def test_a_trace_is_known_by_its_first_line(tmp_path: Path) -> None:
    assert is_trace(str(GOLDEN))
    for name in ("traffic/allow_header.har", "traffic/response_body.tap.jsonl", "cases.json"):
        assert not is_trace(str(TRACES / name))
    assert not is_trace(str(tmp_path / "nowhere"))


def test_durations_are_left_out_since_nobody_measured_them() -> None:
    with reading() as reader:
        rows = reader.tape.rows
        assert {rows[index].took_ns for index in range(len(rows))} == {0}
        assert any(rows[index].entered.function.name in ALLOCATORS for index in range(len(rows)))
