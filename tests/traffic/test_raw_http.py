"""HTTP/1.1 as it is on the wire: what belongs together, and what is refused since it could be read in two ways."""

from __future__ import annotations

import io

import pytest

from simwasm.exchange import Chunk, Exchange
from simwasm.traffic import http1_message
from simwasm.traffic.notes import Notes, telling
from simwasm.traffic.raw_http import MOST_WAITING, RawHttp

OK = "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"


def _read(text: str | bytes, notes: list[str] | None = None) -> list[Exchange]:
    data = text.encode() if isinstance(text, str) else text
    heard = telling(notes.append) if notes is not None else Notes()
    return list(RawHttp().read(io.BytesIO(data), "day.raw", heard))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_request_and_its_response_are_an_exchange(end: str) -> None:
    text = f"\nPOST /a?b HTTP/1.1\nHost: shop.example\nX-A:  1 \nContent-Length: 3\n\nabc\n{OK}\n".replace(
        "\n", end
    )
    (exchange,) = _read(text)
    assert exchange.request.headers == (
        (":authority", "shop.example"),
        (":path", "/a?b"),
        (":method", "POST"),
        (":scheme", "http"),
        ("x-a", "1"),
        ("content-length", "3"),
    )
    assert exchange.request.data == b"abc"
    assert exchange.response is not None
    assert (exchange.response.header(":status"), exchange.response.data) == ("200", b"hi")


def test_chunks_and_trailers_are_kept() -> None:
    text = "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n2;x=1\nde\n0\nX-Sum: 7\n\n"
    notes: list[str] = []
    (exchange,) = _read(text, notes)
    assert exchange.request.body == (Chunk(b"abc"), Chunk(b"de"))
    assert exchange.request.trailers == (("x-sum", "7"),)
    assert notes == ["day.raw, request 1: chunk extensions"]


def test_a_body_of_no_chunks_is_there_and_empty() -> None:
    (exchange,) = _read("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n")
    assert exchange.request.body == (Chunk(b""),)


def test_pipelined_requests_find_their_responses() -> None:
    requests = "".join(f"GET /{number} HTTP/1.1\nHost: a\n\n" for number in (1, 2, 3))
    found = _read(f"{requests}HTTP/1.1 201 A\nContent-Length: 0\n\nHTTP/1.1 202 B\nContent-Length: 0\n\n")
    answers = [
        (one.request.header(":path"), one.response and one.response.header(":status")) for one in found
    ]
    assert answers == [("/1", "201"), ("/2", "202"), ("/3", None)]


def test_only_so_many_requests_wait_for_a_response() -> None:
    text = "GET / HTTP/1.1\nHost: a\n\n" * (MOST_WAITING + 5)
    reading = RawHttp().read(io.BytesIO(text.encode()), "x", Notes())
    assert next(reading).id == "1"


def test_a_response_without_a_length_goes_to_the_end() -> None:
    (exchange,) = _read("GET / HTTP/1.0\n\nHTTP/1.0 200 OK\n\nall\nof it\n")
    assert exchange.response is not None
    assert exchange.response.data == b"all\nof it\n"
    assert exchange.connection.protocol == "HTTP/1.0"


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "304 Not Modified"), ("GET", "204 No Content")]
)
def test_what_has_no_body_by_definition_has_none(method: str, status: str) -> None:
    found = _read(f"{method} / HTTP/1.1\nHost: a\n\nHTTP/1.1 {status}\nContent-Length: 5\n\n{OK}", [])
    assert [one.response and one.response.data for one in found] == [b""]


def test_an_absolute_address_says_where_to() -> None:
    (exchange,) = _read("GET https://b:8443/x%20y?z HTTP/1.1\nHost: a\n\n")
    assert exchange.request.headers == (
        (":authority", "b:8443"),
        (":path", "/x%20y?z"),
        (":method", "GET"),
        (":scheme", "https"),
    )
    assert exchange.connection.destination == "127.0.0.1:8443"


