"""`run --format envoy` and `import-envoy-log`: Envoy's own text, written and read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from process import Run

from simwasm.exchange import request
from simwasm.parity.bootstrap import Cluster
from simwasm.parity.client import fetch
from simwasm.parity.envoy import Envoy
from simwasm.parity.upstream import Upstream
from simwasm.plugin import Plugin

ROOT = Path(__file__).parents[2]
PLUGIN = "samples/allow_header/plugin.wasm"
TRAFFIC = "traces/traffic/allow_header.har"
_LINE = re.compile(r"\[[-\d]+ ([:.\d]+)\]\[(\d+)\]\[(\w+)\]\[(\w+)\] (?:\[([^\]]*)\] )?(.*)")


@pytest.fixture(scope="module")
def envoy_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a real Envoy writes, in its own format, of one request that is denied and one that passes."""
    plugin = Plugin("ns.http_auth", (ROOT / "samples/http_auth/plugin.wasm").read_bytes(), config=b"{}")
    path = tmp_path_factory.mktemp("envoy") / "proxy.log"
    with (
        Upstream.start() as upstream,
        Envoy.start(
            plugin, upstream=upstream.address, clusters={"auth": Cluster(upstream.address)}, log_format=""
        ) as envoy,
    ):
        for headers in ((), (("authorization", "good"),)):
            fetch(envoy.port, request("GET", "/", headers=headers))
            envoy.settle()
        path.write_bytes(envoy.raw_log())
    return path


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_real_log_becomes_a_trace(simwasm: Run, envoy_log: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = simwasm("import-envoy-log", str(envoy_log), "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert " crossings of `ns.http_auth` on thread " in done.stdout
    head, *calls = lines(out)
    assert head["plugins"] == [{"name": "ns.http_auth", "sha256": "", "abi": "0.2.1"}]
    said = [call["args"] for call in calls if call.get("call") == "proxy_log"]
    assert {"level": "INFO", "message": "auth answered 200"} in said
    resumed = next(call for call in calls if call.get("call") == "proxy_continue_stream")
    assert (resumed["context"], resumed["args"]) == (2, {"stream_type": "HTTP_REQUEST"})
    assert [call["outcome"] for call in calls if "outcome" in call] == [
        {"exchange": "2", "name": "stream 2", "local_reply": False},
        {"exchange": "3", "name": "stream 3", "local_reply": False},
    ]


def test_istios_form_of_the_same_lines_is_read_too(simwasm: Run, envoy_log: Path, tmp_path: Path) -> None:
    def istio(line: str) -> str:
        match = _LINE.fullmatch(line)
        if match is None:
            return line
        time, thread, level, component, source, text = match.groups()
        return f"2026-11-21T{time}000Z\t{level}\tenvoy {component} external/envoy/{source}\t{text}\tthread={thread}"

    there = tmp_path / "istio.log"
    there.write_text("\n".join(map(istio, envoy_log.read_text().splitlines())))
    traces = []
    for log in (envoy_log, there):
        out = tmp_path / f"{log.stem}.jsonl"
        assert simwasm("import-envoy-log", str(log), "-o", str(out)).returncode == 0
        traces.append([{**line, "at": 0} for line in lines(out)[1:]])
    assert traces[0] == traces[1]


def test_a_run_printed_as_envoy_does_is_the_same_trace_when_it_is_read(simwasm: Run, tmp_path: Path) -> None:
    log, trace, out = tmp_path / "run.log", tmp_path / "run.jsonl", tmp_path / "back.jsonl"
    done = simwasm("run", PLUGIN, TRAFFIC, "--format", "envoy", "--trace", str(trace))
    log.write_text(done.stdout)
    assert "[trace][wasm] [vm->host] env.proxy_send_local_response(403, 0, 0, " in done.stdout
    assert "[info][wasm] wasm log allow_header: #2 wasm-rust: on_http_request_headers" in done.stdout
    compared = simwasm(
        "import-envoy-log", str(log), "-o", str(out), "--plugin", PLUGIN, "--compare", str(trace)
    )
    assert compared.returncode == 0, compared.stdout
    assert "64 crossings of `allow_header` on thread 1 written to " in compared.stdout
    assert "no difference" in compared.stdout


def test_a_log_that_differs_is_shown_and_ends_with_1(simwasm: Run, envoy_log: Path, tmp_path: Path) -> None:
    trace = tmp_path / "run.jsonl"
    simwasm("run", PLUGIN, TRAFFIC, "--quiet", "--trace", str(trace))
    out = str(tmp_path / "out.jsonl")
    done = simwasm("import-envoy-log", str(envoy_log), "-o", out, "--compare", str(trace))
    assert done.returncode == 1
    assert (
        "+     proxy_http_call(upstream: ?, headers: ?, body: ?, trailers: ?, timeout_ms: 1000) = OK"
        in done.stdout
    )


def test_a_trap_is_read_with_the_frames_below_it(simwasm: Run, tmp_path: Path) -> None:
    log, out = tmp_path / "trap.log", tmp_path / "trap.jsonl"
    log.write_text(
        "[2026-11-21 06:30:27.498][9][trace][wasm] [a.cc:39] [host->vm] proxy_on_tick(1)\n"
        "[2026-11-21 06:30:27.498][9][trace][wasm] [a.cc:39] [vm->host] env.proxy_done()\n"
        "[2026-11-21 06:30:27.499][9][error][wasm] [a.cc:71] Function: proxy_on_tick failed: "
        "Uncaught RuntimeError: unreachable\nProxy-Wasm plugin in-VM backtrace:\n"
        "  0:  0x396 - unknown(function index:16)\n  1:  0x401 - tick\n"
    )
    assert simwasm("import-envoy-log", str(log), "-o", str(out)).returncode == 0
    trap = lines(out)[-1]["trap"]
    assert trap == {
        "kind": "unreachable",
        "detail": "",
        "frames": [
            {"function": 16, "name": "", "offset": 0x396},
            {"function": 0, "name": "tick", "offset": 0x401},
        ],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no line of a crossing. Run Envoy with --component-log-level wasm:trace"),
        ("\0\xff\n[2026-99-99 00:00:00.000][1][trace][wasm] [host->vm] malloc(1)\n", "has no line of a crossing"),
        ("[2026-11-21 06:30:27.498][1][trace][wasm] [host->vm] proxy_nope(1)\n", ":1: calls proxy_nope, which no "),
        ("[2026-11-21 06:30:27.498][1][trace][wasm] [host->vm] proxy_on_tick(1, 2)\n", ":1: proxy_on_tick has 1 words"),
    ],
)  # fmt: skip
def test_what_is_no_such_log_is_said_to_be_none(simwasm: Run, tmp_path: Path, text: str, said: str) -> None:
    log = tmp_path / "bad.log"
    log.write_bytes(text.encode("latin-1"))
    done = simwasm("import-envoy-log", str(log), "-o", str(tmp_path / "out.jsonl"))
    assert done.returncode == 2
    assert f"{log}" in done.stderr
    assert said in done.stderr


def test_a_log_that_begins_in_the_middle_of_a_call_is_read_from_there(simwasm: Run, tmp_path: Path) -> None:
    log, out = tmp_path / "cut.log", tmp_path / "cut.jsonl"
    log.write_text(
        "[2026-11-21 06:30:27.498][9][trace][wasm] [host<-vm] proxy_on_tick return: void\n"
        "[2026-11-21 06:30:27.498][9][trace][wasm] [host->vm] proxy_on_tick(1)\n"
    )
    assert simwasm("import-envoy-log", str(log), "-o", str(out)).returncode == 0
    assert [line.get("call") for line in lines(out)[1:]] == ["proxy_on_tick"]
