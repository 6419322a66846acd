"""What Envoy's taps wrote is read in each of their forms; damaged taps are told, and read as far as they are good."""

from __future__ import annotations

import base64
import io
import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simwasm.conversation import Conversation
from simwasm.exchange import Exchange, Headers, Message
from simwasm.host.edge import received, request_for_filters, response_for_filters
from simwasm.traffic.envoy_tap import EnvoyTap
from simwasm.traffic.envoy_tap_streams import MOST_OPEN
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.notes import Notes

TRAFFIC = Path(__file__).parents[2] / "traces" / "traffic"
FOLDER = TRAFFIC / "tap"
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())
ADMIN = (FOLDER / "admin_streamed_bytes.json").read_bytes()
BUFFERED = (FOLDER / "admin_buffered_string.json").read_bytes()
GET: Headers = ((":authority", "a"), (":path", "/"), (":method", "GET"), (":scheme", "http"))
OK: Headers = ((":status", "200"), ("content-length", "2"))


def read(data: bytes, name: str = "x", told: list[str] | None = None) -> list[Exchange]:
    """Read a tap; what is told goes to a list."""
    heard = [] if told is None else told
    assert EnvoyTap().sniff(data[:4096])
    notes = Notes(heard.append, lambda error: heard.append(f"broken: {error}"))
    return list(EnvoyTap().read(io.BytesIO(data), name, notes))


def only(folder: str) -> Exchange:
    """The one exchange of a form."""
    (file,) = (FOLDER / folder).iterdir()
    (exchange,) = read(file.read_bytes(), file.name)
    return exchange


def labels(exchanges: Iterable[Exchange]) -> list[str]:
    return [exchange.label for exchange in exchanges]


def pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"key": name, "value": value} for name, value in headers]


def segment(stream: int, **piece: Any) -> bytes:
    return json.dumps({"http_streamed_trace_segment": {"trace_id": str(stream), **piece}}).encode() + b"\n"


def asked(stream: int, headers: Headers = GET) -> bytes:
    return segment(stream, request_headers={"headers": pairs(headers)})


def answered(stream: int, headers: Headers = OK) -> bytes:
    return segment(stream, response_headers={"headers": pairs(headers)})


def said(stream: int, data: bytes, **more: Any) -> bytes:
    return segment(stream, response_body_chunk={"as_bytes": base64.b64encode(data).decode(), **more})


def buffered(response: dict[str, Any] | None = None, **request: Any) -> bytes:
    """A whole trace in a line."""
    trace: dict[str, Any] = {"request": {"headers": pairs(GET), **request}}
    if response is not None:
        trace["response"] = {"headers": pairs(OK), **response}
    return json.dumps({"http_buffered_trace": trace}).encode() + b"\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.suffix}")
def test_what_envoy_wrote_is_read_whole(path: Path) -> None:
    told: list[str] = []
    exchanges = read(path.read_bytes(), path.name, told)
    assert len(exchanges) == (10 if path.name.startswith("admin") else 1)
    assert not [line for line in told if line.startswith("broken")]


@pytest.mark.parametrize("form", ["binary", "bytes", "delimited", "string", "text"])
def test_segments_keep_pieces_and_trailers_in_every_form(form: str) -> None:
    exchange = only(f"streamed_{form}")
    assert exchange.response is not None
    assert [chunk.data for chunk in exchange.request.body] == [b"first,", b"second,", b"third\n"]
    assert exchange.request.trailers == (("x-checksum", "7f3a"),)
    assert [chunk.data for chunk in exchange.response.body] == [b"one ", b"two ", b"three\n"]
    assert exchange.response.trailers == (("x-sum", "3"),)
    assert int(exchange.id) > 1 << 32


