"""The root context: start and stop, configuration, ticks, queues, callouts."""

from __future__ import annotations

from typing import Any

import pytest
from playbook import Guest, Play, returns

from simwasm.abi.enums import BufferType, MapType, Status, StreamType
from simwasm.abi.status import Refusal
from simwasm.errors import PluginError, Trap, TrapKind
from simwasm.exchange import Exchange, Message, request, response
from simwasm.host.ports import Callout, Failure

GET = request("GET", "/")
CHECK = ((":method", "GET"), (":path", "/check"), (":authority", "auth"))


def test_a_plugin_starts_in_order_and_stops() -> None:
    names = ("on_context_create", "on_vm_start", "on_configure", "on_done", "on_delete")
    callbacks: dict[str, Any] = dict.fromkeys(names, returns(True))
    play = Play(Guest(config=b"12345", **callbacks)).start()
    play.stop()
    assert play.seen == [
        "on_context_create(1, 0)", "on_vm_start(1, 0)", "on_configure(1, 5)", "on_done(1)", "on_delete(1)",
    ]  # fmt: skip


@pytest.mark.parametrize("callback", ["on_vm_start", "on_configure"])
def test_a_plugin_that_says_no_at_the_start_is_an_error(callback: str) -> None:
    refusing: dict[str, Any] = {callback: returns(False)}
    with pytest.raises(PluginError, match=f"proxy_{callback} returned false"):
        Play(Guest(**refusing)).start()


def test_a_trap_at_the_start_is_the_error() -> None:
    def trap(guest: Guest, *args: object) -> bool:
        raise Trap(TrapKind.UNREACHABLE)

    with pytest.raises(Trap, match="unreachable"):
        Play(Guest(on_configure=trap)).start()


def test_the_configuration_is_there_while_it_is_configured() -> None:
    answers: list[Any] = []

    def read(guest: Guest, *args: object) -> bool:
        answers.append(guest.call("get_buffer_bytes", BufferType.PLUGIN_CONFIGURATION, 0, 100))
        return True

    Play(Guest(config=b"{}", on_vm_start=read, on_configure=read)).start()
    assert isinstance(answers[0], Refusal)
    assert (answers[0].status, answers[1]) == (Status.NOT_FOUND, b"{}")


def test_a_root_that_asks_to_wait_is_deleted_when_it_is_done() -> None:
    def tick(guest: Guest, *args: object) -> None:
        guest.call("done")

    play = Play(Guest(on_done=returns(False), on_delete=returns(None), on_tick=tick)).start()
    play.stop()
    assert play.seen[-1] == "on_done(1)"


def test_ticks_come_while_streams_are_open_and_stop_with_them() -> None:
    def configure(guest: Guest, *args: object) -> bool:
        guest.call("set_tick_period_milliseconds", 1000)
        return True

    play = Play(Guest(on_configure=configure, on_tick=returns(None)))
    play.run(Exchange("1", 0, GET, response(200, after_ns=2_500_000_000)))
    assert [seen for seen in play.seen if seen == "on_tick(1)"] == ["on_tick(1)"] * 2


def test_a_queue_notice_goes_to_whoever_registered_it() -> None:
    taken: list[Any] = []

    def configure(guest: Guest, *args: object) -> bool:
        guest.call("register_shared_queue", "work")
        return True

    def headers(guest: Guest, *args: object) -> int:
        queue = guest.call("resolve_shared_queue", "consumer", "work")
        guest.call("enqueue_shared_queue", queue, b"item")
        return 0

    def ready(guest: Guest, context: int, queue: int) -> None:
        taken.append(guest.call("dequeue_shared_queue", queue))

    consumer = Guest("consumer", vm_id="consumer", on_configure=configure, on_queue_ready=ready)
    Play(consumer, Guest("producer", on_request_headers=headers)).run(GET)
    assert taken == [b"item"]


def test_the_timer_says_when_a_plugin_is_asked_again_after_a_failure() -> None:
    def tick(guest: Guest, *args: object) -> None:
        raise Trap(TrapKind.UNREACHABLE)

    def configure(guest: Guest, *args: object) -> bool:
        guest.call("set_tick_period_milliseconds", 10)
        return True

    play = Play(Guest(on_configure=configure, on_tick=tick, on_request_headers=returns(0)))
    slow = Exchange("1", 0, GET, response(200, after_ns=10**9))
    play.run(slow)
    assert play.seen.count("on_tick(1)") == 1
    assert play.run(GET).status == 503


def asking(**more: Any) -> Guest:
    """A guest that pauses a request, asks `auth`, and continues whatever the answer."""

    def headers(guest: Guest, *args: object) -> int:
        guest.call("http_call", "auth", CHECK, b"", (), 1000)
        return 1

    def answered(guest: Guest, *args: object) -> None:
        guest.call("set_effective_context", 2)
        guest.call("continue_stream", StreamType.HTTP_REQUEST)

    return Guest(**{"on_request_headers": headers, "on_http_call_response": answered} | more)


def answering(answer: Message | Failure) -> Any:
    return lambda callout: answer


