"""`simwasm verify`: the same traffic through simwasm and the real Envoy, and what it says of the two."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import wasmtime
from process import Run
from wat import MALLOC

PLUGIN = "samples/allow_header/plugin.wasm"
TRAFFIC = "traces/traffic/allow_header.har"

THROWS_DICE = f"""(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 100) "x-dice")
  (func (export "proxy_abi_version_0_2_1")) {MALLOC}
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (drop (call $random (i32.const 200) (i32.const 8)))
    (i64.store (i32.const 200)
      (i64.or (i64.const 0x6161616161616161) (i64.and (i64.const 0x0606060606060606) (i64.load (i32.const 200)))))
    (drop (call $add (i32.const 2) (i32.const 100) (i32.const 6) (i32.const 200) (i32.const 8)))
    (i32.const 0)))"""
"""Each response gets eight random letters: nothing two hosts can agree about."""


@pytest.fixture
def dice(tmp_path: Path) -> str:
    path = tmp_path / "dice.wasm"
    path.write_bytes(bytes(wasmtime.wat2wasm(THROWS_DICE)))
    return str(path)


def test_a_plugin_that_behaves_alike_is_said_to(simwasm: Run) -> None:
    done = simwasm("verify", PLUGIN, TRAFFIC)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[3].split() == ["#1", "GET", "/status/418", "403", "403", "0", "0", "11", "2", "✓", "same"]
    assert lines[-1] == "5 exchanges: simwasm does what Envoy does"


def test_what_is_not_compared_is_said_with_its_reason(simwasm: Run) -> None:
    said = simwasm("verify", PLUGIN, TRAFFIC, "--ignore", "X-Dice").stdout
    assert "  x-request-id: random (if it looks as it should)" in said
    assert "  x-dice: not compared, as was asked" in said


def test_a_difference_is_shown_and_ends_with_1(simwasm: Run, dice: str) -> None:
    done = simwasm("verify", dice, TRAFFIC)
    assert done.returncode == 1
    assert "✗ client response" in done.stdout
    assert "#1 GET /status/418: client response (- simwasm, + Envoy)" in done.stdout
    assert "    -x-dice: " in done.stdout
    assert "    +x-dice: " in done.stdout
    assert done.stdout.splitlines()[-1] == "5 exchanges: 5 differ"


def test_a_header_may_be_left_out(simwasm: Run, dice: str) -> None:
    assert simwasm("verify", dice, TRAFFIC, "--ignore", "x-dice").returncode == 0


def test_json_says_the_same(simwasm: Run, dice: str) -> None:
    told = json.loads(simwasm("verify", dice, TRAFFIC, "--json").stdout)
    assert told["same"] is False
    assert told["exchanges"][1] == {
        "number": 2, "exchange": "GET /status/418", "simwasm": "418", "envoy": "418", "differs_in": ["client response"],
    }  # fmt: skip
    assert {each["what"] for each in told["differences"]} == {"client response"}


def test_callouts_are_answered_for_both(simwasm: Run) -> None:
    done = simwasm("verify", "samples/http_auth/plugin.wasm", TRAFFIC, "--callout", "auth=401")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("✓ same") == 5


def test_a_plugin_that_both_refuse_is_no_riddle(simwasm: Run, tmp_path: Path) -> None:
    path = tmp_path / "empty.wasm"
    path.write_bytes(b"\0asm\1\0\0\0")
    done = simwasm("verify", str(path), TRAFFIC)
    assert done.returncode == 1
    assert "Missing or unknown Proxy-Wasm ABI version" in done.stderr
    assert "simwasm refuses it as well: empty: " in done.stderr


def test_traffic_without_exchanges_cannot_be_compared(simwasm: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty.har"
    empty.write_text('{"log": {"version": "1.2", "entries": []}}')
    done = simwasm("verify", PLUGIN, str(empty))
    assert done.returncode == 2
    assert "there is no exchange in the traffic" in done.stderr
