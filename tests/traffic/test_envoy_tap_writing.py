"""What is written as a tap reads as it was, as far as a tap can carry it; protobuf's own library is the judge."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from simwasm.conversation import client, conversation, upstream
from simwasm.exchange import Chunk, Connection, Exchange, Message, Tls, request, response
from simwasm.protobuf import varint
from simwasm.traffic.envoy_tap import EnvoyTap
from simwasm.traffic.envoy_tap_writing import TAP_WRITERS, EnvoyTapWriter
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.notes import Notes
from simwasm.traffic.writer import chosen_writer

TRAFFIC = Path(__file__).parents[2] / "traces" / "traffic"
FORMS = {writer.formats[0]: writer for writer in TAP_WRITERS}
WHOLE = [name for name in FORMS if "streamed" not in name]
STREAMED = [name for name in FORMS if "streamed" in name]
ASKED = request("POST", "/cart", host="shop", headers=[("x-raw", "caf\udce9")], body=b"\0\xff")
ANSWERED = response(200, headers=[("x-e", "é")], body=b"ok", trailers=[("x-sum", "2")], after_ns=5_000_000)
SHOWN = Exchange("1", 10**18 + 1, ASKED, ANSWERED, Connection(1, "10.0.0.9:4711", "[::1]:80"))


def written(writer: EnvoyTapWriter, *exchanges: Exchange) -> tuple[bytes, list[str]]:
    """What is written, and what was told."""
    stream = io.BytesIO()
    told: list[str] = []
    writer.write(exchanges, stream, Notes(told.append))
    return stream.getvalue(), told


def reread(data: bytes) -> list[Exchange]:
    assert EnvoyTap().sniff(data[:4096])
    return list(EnvoyTap().read(io.BytesIO(data), "x", Notes()))


@pytest.mark.parametrize("form", WHOLE)
def test_a_whole_trace_carries_everything_but_pieces(form: str) -> None:
    data, told = written(FORMS[form], SHOWN)
    assert (reread(data), told) == ([SHOWN], [])


@pytest.mark.parametrize("form", STREAMED)
def test_segments_carry_pieces_but_no_times_and_no_addresses(form: str) -> None:
    pieces = ASKED._replace(body=(Chunk(b"a"), Chunk(b""), Chunk(b"b")), headers=ASKED.headers[:-1])
    exchange = Exchange("18446744073709551615", 0, pieces, ANSWERED._replace(after_ns=0))
    data, told = written(FORMS[form], exchange)
    assert (reread(data), told) == ([exchange], [])
    _, told = written(FORMS[form], SHOWN)
    assert [line.split(" (")[0] for line in told] == [
        "1 exchange: when they began",
        "1 exchange: how long responses took to begin",
        "1 exchange: addresses of client and server",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_many_stay_many_and_one_without_an_answer_has_none(form: str) -> None:
    asked = request("GET", "/")
    made = [
        Exchange(str(number), 0, asked, response(204) if number % 3 else None) for number in range(1, 300)
    ]
    data, told = written(FORMS[form], *made)
    found = reread(data)
    assert sorted(found, key=lambda exchange: int(exchange.id)) == made
    if "streamed" in form:
        what = "where they stood: without a response they come last"
        assert told == [f"99 exchanges: {what} (an Envoy tap has no place for it), first #3"]
    else:
        assert (found, told) == (made, [])


@pytest.mark.parametrize("form", FORMS)
def test_a_request_whose_headers_do_not_tell_its_end_stays_where_it_was(form: str) -> None:
    asked = request("POST", "/", body=b"x")
    made = [
        Exchange(str(number), 0, asked if number % 2 else request("GET", "/"), response(204))
        for number in range(1, 200)
    ]
    data, told = written(FORMS[form], *made)
    assert (reread(data), told) == (made, [])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("body", [b"", b"begun"])
def test_what_is_partial_stays_partial(form: str, body: bytes) -> None:
    exchange = Exchange("1", 0, request("GET", "/"), response(200, body=body), partial=True)
    data, _ = written(FORMS[form], exchange)
    assert reread(data) == [exchange]


@pytest.mark.parametrize("form", FORMS)
def test_a_tcp_connection_is_what_a_sockets_tap_would_write(form: str) -> None:
    talk = conversation(
        "7",
        (client(b"PING"), upstream(b"PONG", after_ns=3), upstream(after_ns=4, ends=True)),
        started_ns=10**18,
        connection=Connection(7, "10.0.0.9:4711", "10.0.0.1:80"),
    )
    data, told = written(FORMS[form], talk)
    assert (reread(data), told) == ([talk], [])


def test_what_cannot_be_carried_is_told() -> None:
    made = Exchange(
        "1",
        0,
        request("GET", "/", body=[b"a", b"b"]),
        connection=Connection(5, protocol="HTTP/2", tls=Tls(mtls=True)),
        name="first",
        early=True,
    )
    _, told = written(FORMS["tap"], made)
    assert [line.split(": ", 1)[1].split(" (")[0] for line in told] == [
        "names",
        "how bodies were cut into pieces",
        "that the upstream answers early",
        "the HTTP version",
        "details of TLS",
        "which connection they were on",
    ]


def test_a_suffix_or_a_name_chooses_the_form() -> None:
    assert chosen_writer("", "out.pb_length_delimited").formats[0] == "tap-pb"
    assert chosen_writer("", "out.tap.json.gz").formats[0] == "tap"
    assert chosen_writer("tap-streamed", "-").formats[0] == "tap-streamed"


@pytest.mark.parametrize("form", FORMS)
def test_protobufs_own_library_reads_it(form: str) -> None:
    exchanges = list(read_traffic(TRAFFIC / "http_auth.tap.jsonl"))
    data, _ = written(FORMS[form], *exchanges)
    wrapper = wrapper_class()
    messages = (
        [json_format.Parse(line, wrapper()) for line in data.splitlines()]
        if data.startswith(b"{")
        else [wrapper.FromString(message) for message in split(data)]
    )
    assert [path for message in messages for path in paths(message)] == [
        exchange.request.header(":path") for exchange in exchanges
    ]


def split(data: bytes) -> list[bytes]:
    at, found = 0, []
    while at < len(data):
        size, at = varint(data, at)
        found.append(data[at : at + size])
        at += size
    return found


def paths(message: Any) -> list[str]:
    headers = (
        message.http_buffered_trace.request.headers
        or message.http_streamed_trace_segment.request_headers.headers
    )
    return [header.value for header in headers if header.key == ":path"]


def wrapper_class() -> Any:
    """The class of `TraceWrapper`, with what is written of it."""
    file = descriptor_pb2.FileDescriptorProto(name="tap.proto", package="tap", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, declared in enumerate(fields.split(), 1):
            field, _, kind = declared.partition(":")
            many = kind.endswith("*")
            made = message.field.add(name=field, number=number, label=3 if many else 1)
            kind = kind.rstrip("*")
            if kind in KINDS:
                made.type = KINDS[kind]
            else:
                made.type, made.type_name = KINDS["message"], kind if kind.startswith(".") else f".tap.{kind}"
    pool = descriptor_pool.DescriptorPool()
    timestamp = descriptor_pb2.FileDescriptorProto(
        name="google/protobuf/timestamp.proto", package="google.protobuf", syntax="proto3"
    )
    time = timestamp.message_type.add(name="Timestamp")
    time.field.add(name="seconds", number=1, type=3, label=1)
    time.field.add(name="nanos", number=2, type=5, label=1)
    pool.Add(timestamp)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tap.TraceWrapper"))


KINDS: dict[str, Any] = {"message": 11, "string": 9, "bytes": 12, "bool": 8, "uint64": 4, "uint32": 13}
MESSAGES = {
    "HeaderValue": "key:string value:string raw_value:bytes",
    "HeaderMap": "headers:HeaderValue*",
    "Body": "as_bytes:bytes as_string:string truncated:bool",
    "SocketAddress": "protocol:uint32 address:string port_value:uint32",
    "Address": "socket_address:SocketAddress",
    "Connection": "local_address:Address remote_address:Address",
    "Message": "headers:HeaderValue* body:Body trailers:HeaderValue* "
    "headers_received_time:.google.protobuf.Timestamp",
    "HttpBufferedTrace": "request:Message response:Message downstream_connection:Connection",
    "HttpStreamedTraceSegment": "trace_id:uint64 request_headers:HeaderMap request_body_chunk:Body "
    "request_trailers:HeaderMap response_headers:HeaderMap response_body_chunk:Body response_trailers:HeaderMap",
    "TraceWrapper": "http_buffered_trace:HttpBufferedTrace http_streamed_trace_segment:HttpStreamedTraceSegment",
}
"""Envoy's protos, as far as they are written; a field's number is its place."""


@pytest.mark.parametrize("form", FORMS)
def test_values_that_a_tap_has_no_place_for_are_told_and_written_as_far_as_they_fit(form: str) -> None:
    """An id, a time and an address of any size: whoever made them up gets a file that can be read."""
    asked = request("GET", "/")
    odd = (
        Exchange("9" * 40, 10**40, asked, response(204, after_ns=10**30), Connection(source="unix:/x")),
        Exchange("-1", -5, asked, connection=Connection(source="a:" + "9" * 5000)),
        Exchange("3", 0, Message(())),
        conversation("٣", (client(b"a", after_ns=10**40),), started_ns=-(10**20)),
    )
    data, told = written(FORMS[form], *odd)
    assert len(reread(data)) == 3
    assert "1 exchange left out: requests without headers (an Envoy tap has no place for it), #3" in told
    assert any("addresses of client and server" in line for line in told)
    assert any("when they began" in line for line in told)