@pytest.mark.parametrize("form", ["binary", "delimited", "string", "text"])
def test_whole_traces_say_the_same_in_every_form(form: str) -> None:
    exchange = only(f"buffered_{form}")
    (plain,) = (found for found in read_traffic(FOLDER / "buffered_bytes") if found.id == exchange.id)
    assert plain.response is not None
    assert exchange.response is not None
    assert exchange.request == plain.request
    assert exchange.response._replace(after_ns=0) == plain.response._replace(after_ns=0)
    assert exchange.connection == plain.connection
    assert abs(exchange.started_ns - plain.started_ns) < 10**9
    assert exchange.connection.source != "127.0.0.1:50000"
    assert exchange.started_ns > 10**18


@pytest.mark.parametrize("form", ["binary", "bytes", "delimited", "string", "text"])
@pytest.mark.parametrize("kind", ["buffered", "streamed"])
def test_a_sockets_bytes_become_a_conversation(kind: str, form: str) -> None:
    talk = only(f"socket_{kind}_{form}")
    assert isinstance(talk, Conversation)
    assert talk.request.data.startswith(b"POST /upload HTTP/1.1\r\n")
    assert talk.request.data.endswith(b"x-checksum: 7f3a\r\n\r\n")
    assert talk.response is not None
    assert talk.response.data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert sum(piece.after_ns for piece in talk.pieces) > 0
    assert talk.connection.id == int(talk.id)


def test_the_admin_endpoints_streams_are_read_one_after_the_other() -> None:
    paths = ["/", "/upload", "/bytes", "/long", "/grpc", "/cut", "/down", "/silent", "/none", "/"]
    found = [exchange.request.header(":path") for exchange in read(BUFFERED)]
    assert found == paths
    assert {exchange.request.header(":path") for exchange in read(ADMIN)} == set(paths)


def test_a_stream_that_was_reset_is_partial_or_has_no_response() -> None:
    told: list[str] = []
    found = {exchange.request.header(":path"): exchange for exchange in read(BUFFERED, told=told)}
    cut, silent = found["/cut"], found["/silent"]
    assert cut.response is not None
    assert (cut.partial, cut.response.data, cut.response.header("content-length")) == (True, b"begun ", "6")
    assert silent.response is None
    assert told == [
        "x: #6: a body ended before its content-length, since the stream was reset; marked as partial",
        "x: #8: no response was seen before the stream ended",
    ]


def test_a_body_that_the_tap_cut_off_is_told_and_partial() -> None:
    told: list[str] = []
    body = {"as_string": "o", "truncated": True}
    exchanges = read(buffered({"body": body}) + buffered({"body": body}), told=told)
    assert [exchange.partial for exchange in exchanges] == [True, True]
    assert exchanges[0].response is not None
    assert exchanges[0].response.header("content-length") == "1"
    (line,) = told
    assert line.startswith(
        "x: 2 times, first in #1: a body was cut off where the tap's max_buffered_rx_bytes"
    )


def test_a_plugin_is_shown_by_a_whole_trace_what_a_streamed_tap_saw() -> None:
    """What Envoy adds behind the filters is among a whole trace's headers; a replay must not show it to them."""
    whole = only("buffered_binary")
    (file,) = (FOLDER / "streamed_bytes").iterdir()
    seen = {key: value for line in objects(file.read_text()) for key, value in line.items()}
    assert whole.response is not None
    shown = request_for_filters(whole.request.headers, whole.connection, Random(1))
    assert pairs(shown.entries) == plain(seen["request_headers"])
    answer = received(whole.response, "POST")
    shown = response_for_filters(answer.headers, int(whole.response.after_ns))
    without_time = [pair for pair in plain(seen["response_headers"]) if "service-time" not in pair["key"]]
    assert [pair for pair in pairs(shown.entries) if "service-time" not in pair["key"]] == without_time
    assert [pair["key"] for pair in pairs(shown.entries)][-1] == "x-envoy-upstream-service-time"


def objects(text: str) -> list[dict[str, Any]]:
    decode, at, found = json.JSONDecoder().raw_decode, 0, []
    while at < len(text.rstrip()):
        value, at = decode(text, at)
        found.append(value["http_streamed_trace_segment"])
        at += 1
    return found


def plain(found: dict[str, Any]) -> list[dict[str, str]]:
    return [{"key": header["key"], "value": header["value"]} for header in found["headers"]]


