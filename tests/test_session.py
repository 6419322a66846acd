"""Real plugins through a session, on every engine: what the client gets, what the upstream sees, what is logged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simwasm.answers import Clusters, Rule, Script
from simwasm.engines.engine import Engine
from simwasm.errors import LinkError, PluginError, Trap
from simwasm.exchange import Exchange, Message, request, response
from simwasm.host.outcome import LogLine, Outcome
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left, Trapped

ALLOW = ("allow", "true")
Sample = Callable[..., Plugin]


def play(engine: Engine, plugin: Plugin, *messages: Message | Exchange, **options: object) -> list[Outcome]:
    """Run messages through a plugin; an exchange brings its own answer."""
    given = [item if isinstance(item, Exchange) else Exchange("1", 0, item) for item in messages]
    with Session([plugin], engine=engine, **options) as session:  # type: ignore[arg-type]  # options of Session
        return list(session.replay(given))


@pytest.mark.parametrize(
    ("name", "language"),
    [("allow_header", "rust"), ("allow_header_go", "go"), ("allow_header_as", "as"), ("allow_header_c", "c")],
)
def test_the_same_plugin_from_four_toolchains_denies_alike(
    engine: Engine, sample: Sample, name: str, language: str
) -> None:
    log: list[LogLine] = []
    denied, allowed = play(
        engine,
        sample(name),
        request("GET", "/status/418"),
        Exchange("2", 0, request("GET", "/status/418", headers=[ALLOW]), response(418, body=b"teapot")),
        on_log=log.append,
    )
    assert denied.response is not None
    assert (denied.status, denied.request) == (403, None)
    assert denied.response.header("content-type") == "text/plain"
    assert denied.response.data.startswith(b"Forbidden by ASM Wasm Plugin, ")
    assert (allowed.status, allowed.local_reply) == (418, False)
    prefix = f"wasm log {name}: #"
    assert [line.text.removeprefix(prefix)[2:] for line in log if line.text.startswith(prefix)] == [
        f"wasm-{language}: on_http_request_headers",
        f"wasm-{language}: allow header not found or is not true, deny by default",
        f"wasm-{language}: on_http_request_headers",
    ]


def test_the_debug_build_does_what_the_release_does(engine: Engine, sample: Sample) -> None:
    (outcome,) = play(engine, sample("allow_header", "plugin.debug.wasm"), request("GET", "/"))
    assert outcome.status == 403


def test_service_name_answers_in_the_upstreams_place(engine: Engine, sample: Sample) -> None:
    (outcome,) = play(engine, sample("service_name"), request("GET", "/hello", host="shop.example"))
    assert outcome.response is not None
    assert (outcome.status, outcome.request) == (200, None)
    assert outcome.response.header("x-service-name") == "my-custom-service"
    assert outcome.response.data == b"Hello from Wasm!\n"
    assert [line.text for line in outcome.logs] == [
        "wasm log service_name: Received request for: shop.example /hello"
    ]


def test_response_body_is_changed_across_chunks(engine: Engine, sample: Sample) -> None:
    answer = response(200, headers=[("content-type", "text/plain")], body=[b"the sec", b"ret is ", b"out"])
    (outcome,) = play(engine, sample("response_body"), Exchange("1", 0, request("GET", "/"), answer))
    assert outcome.response is not None
    assert outcome.response.data == b"the [redacted] is out"


def test_config_loading_reads_its_configuration(engine: Engine, sample: Sample) -> None:
    plugin = sample("config_loading", config=b'{"header": "x-powered-by", "value": "simwasm"}')
    (outcome,) = play(engine, plugin, request("GET", "/"))
    assert outcome.response is not None
    assert outcome.response.header("x-powered-by") == "simwasm"


def test_a_configuration_that_is_refused_stops_the_start(engine: Engine, sample: Sample) -> None:
    with pytest.raises(PluginError, match="proxy_on_configure returned false"):
        play(engine, sample("config_loading", config=b"{"), request("GET", "/"))


@pytest.mark.parametrize(("answer", "status"), [(200, 200), (401, 403)])
def test_http_auth_asks_before_it_lets_pass(engine: Engine, sample: Sample, answer: int, status: int) -> None:
    auth = Clusters({"auth": Script("auth", (Rule((("authorization", "good"),), response(answer)),))})
    (outcome,) = play(
        engine,
        sample("http_auth"),
        request("GET", "/", headers=[("authorization", "good")]),
        clusters=auth.names,
        ask_cluster=auth.ask,
    )
    assert outcome.status == status


@pytest.mark.parametrize(("code", "status"), [("0", 200), ("7", 403)])
def test_grpc_auth_asks_before_it_lets_pass(engine: Engine, sample: Sample, code: str, status: int) -> None:
    answer = response(200, body=b"\0\0\0\0\0", trailers=[("grpc-status", code)])
    auth = Clusters({"grpc-auth": answer})
    (outcome,) = play(
        engine, sample("grpc_auth"), request("GET", "/"), clusters=auth.names, ask_cluster=auth.ask
    )
    assert outcome.status == status


def test_rate_limit_counts_and_the_tick_forgives(engine: Engine, sample: Sample) -> None:
    second = 10**9
    moments = [0, 0, 0, 0, 2 * second]
    outcomes = play(
        engine, sample("rate_limit"), *(Exchange(str(at), at, request("GET", "/")) for at in moments)
    )
    assert [outcome.status for outcome in outcomes] == [200, 200, 200, 429, 200]


def test_every_entry_is_closed_by_exactly_one_event(engine: Engine, sample: Sample) -> None:
    events: list[Event] = []
    play(engine, sample("allow_header_as"), request("GET", "/"), observers=[events.append])
    still_open: list[int] = []
    for event in events:
        if isinstance(event, Entered):
            still_open.append(event.seq)
        else:
            assert still_open.pop() == event.opened
    assert not still_open
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


def test_a_run_is_a_function_of_its_inputs(engine: Engine, sample: Sample) -> None:
    runs: list[list[Event]] = []
    for _ in range(2):
        events: list[Event] = []
        play(
            engine, sample("allow_header_go"), request("GET", "/", headers=[ALLOW]), observers=[events.append]
        )
        runs.append(events)
    assert runs[0] == runs[1]


def test_watching_does_not_change_what_happens(engine: Engine, sample: Sample) -> None:
    watched: list[Event] = []
    messages = (request("GET", "/"), request("POST", "/", headers=[ALLOW], body=[b"a", b"b"]))
    assert play(engine, sample("allow_header"), *messages) == play(
        engine, sample("allow_header"), *messages, observers=[watched.append]
    )
    assert any(isinstance(event, Left) for event in watched)
    assert not any(isinstance(event, Trapped) for event in watched)


def test_a_file_that_is_no_plugin_is_refused_with_its_reason(engine: Engine) -> None:
    bare = b"\0asm\1\0\0\0"
    with pytest.raises(LinkError, match="Missing or unknown Proxy-Wasm ABI version"):
        play(engine, Plugin("bare", bare), request("GET", "/"))


def test_too_little_fuel_is_a_trap_that_says_so(engine: Engine, sample: Sample) -> None:
    with pytest.raises(Trap, match="out of fuel"):
        play(engine, sample("allow_header"), request("GET", "/"), fuel=1)


def test_fuel_put_back_is_that_of_the_call_it_was_taken_in(engine: Engine, sample: Sample) -> None:
    with Session([sample("allow_header")], engine=engine) as session:
        (started,) = session.started
        fuel, vm = started.fuel, started.vm
        fuel.slice()
        state = fuel.state()
        fuel.slice()
        later = fuel.state()
        vm.calls += 1
        fuel.slice()
        fuel.restore(state)
        vm.calls -= 1
        fuel.slice()
        assert fuel.state() == later != state
