"""Suites with plugins of other kinds: network filters, ones that hang, queue, or write what no terminal should see."""

from __future__ import annotations

from pathlib import Path

from scripted import OUT, scripted
from under_test import DOWNSTREAM, NEW_CONNECTION, PASSES, UPSTREAM, Calls

from simwasm.reports.check import Check, Verdict
from simwasm.reports.report import Report, form
from simwasm.suites import play
from simwasm.suites.bench import Options
from simwasm.suites.run import Kept, run

HEADERS = "proxy_on_request_headers"


def played(
    folder: Path, text: str, calls: Calls, results: dict[str, int] | None = None, kept: Kept | None = None
) -> Check:
    """The one case of a suite with a scripted plugin."""
    (folder / "plugin.wasm").write_bytes(scripted(calls, results))
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    (case,) = play.cases_of(f"plugin: plugin.wasm\ncases:\n  - name: it\n{lines}", str(folder / "s.yaml"))
    return run(case, Options(), kept)


TALK = """network: true
talk:
  - {client: PING}
  - {upstream: {base64: UE9ORw==}, after: 2ms, close: end}
expect:
  body: PONG
  upstream: {body: PING}
  logs: [down]
  took: ">= 2ms"
  phases:
    - {callback: new_connection, action: continue}
    - {callback: downstream_data, action: continue, body: PING, logs: [down]}
    - {callback: upstream_data, body: PONG}"""


def test_a_connection_is_talked_on(tmp_path: Path) -> None:
    calls: Calls = {NEW_CONNECTION: [], UPSTREAM: [], DOWNSTREAM: [("proxy_log", 2, "down")]}
    check = played(tmp_path, TALK, calls, PASSES)
    assert check.verdict is Verdict.PASSED, check.details


def test_what_a_connection_carries_is_compared(tmp_path: Path) -> None:
    check = played(tmp_path, TALK.replace("body: PONG\n", "body: PANG\n"), dict.fromkeys(PASSES, ()), PASSES)
    assert (check.line, check.message.partition(" (and")[0]) == (9, 'body: expected "PANG", came "PONG"')


def test_a_request_that_hangs_is_told(tmp_path: Path) -> None:
    hanging = "request: GET /\nexpect: {hung: true, upstream: not called}"
    check = played(tmp_path, hanging, {HEADERS: []}, {HEADERS: 1})
    assert check.verdict is Verdict.PASSED, check.details
    check = played(tmp_path, hanging.replace("true", "false"), {HEADERS: []}, {HEADERS: 1})
    assert check.message.startswith("hung: ")


def test_what_a_plugin_keeps_is_compared(tmp_path: Path) -> None:
    calls: Calls = {
        "proxy_on_configure": [("proxy_register_shared_queue", "jobs", OUT)],
        HEADERS: [("proxy_set_shared_data", "key", "value", 0), ("proxy_enqueue_shared_queue", 1, "one")],
    }
    text = "request: GET /\nexpect: {shared_data: {key: value}, queues: {jobs: [one]}}"
    check = played(tmp_path, text, calls)
    assert check.verdict is Verdict.PASSED, check.details
    check = played(tmp_path, text.replace("[one]", "empty"), calls)
    assert check.message == 'queue jobs: expected nothing, came "one"'


def test_nothing_that_a_plugin_writes_gets_out_as_it_is(tmp_path: Path) -> None:
    calls: Calls = {HEADERS: [("proxy_log", 2, "\x1b[31m\n::error::\x07")]}
    text = 'request: GET /\nexpect: {logs: none, headers: {"x-\\u001b[31m": a}}'
    check = played(tmp_path, text, calls, kept=Kept(tmp_path / "kept"))
    for name in ("text", "tap", "github"):
        lines: list[str] = []
        report = Report(lines.append, form(name))
        report.add(check)
        report.end()
        assert lines
        assert not [line for line in lines if "\x1b" in line or "\x07" in line or line.strip() == "::error::"]


def test_a_wasm_plugin_in_yaml_is_a_plugin(tmp_path: Path) -> None:
    (tmp_path / "plugin.wasm").write_bytes(scripted({HEADERS: [("proxy_log", 2, "here")]}))
    (tmp_path / "auth.yaml").write_text(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: auth}\n"
        "spec: {url: file://plugin.wasm, failStrategy: FAIL_OPEN}\n"
    )
    text = "plugin: auth.yaml\ncases: [{name: a, request: GET /, expect: {logs: [here], status: 200}}]"
    (case,) = play.cases_of(text, str(tmp_path / "s.yaml"))
    check = run(case, Options())
    assert check.verdict is Verdict.PASSED, check.details


def test_what_is_no_module_is_told(tmp_path: Path) -> None:
    (tmp_path / "plugin.wasm").write_bytes(b"no module")
    (case,) = play.cases_of(
        "plugin: plugin.wasm\ncases: [{name: a, request: GET /}]", str(tmp_path / "s.yaml")
    )
    check = run(case, Options())
    assert check.verdict is Verdict.FAILED
    assert "plugin.wasm: not a Wasm module: it is text" in check.message