def test_what_the_router_and_the_connection_manager_add_is_left_to_the_host() -> None:
    request = (*GET, ("x-request-id", "r"), ("x-envoy-expected-rq-timeout-ms", "15000"))
    response = (
        *OK,
        ("server", "nginx"),
        ("x-envoy-upstream-service-time", "7"),
        ("date", "today"),
        ("server", "envoy"),
    )
    (exchange,) = read(buffered({"headers": pairs(response)}, headers=pairs(request)))
    assert exchange.request.headers == (*GET, ("x-request-id", "r"))
    assert exchange.response == Message(
        (*OK[:1], ("content-length", "0"), ("server", "nginx")), after_ns=7_000_000
    )


def test_envoys_own_reply_loses_what_the_connection_manager_adds() -> None:
    response = ((":status", "503"), ("date", "today"), ("server", "envoy"))
    (exchange,) = read(buffered({"headers": pairs(response)}))
    assert exchange.response == Message(((":status", "503"),))


def test_a_timeout_that_a_client_sent_stays() -> None:
    request = (*GET, ("x-envoy-expected-rq-timeout-ms", "1"), ("x-request-id", "r"))
    (exchange,) = read(buffered(headers=pairs(request)))
    assert exchange.request.headers == request


def test_other_spellings_of_json_say_the_same() -> None:
    expected = read(BUFFERED)
    lines = [json.dumps(value) for value in whole_objects(BUFFERED)]
    camel = BUFFERED.decode()
    for name in ("http_buffered_trace", "as_string", "raw_value", "headers_received_time"):
        camel = camel.replace(
            name, "".join(part.title() if at else part for at, part in enumerate(name.split("_")))
        )
    assert "httpBufferedTrace" in camel
    assert read(camel.encode()) == expected
    assert read("\n".join(lines).encode()) == expected
    assert read(f"[{','.join(lines)}]".encode()) == expected
    assert list(EnvoyTap().read(io.BytesIO(b"\xef\xbb\xbf" + BUFFERED), "x", Notes())) == expected


def whole_objects(data: bytes) -> list[Any]:
    text, at, found = data.decode(), 0, []
    while at < len(text.rstrip()):
        value, at = json.JSONDecoder().raw_decode(text, at)
        found.append(value)
        at += 1
    return found


def test_segments_of_several_streams_may_stand_mixed() -> None:
    mixed = asked(1) + asked(2) + answered(2) + answered(1) + said(1, b"o") + said(2, b"no") + said(1, b"k")
    found = {exchange.id: exchange.response for exchange in read(mixed)}
    assert {id: response and [chunk.data for chunk in response.body] for id, response in found.items()} == {
        "1": [b"o", b"k"],
        "2": [b"no"],
    }


def test_trailers_may_follow_all_the_bytes_that_were_promised() -> None:
    trailers = segment(1, response_trailers={"headers": pairs((("x-sum", "2"),))})
    (exchange,) = read(asked(1) + answered(1) + said(1, b"ok") + trailers)
    assert exchange.response is not None
    assert exchange.response.trailers == (("x-sum", "2"),)


def test_a_stream_that_seems_over_does_not_wait_for_the_end_of_the_file() -> None:
    """Somebody who looks at a running tap sees exchanges while it runs."""
    pipe = io.BytesIO(
        b"".join(asked(number) + answered(number) + said(number, b"ok") for number in range(1, 60))
    )
    first = next(EnvoyTap().read(pipe, "x", Notes()))
    assert first.id == "1"


def test_a_key_that_is_given_twice_is_told_and_the_next_is_read() -> None:
    twice = b'{"http_buffered_trace": {"request": {}, "request": {}}}'
    told: list[str] = []
    assert len(read(twice + b"\n" + BUFFERED, told=told)) == len(read(BUFFERED))
    what = 'JSON that cannot be used: the key "request" is given twice in one object'
    assert told[0] == (
        f"broken: x, entry 1 (which begins at byte 0): {what}, at byte 0; what stands around it is read"
    )


