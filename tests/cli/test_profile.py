"""`simwasm profile`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from process import Run
from wat import callback, plugin

DEBUG, STRIPPED = "samples/allow_header/plugin.debug.wasm", "samples/allow_header_c/plugin.wasm"
TRAFFIC = "traces/traffic/allow_header.har"
LOOP = "(local $i i32) (loop (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10))))"


def counted(simwasm: Run, *words: str) -> dict[str, Any]:
    done = simwasm("profile", *words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def looping(tmp_path: Path) -> str:
    """A plugin whose callback goes ten times round a loop."""
    file = tmp_path / "looping.wasm"
    file.write_bytes(plugin(callback("proxy_on_request_headers", LOOP)).wasm)
    return str(file)


def test_each_instruction_counts_once(simwasm: Run, looping: str) -> None:
    """A turn is eight instructions, the loop's head counted in; after the last come the result and the end."""
    functions = {each["name"]: each for each in counted(simwasm, looping, TRAFFIC)["functions"]}
    found = functions["proxy_on_request_headers"]
    assert (found["calls"], found["own"]) == (5, 5 * (10 * 8 + 2))
    assert found["run"] == found["size"] == 8 + 1


def test_lines_and_functions_add_up(simwasm: Run) -> None:
    found = counted(simwasm, DEBUG, TRAFFIC)
    assert sum(each["own"] for each in found["functions"]) == found["instructions"]
    assert any(each["file"].endswith("src/lib.rs") and each["line"] == 36 for each in found["lines"])
    outer = next(each for each in found["functions"] if each["name"] == "proxy_on_request_headers")
    assert outer["own"] < 200 < outer["all"]


def test_the_start_counts_when_that_is_asked_for(simwasm: Run) -> None:
    less, more = (counted(simwasm, DEBUG, TRAFFIC, *words) for words in ([], ["--start"]))
    assert less["instructions"] < more["instructions"]
    assert "proxy_on_vm_start" in {each["name"] for each in more["functions"]} - {
        each["name"] for each in less["functions"]
    }


def test_the_flame_graph_is_told_and_written(simwasm: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.speedscope.json"
    done = simwasm("profile", DEBUG, TRAFFIC, "--speedscope", str(file), "--top", "3")
    assert "more functions (--top)" in done.stdout
    bars = [line for line in done.stdout.splitlines() if line.startswith("█")]
    assert bars[0].split()[2] == "proxy_on_request_headers"
    (profile,) = json.loads(file.read_text())["profiles"]
    assert sum(profile["weights"]) == profile["endValue"] > 50_000
    assert len(profile["weights"]) == len(profile["samples"])


def test_without_debug_information_it_says_how_to_get_some(simwasm: Run) -> None:
    assert "no debug information (C or C++: -g when" in simwasm("profile", STRIPPED, TRAFFIC).stdout


@pytest.mark.parametrize("command", [("profile",), ("inspect",)])
def test_a_name_is_on_one_line_and_not_long(simwasm: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    body = callback("proxy_on_request_headers").replace(
        "(func", '(func (export "two\\0alines' + "x" * 5_000 + '")', 1
    )
    file = tmp_path / "named.wasm"
    file.write_bytes(plugin(body).wasm)
    text = simwasm(*command, str(file), *([TRAFFIC] if command == ("profile",) else [])).stdout
    assert r"two\nlines" in text
    assert max(map(len, text.splitlines())) < 400


def test_a_trap_is_told_by_the_status_and_what_ran_before_it_counts(simwasm: Run) -> None:
    done = simwasm("profile", DEBUG, TRAFFIC, "--fuel", "6000")
    assert done.returncode == 1
    assert "instructions in" in done.stdout


def test_what_cannot_be_written_is_said(simwasm: Run) -> None:
    done = simwasm("profile", STRIPPED, TRAFFIC, "--speedscope", "/nowhere/x.json")
    assert done.returncode == 2
    assert done.stderr.startswith("simwasm: --speedscope /nowhere/x.json: cannot be written")
