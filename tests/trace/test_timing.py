"""What calls took and cost, where that is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cases import Case, cases
from wat import plugin

from simwasm.abi.table import ALLOCATORS
from simwasm.answers import Clusters
from simwasm.costs import Costs
from simwasm.engines.engine import Engine
from simwasm.errors import TraceError
from simwasm.exchange import Exchange, request
from simwasm.host.profile import ENVOY
from simwasm.recording import Recording
from simwasm.session import Session
from simwasm.trace.file import open_trace
from simwasm.trace.timing import Timing

CASE = next(case for case in cases() if case.id == "http_auth/browser")


def recorded(case: Case, engine: Engine, *, timing: Timing | None) -> tuple[str, Costs]:
    """The trace file of a case, and what its calls cost as `--cost` tells it."""
    lines: list[str] = []
    costs = Costs()
    now = case.exchanges[0].started_ns
    recording = Recording(lines.append, [case.plugin], profile=ENVOY, now_ns=now, timing=timing)
    clusters = Clusters(case.clusters)
    session = Session(
        [case.plugin],
        engine=engine,
        observers=[recording, costs],
        clusters=clusters.names,
        ask_cluster=clusters.ask,
        now_ns=now,
    )
    costs.burnt = session.burnt
    if timing:
        timing.burnt = session.burnt
    with session:
        for outcome in session.replay(case.exchanges):
            recording.finished(outcome)
    return "".join(lines), costs


def bare(line: str) -> dict[str, Any]:
    """A line without what was measured."""
    content = json.loads(line)
    for part in (content, content.get("outcome", {})):
        part.pop("took_ns", None)
        part.pop("instructions", None)
    return content  # type: ignore[no-any-return]  # it is JSON


def test_measuring_adds_to_the_lines_and_changes_nothing_else(engine: Engine) -> None:
    plain, timed = (recorded(CASE, engine, timing=timing)[0] for timing in (None, Timing()))
    assert [bare(line) for line in timed.splitlines()] == [json.loads(line) for line in plain.splitlines()]
    assert '"took_ns"' not in plain
    ends = [json.loads(line) for line in timed.splitlines() if '"result"' in line]
    assert all(list(line)[-2:] == ["took_ns", "instructions"] for line in ends)


def test_instructions_are_those_that_costs_tells(engine: Engine) -> None:
    text, costs = recorded(CASE, engine, timing=Timing())
    found: dict[str, int] = {}
    open_calls: list[str] = []
    for line in map(json.loads, text.splitlines()):
        if "call" in line:
            open_calls.append(line["call"])
        if "result" in line:
            name = open_calls.pop()
            found[name] = found.get(name, 0) + line["instructions"]
    assert found == {function.name: cost.total for (_, function), cost in costs.of.items()}


def test_an_outcome_tells_what_its_exchange_cost(engine: Engine) -> None:
    text, _ = recorded(CASE, engine, timing=Timing())
    told = [
        line["outcome"]["instructions"] for line in map(json.loads, text.splitlines()) if "outcome" in line
    ]
    assert len(told) == 3
    assert all(instructions > 1000 for instructions in told)


def test_rows_of_a_file_tell_it(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(recorded(CASE, engine, timing=Timing())[0])
    trace = open_trace(path)
    trace.index()
    rows = [trace.rows[at] for at in range(len(trace.rows))]
    assert all(row.took_ns > 0 for row in rows)
    assert all(row.instructions > 0 for row in rows if row.entered.function.name not in ALLOCATORS)
    assert open_trace(CASE.golden).rows[1].took_ns == 0


def test_a_call_that_trapped_is_measured(engine: Engine) -> None:
    which = plugin('(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable)')
    case = Case("wat", "trap", which, (Exchange("1", 5, request("GET", "/")),), {})
    text, _ = recorded(case, engine, timing=Timing())
    (trap,) = [json.loads(line) for line in text.splitlines() if '"trap"' in line]
    assert (trap["took_ns"] > 0, trap["instructions"] > 0) == (True, True)


@pytest.mark.parametrize("number", ['"5"', "-1", "true", "1.5"])
def test_a_figure_that_is_none_is_told_by_its_line(number: str, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = CASE.golden.read_text().splitlines()
    lines[1] = f'{lines[1][:-1]}, "took_ns": {number}}}'
    path.write_text("\n".join(lines))
    trace = open_trace(path)
    with pytest.raises(TraceError, match="line 2 has a `took_ns` or `instructions` that is no number"):
        trace.rows[1]