@pytest.mark.parametrize("form", ["buffered_bytes", "buffered_delimited", "buffered_text"])
def test_a_tap_is_read_while_it_runs(form: str) -> None:
    """What has come through a pipe is given, whatever may follow."""
    one = next((FOLDER / form).iterdir()).read_bytes()
    read_end, write_end = os.pipe()
    gives_up = threading.Timer(20, os.close, [write_end])
    gives_up.start()
    with open(read_end, "rb") as pipe:
        os.write(write_end, one * 12)
        exchanges = EnvoyTap().read(pipe, "x", Notes())
        for _ in range(12):
            next(exchanges)
        assert gives_up.is_alive()
        gives_up.cancel()
        os.close(write_end)
        assert list(exchanges) == []


def test_the_stream_that_was_silent_for_longest_goes_first_when_too_many_are_open() -> None:
    streams = range(1, MOST_OPEN + 2)
    data = b"".join(asked(stream) for stream in streams) + answered(1) + answered(2)
    told: list[str] = []
    found = read(data, told=told)
    assert len(found) == len(streams)
    assert (found[0].id, found[0].response) == ("1", None)
    assert any(
        "segments of streams that do not begin in this file, or that went on for too long" in t for t in told
    )


def test_a_number_that_is_used_again_is_another_stream() -> None:
    again = read(
        asked(7) + answered(7, ((":status", "201"),)) + asked(7) + answered(7, ((":status", "202"),))
    )
    assert [exchange.response and exchange.response.header(":status") for exchange in again] == ["201", "202"]


def test_a_broken_object_is_told_with_its_byte_and_the_next_is_read() -> None:
    good = buffered({})
    told: list[str] = []
    exchanges = read(good + b'{"http_buffered_trace": {"request" 1}}\n' + good, told=told)
    assert len(exchanges) == 2
    broken = [line for line in told if line.startswith("broken")]
    assert broken == [
        f"broken: x, entry 2 (which begins at byte {len(good)}): not JSON: Expecting ':' delimiter, "
        f"at byte {len(good) + 35}; what stands around it is read"
    ]


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        ({"headers": 5}, "the headers of request are no list of headers"),
        ({"headers": [{"key": 1, "value": ""}]}, "a header of request is no text"),
        ({"headers": []}, "a trace without the headers of a request"),
        ({"body": {"as_bytes": "!"}}, "bytes are no base64"),
        ({"body": []}, "a body is no object"),
        ({"headers_received_time": "soon"}, "a time is none"),
        ({"trailers": [{"key": "a", "value": "\ud800"}]}, "half of a surrogate pair"),
    ],
)
def test_values_that_are_none_are_told(request_: dict[str, Any], what: str) -> None:
    told: list[str] = []
    assert len(read(buffered(**request_) + buffered({}), told=told)) == 1
    (line,) = (line for line in told if line.startswith("broken"))
    assert what in line


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.parent.name.startswith(("streamed", "buffered"))],
    ids=lambda path: path.name,
)
def test_a_file_that_is_cut_is_told_with_the_place(path: Path) -> None:
    data = path.read_bytes()
    told: list[str] = []
    read(data[: len(data) - 20], path.name, told)
    assert any(line.startswith("broken: tap_") and "byte" in line for line in told)


