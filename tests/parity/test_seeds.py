"""The two tutorials simwasm began with, told by Envoy and by simwasm: the same, and word for word what they promise."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from httpbin import app  # type: ignore[import-untyped]  # it has no types
from werkzeug.serving import make_server

from simwasm.answers import Server
from simwasm.engines import find
from simwasm.exchange import Exchange, Headers, Message, request
from simwasm.host.access_log import access_log_line
from simwasm.host.ports import Answer
from simwasm.parity.account import Account, Scenario, as_played
from simwasm.parity.bootstrap import UPSTREAM
from simwasm.parity.client import fetch
from simwasm.parity.compare import compare
from simwasm.parity.envoy import Envoy
from simwasm.parity.real import judge
from simwasm.parity.simulated import simulate
from simwasm.parity.upstream import Upstream
from simwasm.plugin import Plugin
from simwasm.session import Session

SAMPLES = Path(__file__).parents[2] / "samples"
NAME = "istio-system.header-authorization"
FORBIDDEN = b"Forbidden by ASM Wasm Plugin, rust version\n"
CURL = (("user-agent", "curl/8.9.0"), ("accept", "*/*"))


@pytest.fixture(scope="module")
def httpbin() -> Iterator[str]:
    """The address of an httpbin on loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def curl(path: str, headers: Headers = ()) -> Exchange:
    return Exchange(path, 0, request("GET", path, headers=(*CURL, *headers)), name=f"curl {path}")


def ask(server: Server, exchange: Exchange, sent: Message) -> Answer:
    """Ask httpbin, whichever host wants to know."""
    return server(sent)


def told(sample: str, exchange: Exchange, httpbin: str) -> Account:
    """What Envoy tells of an exchange, once simwasm has told the same."""
    plugin = Plugin(NAME, (SAMPLES / sample / "plugin.wasm").read_bytes())
    scenario = Scenario((plugin,), (exchange,), upstream=partial(ask, Server(httpbin)))
    envoy = judge(scenario)
    simwasm = simulate(as_played(scenario, envoy), find.engine())
    if differences := compare(simwasm, envoy):
        pytest.fail("\n\n".join(map(str, differences)), pytrace=False)
    return envoy


@pytest.fixture(scope="module")
def denied(envoy_binary: Path, httpbin: str) -> Account:
    return told("allow_header", curl("/status/418"), httpbin)


@pytest.fixture(scope="module")
def teapot(envoy_binary: Path, httpbin: str) -> Account:
    return told("allow_header", curl("/status/418", (("allow", "true"),)), httpbin)


@pytest.fixture(scope="module")
def hello(envoy_binary: Path, httpbin: str) -> Account:
    return told("service_name", curl("/orders?id=1"), httpbin)


def test_a_request_without_the_header_is_forbidden(denied: Account) -> None:
    client = denied.exchanges[0].client
    assert client is not None
    assert (client.header(":status"), client.data) == ("403", FORBIDDEN)


def test_a_forbidden_request_never_reaches_the_upstream(denied: Account) -> None:
    assert denied.exchanges[0].upstream == ()


def test_a_forbidden_request_leaves_the_two_log_lines_of_the_tutorial(denied: Account) -> None:
    assert [(line.level, line.source, line.text) for line in denied.exchanges[0].inside.logs] == [
        ("info", NAME, "#2 wasm-rust: on_http_request_headers"),
        ("info", NAME, "#2 wasm-rust: allow header not found or is not true, deny by default"),
    ]


def test_a_request_with_the_header_gets_the_teapot(teapot: Account) -> None:
    client = teapot.exchanges[0].client
    assert client is not None
    assert client.header(":status") == "418"
    assert b"-=[ teapot ]=-" in client.data


def test_the_upstream_sees_the_header_that_allowed_it(teapot: Account) -> None:
    (asked,) = teapot.exchanges[0].upstream
    assert asked.header("allow") == "true"


def test_the_service_name_plugin_answers_by_itself(hello: Account) -> None:
    client = hello.exchanges[0].client
    assert client is not None
    assert (client.header(":status"), client.data) == ("200", b"Hello from Wasm!\n")
    assert client.header("x-service-name") == "my-custom-service"
    assert hello.exchanges[0].upstream == ()


def test_the_service_name_plugin_logs_host_and_path(hello: Account) -> None:
    (line,) = hello.exchanges[0].inside.logs
    assert line.text == "Received request for: localhost /orders?id=1"


NOT_COMPARED = {
    "connection_termination_details": "not in the tutorial's line",
    "response_code_details": "not in the tutorial's line",
    "downstream_local_address": "ports",
    "downstream_remote_address": "ports",
    "duration": "time",
    "start_time": "time",
    "request_id": "random",
    "route_name": "a name of the configuration",
}


def test_the_access_log_line_of_a_forbidden_request_is_envoys(envoy_binary: Path) -> None:
    wasm = SAMPLES / "allow_header" / "plugin.wasm"
    exchange = curl("/status/418")
    with (
        Upstream.start() as upstream,
        Envoy.start(Plugin(NAME, wasm.read_bytes()), upstream=upstream.address, access_log=True) as envoy,
    ):
        fetch(envoy.port, exchange.request)
        envoy.settle()
        (row,) = envoy.access_log()
    with Session([Plugin(NAME, wasm.read_bytes())], engine=find.engine()) as session:
        (outcome,) = session.replay([exchange])
    line = json.loads(access_log_line(outcome, UPSTREAM, "-"))
    theirs = {
        name: "-" if value is None else str(value) for name, value in row.items() if name not in NOT_COMPARED
    }
    assert {name: value for name, value in line.items() if name not in NOT_COMPARED} == theirs