def test_a_callout_is_asked_and_its_answer_resumes_the_stream() -> None:
    play = Play(asking(), clusters=["auth"], callout=answering(response(200, body=b"yes")))
    assert play.run(GET).status == 200
    assert play.seen == [
        "on_request_headers(2, 6, True)", "callout auth", "on_http_call_response(1, 4, 3, 3, 0)", "upstream",
    ]  # fmt: skip


def test_a_callout_carries_what_the_plugin_sent() -> None:
    asked: list[Callout] = []

    def auth(callout: Callout) -> Message:
        asked.append(callout)
        return response(200)

    Play(asking(), clusters=["auth"], callout=auth).run(GET)
    assert asked[0].request.headers[:3] == CHECK
    assert (asked[0].id, asked[0].timeout_ms) == (4, 1000)


def test_a_callout_that_takes_too_long_is_a_504() -> None:
    seen: list[Any] = []

    def answered(guest: Guest, *args: object) -> None:
        seen.append(guest.call("get_header_map_value", MapType.HTTP_CALL_RESPONSE_HEADERS, ":status"))
        guest.call("set_effective_context", 2)
        guest.call("continue_stream", StreamType.HTTP_REQUEST)

    play = Play(
        asking(on_http_call_response=answered),
        clusters=["auth"],
        callout=answering(response(200, after_ns=2 * 10**9)),
    )
    play.run(GET)
    assert seen == ["504"]
    assert play.proxy.clock.now >= 10**9


@pytest.mark.parametrize(
    ("cluster", "headers", "status", "reason"),
    [
        ("nope", CHECK, Status.BAD_ARGUMENT, "there is no cluster `nope`; known are `auth`"),
        ("auth", CHECK[1:], Status.BAD_ARGUMENT, "`:method` is missing"),
        ("auth", (CHECK[0], *CHECK[2:]), Status.BAD_ARGUMENT, "`:path` is missing"),
        ("auth", CHECK[:2], Status.BAD_ARGUMENT, "`:authority` is missing"),
    ],
)
def test_a_callout_that_cannot_be_made_says_why(
    cluster: str, headers: tuple[tuple[str, str], ...], status: Status, reason: str
) -> None:
    answers: list[Any] = []

    def ask(guest: Guest, *args: object) -> int:
        answers.append(guest.call("http_call", cluster, headers, b"", (), 0))
        return 0

    Play(Guest(on_request_headers=ask), clusters=["auth"]).run(GET)
    assert isinstance(answers[0], Refusal)
    assert (answers[0].status, answers[0].reason.startswith(reason)) == (status, True)


def test_a_callouts_answer_can_only_be_read_in_its_callback() -> None:
    answers: list[Any] = []

    def read(guest: Guest, *args: object) -> int:
        answers.append(guest.call("get_buffer_bytes", BufferType.HTTP_CALL_RESPONSE_BODY, 0, 10))
        answers.append(guest.call("get_header_map_value", MapType.HTTP_CALL_RESPONSE_HEADERS, ":status"))
        return 0

    Play(
        asking(on_response_headers=read), clusters=["auth"], callout=answering(response(200, body=b"yes"))
    ).run(GET)
    assert isinstance(answers[0], Refusal)
    assert answers[0].status is Status.NOT_FOUND
    assert isinstance(answers[1], Refusal)


def test_a_stream_that_has_ended_cannot_be_acted_for() -> None:
    answers: list[Any] = []

    def answered(guest: Guest, *args: object) -> None:
        answers.append(guest.call("set_effective_context", 2))

    def headers(guest: Guest, *args: object) -> int:
        guest.call("http_call", "auth", CHECK, b"", (), 0)
        return 0

    Play(
        Guest(on_request_headers=headers, on_http_call_response=answered),
        clusters=["auth"],
        callout=answering(response(200, after_ns=10**9)),
    ).run(GET)
    assert isinstance(answers[0], Refusal)
    assert answers[0].reason == "there is no context 2: it never was, or its stream has ended"


def test_properties_are_found_or_explained() -> None:
    answers: dict[str, Any] = {}

    def headers(guest: Guest, *args: object) -> int:
        for path in (
            "request.path",
            "request.headers.accept",
            "source.port",
            "plugin_name",
            "node",
            "request",
            "x",
        ):
            answers[path] = guest.call("get_property", tuple(path.split(".")))
        guest.call("set_property", ("mine",), b"\x01")
        answers["mine"] = guest.call("get_property", ("mine",))
        return 0

    Play(Guest("named", on_request_headers=headers)).run(
        Exchange("1", 0, request("GET", "/p?q=1", headers=[("accept", "a"), ("accept", "b")]))
    )
    assert answers["request.path"] == b"/p?q=1"
    assert answers["request.headers.accept"] == b"a,b"
    assert answers["source.port"] == (50000).to_bytes(8, "little")
    assert answers["plugin_name"] == b"named"
    assert answers["mine"] == b"\x01"
    assert answers["node"].reason == "`node` is gone since Envoy 1.33: ask for `xds.node`"
    assert answers["request"].status is Status.SERIALIZATION_FAILURE
    assert answers["x"].status is Status.NOT_FOUND
