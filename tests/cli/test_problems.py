"""The problems of a run, at its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from process import Run
from switchboard import LOG, OUT, REQUEST_HEADERS, Case, switchboard
from wat import callback, plugin

ROOT = Path(__file__).parents[2]
FINE, TRAFFIC = "samples/allow_header/plugin.wasm", "traces/traffic/allow_header.har"
_GROW = "(drop (memory.grow (i32.const 1))) (return (i32.const 0))"


@pytest.fixture
def board(tmp_path: Path) -> str:
    """A plugin that looks for a header where it is not, logs an error, and looks for one that may be missing."""
    look = ("proxy_get_header_map_value", 2, "x-a", OUT, OUT)
    none = ("proxy_get_header_map_value", 0, "x-none", OUT, OUT)
    case = Case("wrong", {REQUEST_HEADERS: [look, none], LOG: [("proxy_log", 4, "a \x1b[31mred\nline")]})
    file = tmp_path / "board.wasm"
    file.write_bytes(switchboard([case]))
    return str(file)


@pytest.fixture
def chosen(tmp_path: Path) -> str:
    """The recorded traffic, its requests with the header that chooses the case."""
    recorded = json.loads((ROOT / TRAFFIC).read_text())
    for entry in recorded["log"]["entries"]:
        entry["request"]["headers"].append({"name": "case", "value": "0"})
    file = tmp_path / "chosen.har"
    file.write_text(json.dumps(recorded))
    return str(file)


@pytest.fixture
def leaky(tmp_path: Path) -> str:
    """A plugin whose memory grows by a page with every request."""
    file = tmp_path / "leaky.wasm"
    file.write_bytes(plugin(callback("proxy_on_request_headers", _GROW)).wasm)
    return str(file)


@pytest.mark.parametrize("less", [[], ["--quiet"]])
def test_each_is_listed_once_with_its_first_place_and_the_fix(
    simwasm: Run, board: str, chosen: str, less: list[str]
) -> None:
    done = simwasm("run", board, chosen, *less)
    assert done.returncode == 0
    listed = done.stderr[done.stderr.index("2 problems:") :]
    _, *rest = listed.splitlines()
    assert rest[0].startswith(
        "✗ wrong-callback: BAD_ARGUMENT: header x-a (proxy_get_header_map_value)  5 times, first"
    )
    assert rest[0].endswith("in exchange 1, row 9")
    assert "    fix: Read it in its own callback and keep it in the stream's context;" in listed
    assert "✗ logged-an-error" in listed
    assert "\x1b" not in listed
    assert "x-none" not in listed


def test_a_run_that_went_well_lists_nothing(simwasm: Run) -> None:
    done = simwasm("run", FINE, TRAFFIC, "--quiet", "--strict")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("less", ["--quiet", "--json"])
def test_strict_makes_them_a_failure(simwasm: Run, board: str, chosen: str, less: str) -> None:
    assert simwasm("run", board, chosen, "--strict", less).returncode == 1


def test_json_has_them_in_the_line_of_their_exchange(simwasm: Run, board: str, chosen: str) -> None:
    lines = [json.loads(line) for line in simwasm("run", board, chosen, "--json").stdout.splitlines()]
    assert [[each["lint"] for each in line["problems"]] for line in lines] == [
        ["wrong-callback", "logged-an-error"]
    ] * 5
    assert {"title", "happened", "why", "fix", "row", "severity"} <= set(lines[0]["problems"][0])


def test_send_lists_them_too(simwasm: Run, board: str) -> None:
    done = simwasm("send", board, "GET", "/", "-H", "case: 0", "--strict")
    assert done.returncode == 1
    assert done.stdout.startswith("HTTP/1.1 200")
    assert "✗ wrong-callback" in done.stderr


def test_memory_that_grows_is_told_in_bytes_a_request(simwasm: Run, leaky: str) -> None:
    done = simwasm("run", leaky, TRAFFIC, "--quiet", "--strict", "--repeat", "4")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 20
    assert "growth: 65,536 bytes a request. Left over: 0 contexts, 0 callouts." in done.stderr
    assert "! memory-grows: memory that grows with every request" in done.stderr


def test_memory_that_stays_is_told_and_is_no_problem(simwasm: Run) -> None:
    done = simwasm("run", FINE, TRAFFIC, "--strict", "--repeat", "3", "--json")
    assert done.returncode == 0
    (found,) = json.loads(done.stdout.splitlines()[-1])["memory"]
    assert len(found["memory"]) == 4
    assert (found["bytes_a_request"], found["contexts_left"], found["callouts_left"]) == (0, 0, 0)


def test_no_rounds_are_refused(simwasm: Run) -> None:
    done = simwasm("run", FINE, TRAFFIC, "--repeat", "0")
    assert done.returncode == 2
    assert "--repeat: 0 is no number of rounds" in done.stderr