GOOD = "GET /good HTTP/1.1\nHost: a\n\n"
REFUSED = {
    "POST / HTTP/1.1\nHost: a\nContent-Length: 4\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n": (
        "line 1, byte 0: request 1: it tells a length next to its chunks"
    ),
    "POST / HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 2\n\nab\n": "it has different lengths: 1, 2",
    "POST / HTTP/1.1\nHost: a\nContent-Length: +1\n\na\n": "its content-length is `+1`, which is no number",
    "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\nab\n": "only chunked is read here",
    "POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n": "which HTTP/1.0 does not know",
    "GET / HTTP/1.1\nHost : a\n\n": "`Host : a` is not a header",
    "GET / HTTP/1.1\nHost: a\nX: 1\n 2\n\n": "` 2` goes on with the header before: join the lines",
    "GET / HTTP/1.1\nHost: a\nHost: b\n\n": "it has more than one Host",
    "GET / HTTP/1.1\nX: a\n\n": "it has no Host",
    "GET / HTTP/1.1\nHost: a\nX: \0\n\n": "holds a character that no header can",
    "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabcd\n0\n\n": "its size is wrong",
    "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0x3\nabc\n0\n\n": "`0x3` is not the size of a chunk",
    "POST / HTTP/1.1\nHost: a\n\n{}\n": "`{}` begins neither a request nor a response",
    f"GET / HTTP/1.1\nHost: a\nX: {'y' * (1 << 20)}\n\n": "a line of more than 1,048,576 bytes",
    "GET / HTTP/1.1\nHost: a\n" + "x: 1\n" * 10_001 + "\n": "there are more headers than anybody sends",
    "nonsense\n": "`nonsense` begins neither a request nor a response",
}


@pytest.mark.parametrize(("text", "why"), REFUSED.items(), ids=list(REFUSED.values()))
def test_what_is_wrong_is_told_and_the_rest_is_read(text: str, why: str) -> None:
    notes: list[str] = []
    found = _read(text + GOOD, notes)
    assert found[-1].label == "GET /good"
    assert why in notes[0]
    assert notes[0].startswith("day.raw, line ")


def test_the_response_of_a_refused_request_goes_with_it() -> None:
    found = _read(f"GET / HTTP/1.1\nHost : a\n\n{OK}\n{GOOD}HTTP/1.1 404 No\nContent-Length: 0\n\n", [])
    assert [(one.label, one.response and one.response.header(":status")) for one in found] == [
        ("GET /good", "404")
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{GOOD}GET /cut HTTP/1.1\nHos", "line 4, byte 28: request 2: the file is cut in its headers"),
        (
            f"{GOOD}POST /cut HTTP/1.1\nHost: a\nContent-Length: 9\n\nabc",
            "in its body: 3 of 9 bytes are there",
        ),
        (
            f"{GOOD}{OK[:-1]}",
            "the response to request 1: the file is cut in its body: 1 of 2 bytes are there",
        ),
    ],
)
def test_what_comes_before_a_cut_is_read(text: str, why: str) -> None:
    notes: list[str] = []
    assert [one.label for one in _read(text, notes)] == ["GET /good"]
    assert why in notes[0]


def test_what_is_no_exchange_is_told() -> None:
    notes: list[str] = []
    tunnel = "CONNECT a:443 HTTP/1.1\nHost: a\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n"
    text = f"{tunnel}{GOOD}HTTP/1.1 100 Continue\n\n{OK}\n{OK}"
    assert len(_read(text, notes)) == 1
    assert [note.partition(": ")[2] for note in notes] == [
        "CONNECT asks for a tunnel; left out",
        "an interim response (100); left out",
        "a response to no request before it; left out",
    ]


def test_a_body_that_is_too_large_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1_message, "LARGEST_BODY", 9)
    notes: list[str] = []
    text = f"POST / HTTP/1.1\nHost: a\nContent-Length: 10\n\n0123456789\n{GOOD}"
    assert [one.label for one in _read(text, notes)] == ["GET /good"]
    assert "its body has 10 bytes, and only 9 are read" in notes[0]