def test_what_came_before_a_cut_is_read() -> None:
    (file,) = (FOLDER / "buffered_delimited").iterdir()
    one = file.read_bytes()
    for data in (one + one + one[:50], BUFFERED[: len(BUFFERED) // 2]):
        told: list[str] = []
        found = read(data, told=told)
        assert len(found) >= 2
        assert len([line for line in told if line.startswith("broken")]) == 1


def test_a_broken_message_of_protobuf_does_not_lose_the_next() -> None:
    (file,) = (FOLDER / "buffered_delimited").iterdir()
    one = file.read_bytes()
    told: list[str] = []
    assert labels(read(one + b"\x04\x0a\x7fab" + one, told=told)) == ["POST /upload"] * 2
    assert told == [
        f"broken: x, entry 2, byte {len(one)}: field 1 is longer than the message; what stands around it is read"
    ]


def test_bytes_that_got_lost_do_not_lose_the_messages_behind_them() -> None:
    """Lengths lead nowhere then; the next message is looked for, and all is told once."""
    one = next((FOLDER / "streamed_delimited").iterdir()).read_bytes()
    told: list[str] = []
    first, second = read(one + one[:100] + one[103:] + one.replace(b"/upload", b"/behind"), told=told)
    assert (first.label, second.label) == ("POST /upload", "POST /behind")
    assert len([line for line in told if line.startswith("broken")]) == 1


def test_a_length_that_somebody_made_up_takes_no_memory() -> None:
    (file,) = (FOLDER / "buffered_delimited").iterdir()
    told: list[str] = []
    assert len(read(file.read_bytes() + b"\xff\xff\xff\xff\x0f" + b"a" * 100, told=told)) == 1
    assert "a message of 4294967295 bytes begins here, but the file ends before" in told[0]


def test_a_broken_line_of_text_does_not_lose_the_next_trace() -> None:
    (file,) = (FOLDER / "buffered_text").iterdir()
    one = file.read_bytes()
    told: list[str] = []
    found = read(one + one.replace(b'value: "POST"', b"value: @") + one, told=told)
    assert labels(found) == ["POST /upload"] * 2
    (line,) = told
    at = len(one) + one.index(b'value: "POST"')
    assert line.startswith(
        f"broken: x, entry 2, byte {at}: here is something that protobuf's text format does not have"
    )


def test_text_may_be_in_one_line_with_any_quotes_and_comments() -> None:
    text = (
        b'# a comment\nhttp_buffered_trace: < request { headers { key: \':path\' value: "/a" "b\\303\\251" } '
        b"body { as_bytes: '\\x00\\'' truncated: false } } >\n"
    )
    (exchange,) = read(text)
    assert exchange.request == Message(((":path", "/abé"),), exchange.request.body)
    assert exchange.request.data == b"\0'"


def test_bytes_of_a_header_that_are_no_text_come_from_its_raw_value() -> None:
    raw = base64.b64encode(b"caf\xe9").decode()
    (exchange,) = read(buffered(headers=[*pairs(GET), {"key": "X-Raw", "raw_value": raw}]))
    assert exchange.request.header("x-raw") == "caf\udce9"


def test_a_tap_on_an_upstreams_connection_is_turned_around() -> None:
    events = [{"write": {"data": {"as_string": "PING"}}}, {"read": {"data": {"as_string": "PONG"}}}]
    ends = {
        "local_address": {"socket_address": {"address": "10.0.0.1", "port_value": 45678}},
        "remote_address": {"socket_address": {"address": "10.0.0.2", "port_value": 6379}},
    }
    trace = {"socket_buffered_trace": {"trace_id": "3", "connection": ends, "events": events}}
    (talk,) = read(json.dumps(trace).encode())
    assert talk.response is not None
    assert (talk.request.data, talk.response.data) == (b"PING", b"PONG")


def test_http2_is_known_by_the_order_of_the_pseudo_headers() -> None:
    headers = ((":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "a"))
    (exchange,) = read(buffered(headers=pairs(headers)))
    assert exchange.connection.protocol == "HTTP/2"
    assert exchange.connection.tls is not None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0asm\1\0\0\0",
        b'{"log": {"entries": []}}',
        b'{"simwasm": "traffic", "format": 1}',
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"\n\n\n\n\n\n\n\n",
        b"\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a",
        b"\x12\x12\x12\x12\x12\x12\x12\x12",
        b"1234:8:response;",
        b"\x1f\x8b\x08\0",
        b"http_buffered_trace is what a tap writes",
        b'{"start_time": "now"}',
    ],
)
def test_other_files_are_no_taps(head: bytes) -> None:
    assert not EnvoyTap().sniff(head)


def test_random_bytes_are_no_taps() -> None:
    random = Random(7)
    assert not any(EnvoyTap().sniff(random.randbytes(64)) for _ in range(20_000))
