"""What is seen of the host at a stop: real plugins, looked at from inside their calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stops import Standing, visit
from switchboard import (
    CALL_RESPONSE,
    LOG,
    OUT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    STREAM,
    Call,
    Case,
    Read,
    pairs,
    switchboard,
)

from simwasm.abi.enums import BufferType, MapType, MetricType
from simwasm.debug.state import State, changes
from simwasm.engines.engine import Engine
from simwasm.exchange import Exchange, request, response
from simwasm.host.lane import Held
from simwasm.plugin import FailPolicy, Plugin

Sample = Callable[..., Plugin]
REQUEST, RESPONSE = MapType.HTTP_REQUEST_HEADERS, MapType.HTTP_RESPONSE_HEADERS
MS = 1_000_000


def states(engine: Engine, case: Case, *names: str, **options: Any) -> list[State]:
    """The states at these events of a switchboard's case."""
    found: list[State] = []
    plugin = Plugin("board", switchboard([case]))

    def look(standing: Standing) -> None:
        found.append(standing.state)

    visit(engine, plugin, [case.exchange(0)], dict.fromkeys(names, look), **options)
    return found


class TestChanges:
    def test_a_new_value_is_a_change_of_its_header(self) -> None:
        found = changes((("a", "1"), ("b", "2")), (("a", "1"), ("b", "3")))
        assert found == ((" ", "a", "1", "1"), ("~", "b", "2", "3"))

    def test_what_is_gone_stays_behind_what_it_stood_behind(self) -> None:
        found = changes((("a", "1"), ("b", "2"), ("c", "3")), (("a", "1"), ("c", "3"), ("d", "4")))
        assert [(mark, name) for mark, name, _, _ in found] == [
            (" ", "a"),
            ("-", "b"),
            (" ", "c"),
            ("+", "d"),
        ]

    def test_of_duplicates_the_equal_ones_belong_together(self) -> None:
        found = changes((("x", "1"), ("x", "2")), (("x", "2"),))
        assert found == (("-", "x", "1", None), (" ", "x", "2", "2"))

    def test_a_header_that_was_replaced_stands_where_it_is_now(self) -> None:
        found = changes((("x", "1"), ("y", "2")), (("y", "2"), ("x", "9")))
        assert found == ((" ", "y", "2", "2"), ("~", "x", "1", "9"))

    def test_nothing_of_many_headers_is_lost(self) -> None:
        old = tuple((f"n{i % 7}", str(i)) for i in range(3_000))
        new = old[::3]
        found = changes(old, new)
        assert [(name, value) for _, name, _, value in found if value is not None] == list(new)
        assert [(name, value) for _, name, value, _ in found if value is not None] != []
        assert sum(mark == "-" for mark, *_ in found) == 2_000


class TestWhere:
    def test_it_tells_the_call_its_exchange_and_the_plugin(self, engine: Engine, sample: Sample) -> None:
        seen: list[State] = []
        visit(
            engine,
            sample("allow_header"),
            [request("GET", "/x")],
            {"proxy_send_local_response": lambda standing: seen.append(standing.state)},
        )
        where = seen[0].where
        assert (where.vm, where.callback, where.call) == (
            "allow_header",
            "proxy_on_request_headers",
            "proxy_send_local_response",
        )
        assert (where.exchange, where.label, where.root) == (1, "GET /x", False)

    def test_a_root_that_acts_for_an_exchange_shows_the_exchange(self, engine: Engine) -> None:
        case = Case(
            "acts",
            {
                REQUEST_HEADERS: [("proxy_http_call", "auth", CALL, "", b"", 1000, OUT)],
                CALL_RESPONSE: [
                    ("proxy_set_effective_context", STREAM),
                    ("proxy_get_header_map_value", 0, ":path", OUT, OUT),
                ],
            },
            {REQUEST_HEADERS: 1},
        )
        before, after, *_ = states(
            engine, case, "proxy_set_effective_context", "-proxy_set_effective_context", **AUTH
        )
        assert (before.where.acting, before.where.exchange) == (1, 0)
        assert (after.where.context, after.where.acting, after.where.exchange) == (1, 2, 1)
        assert after.where.callback == CALL_RESPONSE

    def test_reading_changes_nothing(self, engine: Engine) -> None:
        case = Case(
            "quiet", {REQUEST_HEADERS: [("proxy_log", 2, "x")], REQUEST_BODY: [("proxy_log", 2, "y")]}
        )
        posted = Case(case.name, case.calls, sent=request("POST", "/", body=b"abc"))
        looked = states(engine, posted, "proxy_log")
        plain = visit(engine, Plugin("board", switchboard([posted])), [posted.exchange(0)], {})
        again = visit(
            engine,
            Plugin("board", switchboard([posted])),
            [posted.exchange(0)],
            {"proxy_log": lambda standing: (standing.state, standing.state)},
        )
        assert looked
        assert [outcome[:6] for outcome in again] == [outcome[:6] for outcome in plain]


