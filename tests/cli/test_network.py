"""`simwasm run --network`: TCP connections through a plugin."""

from __future__ import annotations

from pathlib import Path

import pytest
from process import Run
from switchboard import DOWNSTREAM_DATA, Case, nth, switchboard

HEAD = '{"simwasm": "traffic", "format": 1}\n'
TALK = '{"id": "1", "tcp": [{"client": "PING"}, {"client": "!"}, {"upstream": "PONG", "close": "end"}]}\n'
HTTP = '{"id": "1", "request": {"headers": [[":method", "GET"], [":path", "/"], [":authority", "a"]]}}\n'


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "gate.wasm"
    path.write_bytes(switchboard([Case("", {DOWNSTREAM_DATA: []}, {nth(DOWNSTREAM_DATA, 1): 1})]))
    return path


def traffic(folder: Path, *lines: str) -> Path:
    path = folder / "talk.jsonl"
    path.write_text(HEAD + "".join(lines))
    return path


def test_a_connection_prints_its_crossings_and_a_line(simwasm: Run, plugin: Path, tmp_path: Path) -> None:
    done = simwasm("run", str(plugin), str(traffic(tmp_path, TALK)), "--network", "--color", "never")
    assert done.returncode == 0, done.stderr
    assert "→ proxy_on_downstream_data(context_id: 2, data_size: 5, end_of_stream: false)" in done.stdout
    assert "client → upstream 5 of 5 bytes · upstream → client 4 of 4 bytes · 1 Pause · " in done.stdout


def test_connections_want_a_network_plugin(simwasm: Run, plugin: Path, tmp_path: Path) -> None:
    done = simwasm("run", str(plugin), str(traffic(tmp_path, TALK)))
    assert done.returncode == 2
    assert "add --network" in done.stderr


def test_a_network_plugin_wants_connections(simwasm: Run, plugin: Path, tmp_path: Path) -> None:
    done = simwasm("run", str(plugin), str(traffic(tmp_path, HTTP)), "--network")
    assert done.returncode == 2
    assert "has an HTTP exchange" in done.stderr


def test_a_request_is_not_sent_through_a_network_plugin(simwasm: Run, plugin: Path) -> None:
    done = simwasm("send", str(plugin), "GET", "/", "--network")
    assert done.returncode == 2
    assert "simwasm run" in done.stderr
