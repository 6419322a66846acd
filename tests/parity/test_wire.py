"""Client and upstream, face to face: every byte is as told, every end is reported."""

from __future__ import annotations

import pytest

from simwasm.errors import InputError
from simwasm.exchange import Chunk, Message, request, response
from simwasm.parity.client import End, fetch
from simwasm.parity.upstream import Cut, Failure, Received, Reply, Upstream


def ask(reply: Reply, method: str = "GET") -> tuple[End, int | None, bytes]:
    """How a reply ends, its status and its body."""
    with Upstream.start(reply) as upstream:
        answer = fetch(upstream.address[1], request(method, "/"), timeout=0.3)
    return answer.end, answer.status, answer.body


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (response(200, body=b"ok"), (End.COMPLETE, 200, b"ok")),
        (response(200, body=[b"o", b"k"]), (End.COMPLETE, 200, b"ok")),
        (response(204), (End.COMPLETE, 204, b"")),
        (response(200), (End.COMPLETE, 200, b"")),
        (Cut(response(200, body=[b"half"])), (End.RESET, 200, b"half")),
        (Cut(response(200, headers=[("content-length", "9")], body=b"half")), (End.RESET, 200, b"half")),
        (Failure.RESET, (End.RESET, None, b"")),
        (Failure.SILENCE, (End.TIMEOUT, None, b"")),
    ],
)
def test_an_answer_is_reported_as_it_ends(reply: Reply, outcome: tuple[End, int | None, bytes]) -> None:
    assert ask(reply) == outcome


def test_a_head_request_gets_headers_only() -> None:
    assert ask(response(200, body=b"ok"), "HEAD") == (End.COMPLETE, 200, b"")


def test_a_request_arrives_verbatim() -> None:
    message = Message(
        (
            (":method", "POST"),
            (":path", "/A?b"),
            (":authority", "h"),
            ("X-Twice", "1"),
            ("x-twice", "é\udcff"),
        ),
        (Chunk(b"one"), Chunk(b"two")),
        (("x-t", "1"),),
    )
    with Upstream.start() as upstream:
        fetch(upstream.address[1], message)
        (received,) = upstream.requests()
    headers = (("host", "h"), ("X-Twice", "1"), ("x-twice", "é\udcff"), ("transfer-encoding", "chunked"))
    assert received == Received("POST /A?b HTTP/1.1", headers, message.body, message.trailers)


def test_a_received_request_reads_as_envoys_codec_hands_it_on() -> None:
    received = Received("GET /p HTTP/1.1", (("Host", "h"), ("X-A", "1")))
    assert received.message.headers == (
        (":authority", "h"),
        (":path", "/p"),
        (":method", "GET"),
        ("x-a", "1"),
    )


def test_a_script_answers_by_request() -> None:
    with Upstream.start(lambda received: response(200, body=received.line.encode())) as upstream:
        assert fetch(upstream.address[1], request("GET", "/a")).body == b"GET /a HTTP/1.1"


def test_trailers_after_a_sized_body_are_an_input_error() -> None:
    message = request("POST", "/", body=b"x", trailers=[("x-t", "1")])
    with Upstream.start() as upstream, pytest.raises(InputError, match="no trailers after a content-length"):
        fetch(upstream.address[1], message)