CALL = pairs((":method", "GET"), (":path", "/check"), (":authority", "auth"))


AUTH: dict[str, Any] = {
    "clusters": {"auth"},
    "ask_cluster": lambda callout: response(200, body=b"fine", after_ns=12 * MS),
}


class TestMaps:
    def test_in_its_callback_a_map_can_be_read_and_written(self, engine: Engine) -> None:
        case = Case("reads", {REQUEST_HEADERS: [("proxy_log", 2, "x")]})
        (state,) = states(engine, case, "proxy_log")
        found = state.map(REQUEST)
        assert found is not None
        assert (":path", "/a?b") in found.entries
        assert (found.read.allowed, found.write.allowed) == (True, True)

    def test_a_map_out_of_reach_is_shown_with_the_reason(self, engine: Engine) -> None:
        case = Case("late", {RESPONSE_HEADERS: [("proxy_log", 2, "x")]})
        (state,) = states(engine, case, "proxy_log")
        found = state.map(REQUEST)
        assert found is not None
        assert (found.there, found.read.allowed) == (True, False)
        assert ("x-a", "1") in found.entries
        assert found.read.why == (
            "HTTP_REQUEST_HEADERS is not available here; it is there in proxy_on_request_headers, until it returns "
            "Continue, and in proxy_on_log"
        )

    def test_in_the_log_callback_maps_can_only_be_read(self, engine: Engine) -> None:
        case = Case("logs", {LOG: [("proxy_log", 2, "x")]})
        (state,) = states(engine, case, "proxy_log")
        found = state.map(RESPONSE)
        assert found is not None
        assert found.read.allowed
        assert found.write == (False, "nothing can be written in proxy_on_log")

    def test_trailers_may_be_written_in_the_last_body_callback_and_looking_makes_none(
        self, engine: Engine
    ) -> None:
        case = Case("ends", {REQUEST_BODY: [("proxy_log", 2, "x")]}, sent=request("POST", "/", body=b"abc"))
        *_, state = states(engine, case, "proxy_log")
        found = state.map(MapType.HTTP_REQUEST_TRAILERS)
        assert found is not None
        assert (found.there, found.write.allowed) == (False, True)

    def test_the_answer_of_a_callout_is_there_in_its_callback(self, engine: Engine, sample: Sample) -> None:
        seen: list[State] = []
        visit(
            engine,
            sample("http_auth"),
            [request("GET", "/", headers=[("authorization", "x")])],
            {CALL_RESPONSE: lambda standing: seen.append(standing.state)},
            **AUTH,
        )
        found, body = (
            seen[0].map(MapType.HTTP_CALL_RESPONSE_HEADERS),
            seen[0].body(BufferType.HTTP_CALL_RESPONSE_BODY),
        )
        assert found is not None
        assert body is not None
        assert (":status", "200") in found.entries
        assert found.write == (False, "HTTP_CALL_RESPONSE_HEADERS cannot be written")
        assert (body.data, body.write.allowed) == (b"fine", False)


