"""simwasm's own JSON Lines keep everything an exchange holds, and refuse what they do not know."""

from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwasm.conversation import client, conversation, upstream
from simwasm.errors import TrafficError
from simwasm.exchange import Chunk, Connection, Exchange, Message, Tls, lower, request, response, to_text
from simwasm.traffic.jsonl import JsonLines, write
from simwasm.traffic.notes import Notes

HEAD = b'{"simwasm": "traffic", "format": 1}\n'

texts = st.binary(max_size=12).map(to_text)
times = st.integers(0, 10**20)
headers = st.lists(st.tuples(texts, texts), max_size=4).map(lower)
chunks = st.lists(st.builds(Chunk, st.binary(max_size=20), times), max_size=3).map(tuple)
messages = st.builds(Message, headers, chunks, headers, times)
sessions = st.builds(Tls, tls_version=texts, mtls=st.booleans(), subject_peer_certificate=texts)
connections = st.builds(
    Connection, st.integers(), texts, texts, texts, requested_server_name=texts, tls=st.none() | sessions
)
exchanges = st.builds(
    Exchange, texts, st.integers(), messages, st.none() | messages, connections, texts, st.booleans()
)


def read(data: bytes) -> list[Exchange]:
    return list(JsonLines().read(io.BytesIO(data), "a.jsonl", Notes()))


def written(*given: Exchange) -> bytes:
    stream = io.BytesIO()
    write(given, stream)
    return stream.getvalue()


@given(st.lists(exchanges, max_size=3))
def test_what_was_written_is_read_back_exactly(given: list[Exchange]) -> None:
    data = written(*given)
    assert read(data) == given
    assert data.decode().count("\n") == len(given) + 1


def test_what_has_its_default_value_is_left_out() -> None:
    assert written(Exchange("1", 0, Message(((":path", "/"),)))) == (
        HEAD + b'{"id": "1", "started_ns": 0, "request": {"headers": [[":path", "/"]]}}\n'
    )


def test_a_body_is_text_where_it_can_be() -> None:
    body = [b"caf\xc3\xa9", b"\xff"]
    line = json.loads(written(Exchange("1", 0, response(200, body=body))).splitlines()[1])
    assert line["request"]["body"] == ["café", {"base64": "/w=="}]


def test_a_byte_that_is_not_utf8_is_an_escape_in_the_file() -> None:
    data = written(Exchange("1", 0, Message((("x", to_text(b"caf\xc3\xa9 \xe9")),))))
    assert "café \\udce9".encode() in data


def test_names_written_by_hand_in_capitals_are_read_as_envoy_sees_them() -> None:
    (exchange,) = read(HEAD + b'{"id": "1", "request": {"headers": [["Allow", "true"]]}}')
    assert exchange.request.headers == (("allow", "true"),)


def test_blank_lines_windows_newlines_and_a_byte_order_mark_change_nothing() -> None:
    data = written(Exchange("1", 0, request("GET", "/")), Exchange("2", 0, request("GET", "/")))
    assert read(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n\r\n").rstrip()) == read(data)


def line(request: dict[str, object] | None = None, **members: object) -> bytes:
    return json.dumps({"id": "1", "request": {"headers": [], **(request or {})}} | members).encode()


WRONG = {
    b'{"id": "1"}': 'has no "request"',
    b'{"request": {"headers": []}}': 'has no "id"',
    line({"headers": [["a"]]}): "request.headers[0] must be a name and a value",
    line({"headers": [["a", 1]]}): "request.headers[0][1] must be text, but is a number: 1",
    line({"headers": [["a", "\ud800"]]}): "request.headers[0][1] has half of a surrogate pair",
    line(respnse={}): 'has the unknown key "respnse" (known: connection, early, id,',
    line({"body": ["a", {}]}): 'request.body[1] must have one of "text" and "base64"',
    line({"body": [{"base64": "*"}]}): "request.body[0].base64 is not base64",
    line({"after_ns": -1}): "request.after_ns must not be negative",
    line({"after_ns": 1.5}): "request.after_ns must be a whole number, but is a number: 1.5",
    line(connection={"tls": {"mtls": 1}}): "connection.tls.mtls must be true or false, but is a number: 1",
    line(connection={"ip": ""}): 'connection has the unknown key "ip"',
    line(id=1): "id must be text, but is a number: 1",
    b'{"id": "1", "id": "2"}': 'not JSON that can be used: the key "id" is given twice in one object',
    b"<html>": "not JSON at line 1, column 1",
    b"[" * 200_000: "nested too deeply",
}


@pytest.mark.parametrize(("bad", "what"), WRONG.items(), ids=[text[:50] for text in WRONG.values()])
def test_a_mistake_is_told_with_its_line_and_its_path(bad: bytes, what: str) -> None:
    with pytest.raises(TrafficError) as caught:
        read(HEAD + b"\n" + bad)
    assert str(caught.value).startswith(f"a.jsonl, line 3: {what}")
    assert str(caught.value).endswith("; mend the line by hand")


HEADS = {
    b'{"simwasm": "trace", "format": 1}': 'a.jsonl, line 1: simwasm must be "traffic" in a traffic file',
    b'{"simwasm": "traffic"}': 'a.jsonl, line 1: has no "format"',
    b'{"simwasm": "traffic", "format": 2}': "a.jsonl, line 1: format is 2, but this simwasm reads format 1",
    b'{"simwasm": "traffic", "format": true}': "a.jsonl, line 1: format must be a whole number, but is true",
}


@pytest.mark.parametrize(("head", "what"), HEADS.items())
def test_a_first_line_of_another_kind_is_refused(head: bytes, what: str) -> None:
    with pytest.raises(TrafficError) as caught:
        read(head)
    assert str(caught.value).startswith(what)


def test_lines_are_read_one_at_a_time() -> None:
    """A mistake further down does not keep the exchanges before it from being used."""
    good = written(Exchange("1", 0, request("GET", "/")))
    found = JsonLines().read(io.BytesIO(good + b"nonsense"), "a.jsonl", Notes())
    assert next(found).id == "1"
    with pytest.raises(TrafficError):
        next(found)


@pytest.mark.parametrize(
    ("head", "yes"), [(HEAD, True), (b'\xef\xbb\xbf{ "simwasm" :', True), (b'{"log"', False)]
)
def test_a_traffic_file_is_recognised_by_its_beginning(head: bytes, yes: bool) -> None:
    assert JsonLines().sniff(head) is yes


def test_a_connection_is_read_as_it_was_written() -> None:
    said = (client(b"PING\xff"), upstream(b"PONG", after_ns=5, ends=True), client(resets=True))
    talk = conversation("1", said, started_ns=7, connection=Connection(source="10.0.0.1:5"), name="a talk")
    nothing = conversation("2", (), refused=True)
    assert read(written(talk, nothing)) == [talk, nothing]


@pytest.mark.parametrize(
    ("piece", "wrong"),
    [
        ('{"client": "a", "upstream": "b"}', 'must have one of "client" and "upstream"'),
        ('{"client": "a", "close": "now"}', 'must be "end" or "reset"'),
        ('{"client": {"text": "a"}}', 'has the unknown key "text"'),
    ],
)
def test_a_slip_in_a_connection_is_told(piece: str, wrong: str) -> None:
    with pytest.raises(TrafficError, match=re.escape(wrong)):
        read(HEAD + f'{{"id": "1", "tcp": [{piece}]}}'.encode())
