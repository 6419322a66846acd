"""A golden is a small trace file without what changes by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from golden_files import HTTP_AUTH, text, written
from wat import MALLOC, callback, plugin

from simwasm.abi.table import ALLOCATORS
from simwasm.engines.engine import Engine
from simwasm.engines.find import engine as find_engine
from simwasm.exchange import Exchange, request
from simwasm.goldens.writing import GoldenWriter, golden_text, header_of, write_golden
from simwasm.host.outcome import Outcome
from simwasm.host.profile import ENVOY
from simwasm.plugin import FailPolicy
from simwasm.recipe import Recipe
from simwasm.session import Session
from simwasm.trace.event import Event
from simwasm.trace.file import open_trace


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The lines of the golden of a sample."""
    path = tmp_path_factory.mktemp("golden") / "auth.jsonl"
    return [json.loads(line) for line in text(path, find_engine()).splitlines()]


def test_engines_give_the_same_golden(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "auth.jsonl"
    assert text(path, engine) == text(path, find_engine("python"))


def test_the_header_has_neither_digest_nor_engine_nor_clock(lines: list[dict[str, Any]]) -> None:
    head = lines[0]
    assert list(head) == [
        "format", "plugins", "profile", "seed", "started_ns", "redacted", "recipe",
    ]  # fmt: skip
    assert head["plugins"] == [{"name": "http_auth", "abi": "0.2.1"}]
    assert head["started_ns"] == 0
    assert head["redacted"] == ["date", "x-envoy-upstream-service-time", "x-request-id", "long"]


def test_the_allocator_is_left_out(lines: list[dict[str, Any]]) -> None:
    assert not {line.get("call") for line in lines} & set(ALLOCATORS)


def test_a_call_in_which_only_the_allocator_was_called_is_one_line(lines: list[dict[str, Any]]) -> None:
    (first, *_) = [line for line in lines if line.get("call") == "proxy_get_header_map_value"]
    assert (first["result"], first["gives"]) == ("OK", {"value": "Bearer let-me-in"})


def test_reasons_in_our_words_are_left_out(lines: list[dict[str, Any]]) -> None:
    refused = [line for line in lines if line.get("result") == "NOT_FOUND"]
    assert refused
    assert all("reason" not in line for line in lines)


def test_callouts_are_counted_for_each_context(lines: list[dict[str, Any]]) -> None:
    made = [line["gives"]["call_id"] for line in lines if line.get("call") == "proxy_http_call"]
    answered = [line["args"]["call_id"] for line in lines if "http_call_response" in line.get("call", "")]
    assert made == answered == [2001, 3001, 4001]


def test_times_are_those_of_the_run_and_not_of_the_recording(lines: list[dict[str, Any]]) -> None:
    times = [line["at"] for line in lines if "at" in line]
    assert times == sorted(times)
    assert (times[0], times[-1] < 10**9) == (0, True)


def test_a_trap_has_no_frames(tmp_path: Path) -> None:
    wasm = plugin(
        '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable)'
    ).wasm
    (tmp_path / "trap.wasm").write_bytes(wasm)
    recipe = Recipe(str(tmp_path / "trap.wasm"), HTTP_AUTH.traffic)
    lines = [
        json.loads(line) for line in text(tmp_path / "x.jsonl", find_engine("python"), recipe).splitlines()
    ]
    (trap,) = [line["trap"] for line in lines if "trap" in line]
    assert trap == {"kind": "unreachable", "detail": "", "frames": []}


def test_it_is_a_trace_that_can_be_opened(tmp_path: Path) -> None:
    trace = open_trace(written(tmp_path / "auth.jsonl", find_engine()))
    assert trace.index() == len(trace.rows) > 60
    assert trace.note == ""
    assert [ending.status for ending in trace.outcomes] == [200, 403, 200]
    assert trace.header.recipe is not None
    assert trace.header.plugins[0].sha256 == ""


def test_events_and_outcomes_make_the_golden_that_an_observer_makes() -> None:
    entries: list[Event | Outcome] = []
    which = plugin(callback("proxy_on_request_headers"), malloc=MALLOC)
    header = header_of([which], profile=ENVOY, now_ns=5, test="tests/test_a.py::test_b")
    watching = GoldenWriter(header)
    exchange = Exchange("1", 5, request("GET", "/"))
    engine = find_engine("python")
    with Session([which], engine=engine, observers=[entries.append, watching], now_ns=5) as session:
        for outcome in session.replay([exchange]):
            entries.append(outcome)
            watching.finished(outcome)
    told = golden_text(entries, header)
    assert told == watching.text()
    assert json.loads(told.splitlines()[0])["test"] == "tests/test_a.py::test_b"


def test_workers_faults_and_all_together_repeat(tmp_path: Path) -> None:
    recipe = Recipe(
        HTTP_AUTH.plugin,
        HTTP_AUTH.traffic,
        callout=("auth=200",),
        fault=("callout:auth#2=reset",),
        concurrency=2,
        together=True,
        fail_policy="open",
        seed=7,
        log_level="debug",
    )
    path = written(tmp_path / "odd.jsonl", find_engine(), recipe)
    head = json.loads(path.read_text().splitlines()[0])["recipe"]
    assert list(head)[2:] == [
        "name", "fail_policy", "callout", "log_level", "seed", "together", "fault", "concurrency",
    ]  # fmt: skip
    assert text(path, find_engine("python"), recipe) == path.read_text()
    assert FailPolicy.FAIL_OPEN.name not in path.read_text()


def test_the_folder_of_a_golden_is_made(tmp_path: Path) -> None:
    write_golden(tmp_path / "a" / "b" / "c.jsonl", "{}\n")
    assert (tmp_path / "a" / "b" / "c.jsonl").read_text() == "{}\n"
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["c.jsonl"]