class TestBodies:
    def test_a_chunk_is_read_only_in_its_callback(self, engine: Engine) -> None:
        sent = request("POST", "/", body=[b"abc", b"de"])
        case = Case(
            "body",
            {REQUEST_HEADERS: [("proxy_log", 2, "h")], REQUEST_BODY: [("proxy_log", 2, "b")]},
            sent=sent,
        )
        before, first, second, *_ = [
            state.body(BufferType.HTTP_REQUEST_BODY) for state in states(engine, case, "proxy_log")
        ]
        assert before is not None
        assert first is not None
        assert second is not None
        assert (before.read.allowed, before.received) == (False, 0)
        assert (first.data, first.read.allowed, first.received, first.ended) == (b"abc", True, 3, False)
        assert (second.data, second.received, second.sent) == (b"de", 5, 3)

    def test_after_pause_the_plugin_sees_all_that_is_held_back(self, engine: Engine) -> None:
        sent = request("POST", "/", body=[b"abc", b"de"])
        case = Case("hold", {REQUEST_BODY: [("proxy_log", 2, "b")]}, {REQUEST_BODY: 1}, sent=sent)
        found = [state.body(BufferType.HTTP_REQUEST_BODY) for state in states(engine, case, "proxy_log")]
        assert [(body.data, body.buffered) for body in found if body is not None][:2] == [
            (b"abc", b""),
            (b"abcde", b"abcde"),
        ]

    def test_the_configuration_is_there_while_the_plugin_is_configured(
        self, engine: Engine, sample: Sample
    ) -> None:
        config = b'{"header":"x-a","value":"1"}'
        seen: list[State] = []
        visit(
            engine,
            sample("config_loading", config=config, vm_config=b"ready"),
            [],
            {"proxy_on_configure": lambda standing: seen.append(standing.state)},
        )
        found = seen[0].body(BufferType.PLUGIN_CONFIGURATION)
        assert found is not None
        assert (found.data, found.write) == (config, (False, "a configuration cannot be written"))


class TestLanes:
    def test_every_plugin_of_the_chain_has_its_station(self, engine: Engine) -> None:
        case = Case("chain", {REQUEST_HEADERS: [("proxy_log", 2, "x")]}, {REQUEST_HEADERS: 1})
        wasm = switchboard([case])
        seen: list[State] = []
        go = Plugin("go", switchboard([Case("go", {RESPONSE_HEADERS: [("proxy_log", 2, "never")]})]))
        visit(
            engine,
            [go, Plugin("holder", wasm), Plugin("last", wasm)],
            [case.exchange(0), request("GET", "/")],
            {"-proxy_on_log": lambda standing: seen.append(standing.state)},
        )
        stream = seen[0].streams[0]
        assert [(each.plugin, each.held, each.headers_passed) for each in stream.request.stations] == [
            ("go", Held.NOTHING, True),
            ("holder", Held.ALL_WATERMARK, False),
            ("last", Held.NOTHING, False),
        ]
        assert [each.plugin for each in stream.response.stations] == ["last", "holder", "go"]

    def test_an_exchange_that_has_not_begun_is_only_counted(self, engine: Engine) -> None:
        case = Case("first", {REQUEST_HEADERS: [("proxy_log", 2, "x")]})
        later = Exchange("2", 10 * MS, case.exchange(0).request, response(200))
        seen: list[State] = []
        visit(
            engine,
            Plugin("board", switchboard([case])),
            [case.exchange(0), later],
            {"proxy_log": lambda standing: seen.append(standing.state)},
            together=True,
        )
        assert [(state.streams[0].exchange, len(state.streams), state.waiting) for state in seen] == [
            (1, 1, 1),
            (2, 1, 0),
        ]


