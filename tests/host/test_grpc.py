"""gRPC calls that cannot be made say why, and services are asked with what they have heard."""

from __future__ import annotations

from typing import Any

import pytest
from playbook import Guest, Play

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal, Remark
from simwasm.exchange import Exchange, Message, request
from simwasm.host.grpc_call import framed
from simwasm.host.ports import Callout, Data, Head, Heard, Piece, Service, Tail

OK = (":status", "200"), ("content-type", "application/grpc")


GET = Exchange("1", 0, request("GET", "/"))


def answers(*calls: tuple[Any, ...], clusters: Any = ("grpc",)) -> list[Any]:
    """What these host calls give, one after the other in one callback."""
    found: list[Any] = []

    def ask(guest: Guest, *args: object) -> int:
        found.extend(guest.call(name, *given) for name, *given in calls)
        return 0

    Play(Guest(on_request_headers=ask), clusters=clusters, callout=lambda callout: Message(OK)).run(GET)
    return found


@pytest.mark.parametrize(
    ("upstream", "status", "reason"),
    [
        (b"nope", Status.PARSE_FAILURE, "upstream: neither a GrpcService message nor the name of a cluster"),
        (b"\x0a\x06\x0a\x04nope", Status.INTERNAL_FAILURE, "upstream: there is no cluster `nope`, which proxy_on_"),
        (b"", Status.BAD_ARGUMENT, "upstream: this GrpcService names neither envoy_grpc nor google_grpc"),
        (b"noone", Status.INTERNAL_FAILURE, "upstream: the cluster `noone` has no healthy host"),
        (b"\x0a\x06\x0a\x04grpc\x2a\x0a\x0a\x05:path\x12\x01v", Status.BAD_ARGUMENT, "upstream: initial_metadata"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["grpc_call", "grpc_stream"])
def test_a_call_that_cannot_be_made_says_why(name: str, upstream: bytes, status: Status, reason: str) -> None:
    rest = (b"", 0) if name == "grpc_call" else ()
    (found,) = answers((name, upstream, "s", "m", (), *rest), clusters={"grpc": True, "noone": False})
    assert isinstance(found, Refusal)
    assert (found.status, found.reason[: len(reason)]) == (status, reason)


def test_numbers_of_other_things_are_told_apart_from_unknown_ones() -> None:
    other, unknown, cancelled = answers(
        ("grpc_send", 5, b"", False), ("grpc_send", 6, b"", False), ("grpc_cancel", 9)
    )
    assert [found.status for found in (other, unknown, cancelled)] == [
        Status.BAD_ARGUMENT, Status.NOT_FOUND, Status.NOT_FOUND,
    ]  # fmt: skip
    assert other.reason == "call_id: 5 is another kind's number: gRPC streams have 6, 10, …"
    assert unknown.reason.startswith("call_id: there is no gRPC call 6: it never was")


def test_a_message_behind_the_last_is_not_sent() -> None:
    *_, late = answers(
        ("grpc_stream", b"grpc", "s", "m", ()), ("grpc_send", 6, b"a", True), ("grpc_send", 6, b"b", False)
    )
    assert late == Remark(None, "nothing is sent on stream 6: the plugin has ended its side of it")


def test_a_service_is_asked_with_what_it_has_heard_so_far() -> None:
    heard: list[tuple[tuple[bytes, ...], bool, bool]] = []

    def service(said: Heard) -> tuple[Piece, ...]:
        heard.append((said.messages, said.ended, said.fresh))
        return (Head(OK), Data(framed(b"x")), Tail((("grpc-status", "0"),))) if said.ended else ()

    def answer(callout: Callout) -> Service:
        return service

    def ask(guest: Guest, *args: object) -> int:
        for name, *given in (
            ("grpc_stream", b"grpc", "s", "m", ()), ("grpc_send", 6, b"a", False), ("grpc_close", 6),
            ("grpc_call", b"grpc", "s", "m", (), b"one", 0),
        ):  # fmt: skip
            guest.call(name, *given)
        return 0

    Play(Guest(on_request_headers=ask), clusters=["grpc"], callout=answer).run(GET)
    opening = ((), False, False)
    stream = [opening, ((b"a",), False, True), ((b"a",), True, False)]
    assert heard == [*stream, opening, ((b"one",), True, True)]
