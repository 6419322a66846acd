"""Each benchmark, at its smallest size: that it measures both sides and promises something. Never how fast."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks.row import MILLISECONDS, PERCENT, REQUESTS, Row, Target, in_turns
from benchmarks.table import table
from simwasm.errors import SimwasmError

pytest.importorskip("wasmer", reason="wasmer has builds for CPython 3.10 only", exc_type=ImportError)


def check(rows: Iterable[Row], name: str, promised: tuple[bool, ...] = (True, True)) -> None:
    """Rows with figures of both sides, and whether something is promised of each."""
    found = list(rows)
    assert [row.name for row in found] == [name] * len(promised)
    assert tuple(row.target is not None and bool(row.verdict) for row in found) == promised
    assert all(figure > 0 for row in found for figure in (*row.ours, *row.peer, row.ratio))


def test_a_host_call_is_measured_beside_the_bare_one() -> None:
    from benchmarks import hostcall

    check(hostcall.rows(calls=20, rounds=2), "hostcall")


@pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk: apt-get install wrk")
def test_replaying_is_measured_beside_envoy() -> None:
    from benchmarks import replay

    check(replay.rows(seconds=1, rounds=1), "replay", (True, True, False, True))


def test_starting_is_measured_beside_an_empty_python() -> None:
    from benchmarks import start

    check(start.rows(rounds=1), "start")


def test_opening_a_trace_is_measured_beside_parsing_it() -> None:
    from benchmarks import trace

    check(trace.rows(rounds=1, size=1000), "trace")


def test_asking_a_trace_is_measured_beside_counting_in_it() -> None:
    from benchmarks import query

    check(query.rows(rounds=1, size=1000), "query")


def test_recording_stepping_and_going_back_are_measured() -> None:
    from benchmarks import debugger

    found = list(debugger.rows(rounds=1, events=1000))
    assert [row.name for row in found] == ["debugger"] * 4
    assert all(row.target is not None and figure > 0 for row in found for figure in row.ours)


def test_a_terminal_tells_when_a_text_is_on_it(tmp_path: Path) -> None:
    from benchmarks.terminal import Terminal, shows

    program = "import sys; print('ready', end='', flush=True); print('got', input())"
    with Terminal([sys.executable, "-c", program], os.environ, tmp_path) as terminal:
        ready = terminal.until(shows("ready"), "the prompt")
        assert terminal.memory() > 1_000_000
        pressed = terminal.press("a key\r")
        assert terminal.started < ready < pressed < terminal.until(shows("got a key"), "the answer")


def test_a_text_that_does_not_come_is_an_error_with_the_screen(tmp_path: Path) -> None:
    from benchmarks.terminal import Terminal, shows

    with (
        Terminal([sys.executable, "-c", "print('other')"], os.environ, tmp_path) as terminal,
        pytest.raises(SimwasmError, match=r"marker did not appear.*\n.*other"),
    ):
        terminal.until(shows("marker"), "marker")


def test_a_figure_without_a_peer_has_no_ratio() -> None:
    row = Row("x", "y", PERCENT, (0.0,), target=Target(0.5, PERCENT))
    assert table([row]).splitlines()[1].split() == ["x", "y", "0.0", "%", "<=", "0.5", "%", "ok"]


def test_sides_are_measured_in_turns() -> None:
    asked: list[str] = []

    def side(name: str) -> float:
        asked.append(name)
        return len(asked)

    assert in_turns(2, lambda: side("ours"), lambda: side("peer")) == [(1, 3), (2, 4)]
    assert asked == ["ours", "peer", "ours", "peer"]


def test_the_best_round_of_each_side_counts() -> None:
    row = Row("x", "", REQUESTS, (50.0, 80.0), (100.0, 90.0), Target(0.5))
    assert row.ratio == 0.8
    assert row.verdict == "ok"


def test_a_target_with_a_unit_looks_at_our_own_figure() -> None:
    row = Row("x", "", MILLISECONDS, (151.0, 152.0), (10.0, 10.0), Target(150, MILLISECONDS))
    assert row.verdict == "MISSED"


def test_the_table_is_aligned() -> None:
    row = Row("x", "this / that", MILLISECONDS, (10.0, 11.0), (2.0, 2.0), Target(150, MILLISECONDS))
    head, line = table([row]).splitlines()
    assert head.split() == ["name", "what", "ours", "peer", "ratio", "target", "verdict"]
    assert line.index("this") == head.index("what")
    assert "5.00x  <= 150 ms  ok" in line


def test_a_suite_is_measured_beside_bare_sessions() -> None:
    from benchmarks import suites

    check(suites.rows(cases=2, rounds=1), "suites", (True,))