class TestPending:
    def test_a_callout_in_flight_says_who_asked_and_when_the_answer_is_due(self, engine: Engine) -> None:
        case = Case(
            "asks",
            {
                REQUEST_HEADERS: [
                    ("proxy_set_tick_period_milliseconds", 5),
                    ("proxy_http_call", "auth", CALL, "", b"", 1000, OUT),
                    ("proxy_log", 2, "asked"),
                ]
            },
            {REQUEST_HEADERS: 1},
        )
        (state,) = states(engine, case, "proxy_log", **AUTH)
        (call,) = state.callouts
        assert (call.id, call.cluster, call.context, call.exchange, call.due_ns) == (4, "auth", 2, 1, None)
        assert [due.what for due in state.due] == ["callout 4 to `auth` is sent", "proxy_on_tick of `board`"]
        assert [(tick.vm, tick.period_ms, tick.due_ns) for tick in state.ticks] == [
            ("board", 5, state.now_ns + 5 * MS)
        ]

    def test_once_it_is_sent_the_answer_has_a_time(self, engine: Engine, sample: Sample) -> None:
        asking = request("GET", "/", headers=[("authorization", "x")])
        seen: list[State] = []
        visit(
            engine,
            sample("http_auth"),
            [Exchange("1", 0, asking), Exchange("2", 5 * MS, asking)],
            {CALL_RESPONSE: lambda standing: seen.append(standing.state)},
            together=True,
            **AUTH,
        )
        (call,) = seen[0].callouts
        assert (call.id, call.exchange, call.due_ns) == (8, 2, 17 * MS)
        assert seen[1].callouts == ()

    def test_what_waits_for_the_callback_to_return_is_told(self, engine: Engine, sample: Sample) -> None:
        seen: list[State] = []
        visit(
            engine,
            sample("allow_header"),
            [request("GET", "/")],
            {"-proxy_on_request_headers": lambda standing: seen.append(standing.state)},
        )
        assert [deed.text for deed in seen[0].deeds] == ["the local reply 403 of exchange #1"]


def test_shared_data_queues_and_metrics(engine: Engine) -> None:
    deeds: list[Call] = [
        ("proxy_set_shared_data", "k", "value", 0),
        ("proxy_define_metric", 0, "hits", OUT),
        ("proxy_register_shared_queue", "q", OUT),
        ("proxy_enqueue_shared_queue", Read(1), "item"),
        ("proxy_log", 2, "done"),
    ]
    (state,) = states(engine, Case("shares", {REQUEST_HEADERS: deeds}), "proxy_log")
    assert [(each.key, each.value) for each in state.shared] == [("k", b"value")]
    assert [(each.id, each.name, each.items) for each in state.queues] == [(1, "q", (b"item",))]
    assert [(each.kind, each.name, each.value, each.ids) for each in state.metrics] == [
        (MetricType.COUNTER, "hits", 0, (("board", 4),))
    ]
    assert "proxy_on_queue_ready(1) of `board`" in [due.what for due in state.due]


class TestProperties:
    @pytest.fixture
    def state(self, engine: Engine) -> State:
        case = Case("props", {REQUEST_HEADERS: [("proxy_set_property", "mine", "42"), ("proxy_log", 2, "x")]})
        return states(engine, case, "proxy_log")[0]

    def test_what_plugins_set_comes_first(self, state: State) -> None:
        assert (state.properties[0].name, state.properties[0].raw, state.properties[0].own) == (
            "mine",
            b"42",
            True,
        )

    def test_a_value_has_its_kind_and_its_bytes(self, state: State) -> None:
        found = {each.name: each for each in state.properties}
        assert (found["source.port"].kind, found["source.port"].value) == ("integer", 50000)
        assert found["source.port"].raw == (50000).to_bytes(8, "little")
        assert found["request.path"].value == "/a?b"

    def test_what_is_not_there_says_why(self, state: State) -> None:
        found = {each.name: each for each in state.properties}
        assert found["response.code"].why == "not available now: nothing has answered yet"
        assert found["request.duration"].why == "not available now: it is known once the exchange has ended"
        assert found["request.referer"].why == "not available now: the request does not have it"


def test_a_vm_that_trapped_says_by_what(engine: Engine) -> None:
    case = Case("traps", {REQUEST_HEADERS: [("unreachable",)]})
    other = Plugin("other", switchboard([Case("go", {RESPONSE_HEADERS: [("proxy_log", 2, "x")]})]))
    seen: list[State] = []
    broken = Plugin("broken", switchboard([case]), fail_policy=FailPolicy.FAIL_OPEN)
    visit(
        engine,
        [other, broken],
        [case.exchange(0)],
        {RESPONSE_HEADERS: lambda standing: seen.append(standing.state)},
    )
    vm = seen[0].vm("broken")
    assert vm is not None
    assert vm.failed.startswith("unreachable")
