"""Headers that are written as HTTP/1 has them."""

from __future__ import annotations

import pytest

from simwasm.config.tree import Place
from simwasm.errors import ConfigError
from simwasm.suites.google.http1 import read_headers

PLACE = Place("tests.textpb", 3, 5)
GET = (":method", "GET")

REQUESTS = {
    "GET /a?b=c HTTP/1.1\nHost: example.com\nMy-Header: 1": [
        GET, (":path", "/a?b=c"), (":authority", "example.com"), ("my-header", "1"),
    ],
    "GET / HTTP/1.1\r\nX:  a b \t\r\n\r\nnot a header: 1": [GET, (":path", "/"), ("x", "a b")],
    "\r\n\nGET /\nx:1\nX:2": [GET, (":path", "/"), ("x", "1"), ("x", "2")],
    "GET / HTTP/1.1\nX: a\n  b\n\tc\n": [GET, (":path", "/"), ("x", "a b c")],
    "GET / HTTP/1.1\nhost:\nx": [GET, (":path", "/"), ("host", ""), ("x", "")],
    "GET https://Example.com:8080/a?b HTTP/1.1\nHost: other\nx: 1": [
        GET, (":scheme", "https"), (":path", "/a?b"), (":authority", "example.com:8080"), ("x", "1"),
    ],
    "GET http://example.com:80#c HTTP/1.1": [
        GET, (":scheme", "http"), (":path", "/"), (":authority", "example.com"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", REQUESTS)
def test_a_request(text: str) -> None:
    assert read_headers(text, PLACE, request=True) == REQUESTS[text]


def test_a_response() -> None:
    text = "HTTP/1.1 403 Forbidden\nX-A: b: c\n"
    assert read_headers(text, PLACE, request=False) == [(":status", "403"), ("x-a", "b: c")]


@pytest.mark.parametrize("text", ["GET", "", "GET a HTTP/1.1", "GET //a HTTP/1.1", "GET /a#b HTTP/1.1",
                                  "GET /ä HTTP/1.1", "GET /a/../b HTTP/1.1", "GET http://[::1 HTTP/1.1"])  # fmt: skip
def test_what_no_request_begins_with_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^tests\.textpb:3:5: "):
        read_headers(text, PLACE, request=True)


@pytest.mark.parametrize("text", ["200 OK", "HTTP/1.1 OK", "HTTP/1.1", ""])
def test_what_no_response_begins_with_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"begins no response; write `HTTP/1\.1 200 OK`"):
        read_headers(text, PLACE, request=False)
