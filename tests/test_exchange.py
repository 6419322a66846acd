"""Exchanges are plain values: what they keep, what the small constructors fill in."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwasm.exchange import Chunk, Connection, Exchange, Message, first, request, response, to_bytes, to_text


@given(st.binary())
def test_text_stands_for_any_bytes(data: bytes) -> None:
    assert to_bytes(to_text(data)) == data


def test_a_request_begins_with_its_pseudo_headers_as_envoy_orders_them() -> None:
    message = request("GET", "/status/418", host="httpbin", headers=[("Allow", "true")])
    assert message.headers == (
        (":authority", "httpbin"),
        (":path", "/status/418"),
        (":method", "GET"),
        (":scheme", "http"),
        ("allow", "true"),
    )


def test_a_message_without_a_body_has_no_chunk() -> None:
    assert request("GET", "/").body == ()


def test_a_body_in_one_piece_brings_its_length() -> None:
    message = response(200, body=b"hello")
    assert (message.body, message.header("content-length")) == ((Chunk(b"hello"),), "5")


def test_a_given_content_length_is_left_alone() -> None:
    message = request("POST", "/", headers=[("Content-Length", "9")], body=b"hello")
    assert [value for name, value in message.headers if name == "content-length"] == ["9"]


def test_a_body_in_pieces_keeps_them_and_claims_no_length() -> None:
    message = response(200, body=[b"he", b"", b"llo"])
    assert message.body == (Chunk(b"he"), Chunk(b""), Chunk(b"llo"))
    assert message.header("content-length") is None
    assert message.data == b"hello"


def test_the_first_of_several_values_is_found() -> None:
    assert first((("a", "1"), ("a", "2")), "a") == "1"
    assert first((("a", "1"),), "b") is None


@pytest.mark.parametrize(("name", "label"), [("", "GET /"), ("the teapot", "the teapot")])
def test_an_exchange_is_labelled_by_its_name_or_its_request_line(name: str, label: str) -> None:
    assert Exchange("1", 0, request("GET", "/"), name=name).label == label


def test_a_label_never_needs_pseudo_headers() -> None:
    assert Exchange("1", 0, Message(())).label == "? ?"


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Connection().id = 2  # type: ignore[misc]  # the point of the test
