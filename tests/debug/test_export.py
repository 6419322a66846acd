"""What is taken out of the debugger can be used: by curl, a browser's tools, and simwasm itself."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from cases import ROOT, cases
from exporting import HTTP_AUTH, OPTIONS, TRAFFIC, recipe, rows_of, run, subject
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simwasm.debug.export import FORMATS, export, file_name
from simwasm.debug.export_subject import Subject, slug
from simwasm.debug.inputs import Inputs
from simwasm.debug.tape import Span, Tape
from simwasm.errors import InputError
from simwasm.exchange import Chunk, Connection, Exchange, Message, Tls, request, response, to_bytes
from simwasm.plugin import Plugin
from simwasm.trace.align import align
from simwasm.trace.file import open_trace
from simwasm.trace.rows import Kind
from simwasm.traffic.curl_writing import quoted
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.notes import telling

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt-get install curl")


def of(exchange: Exchange) -> Subject:
    """An exchange that was never played."""
    return Subject(Inputs((), (exchange,)), Tape(), Span(0, exchange, 1))


def recorded() -> list[Exchange]:
    """Every exchange of every recording."""
    paths = {case.id: case.exchanges for case in cases()}
    return [exchange for exchanges in paths.values() for exchange in exchanges]


# The table.


@pytest.mark.parametrize("name", [each.name for each in FORMATS])
def test_every_format_writes_something_that_is_utf8(name: str) -> None:
    assert export(name, subject(HTTP_AUTH)).encode()


def test_a_format_that_is_not_there_is_told() -> None:
    with pytest.raises(InputError, match="no export called pdf; there are curl, har,"):
        export("pdf", subject(HTTP_AUTH))


def test_a_file_has_a_name_that_says_what_is_in_it() -> None:
    assert [file_name(each.name, subject(HTTP_AUTH)) for each in FORMATS] == [
        "get_get.sh", "get_get.har", "get_get.har", "get_get.jsonl", "run.trace.jsonl", "get_get.trace.jsonl",
        "test_get_get.py", "get_get.json",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["curl", "har", "har-seen", "traffic", "trace-exchange", "test", "case"])
def test_where_there_is_no_exchange_that_is_told(name: str) -> None:
    inputs, tape = run(HTTP_AUTH)
    with pytest.raises(InputError, match="there is no exchange here"):
        export(name, Subject(inputs, tape, recipe=HTTP_AUTH))


@pytest.mark.parametrize("name", ["test", "case"])
def test_where_the_files_are_not_known_that_is_told(name: str) -> None:
    with pytest.raises(InputError, match="nobody knows the plugin's file"):
        export(name, replace(subject(HTTP_AUTH), recipe=None))


# curl.


class Wire:
    """A server that keeps what it is sent, and answers 200."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.head = b""
        self.body = b""
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection, connection.makefile("rb") as stream:
            for line in iter(stream.readline, b"\r\n"):
                self.head += line
            fields = self.head.lower()
            if b"transfer-encoding: chunked" in fields:
                while size := int(stream.readline(), 16):
                    self.body += stream.read(size)
                    stream.readline()
            elif b"content-length: " in fields:
                self.body = stream.read(int(fields.partition(b"content-length: ")[2].partition(b"\r")[0]))
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")

    def close(self) -> None:
        self._thread.join(20)
        self._socket.close()


def sent(message: Message, folder: Path) -> tuple[bytes, list[bytes], bytes]:
    """The request line, the headers and the body that a server gets from the command."""
    wire = Wire()
    to_wire = tuple(
        (name, f"127.0.0.1:{wire.port}" if name == ":authority" else value) for name, value in message.headers
    )
    exchange = Exchange("1", 0, message._replace(headers=to_wire))
    command = export("curl", of(exchange)).replace("curl ", "curl -s --max-time 10 --noproxy '*' ", 1)
    (folder / "request.sh").write_text(command)
    done = subprocess.run(["bash", folder / "request.sh"], capture_output=True, timeout=30)
    if done.returncode:
        socket.create_connection(("127.0.0.1", wire.port)).close()
    wire.close()
    assert done.returncode == 0, (command, done.stderr)
    line, *headers = wire.head.split(b"\r\n")[:-1]
    return line, [header for header in headers if not header.lower().startswith(b"host: ")], wire.body


ODD = "'\"$(id) `id` \\ \t!* ü"


@needs_curl
@pytest.mark.parametrize(
    "message",
    [
        request("GET", "/"),
        request("GET", "/a/../b?x=[1]&y={2}&z='\"$(id)"),
        request("OPTIONS", "*"),
        request("GET", "/#fragment ?q"),
        request("HEAD", "/head"),
        request("DELETE", "/x", headers=[("accept", "*/*"), ("user-agent", "me")]),
        request("GET", "/body", body=b"in a GET"),
        request("POST", "/p", headers=[("content-type", "text/plain")], body=f"{ODD}\nsecond\n".encode()),
        request("POST", "/p", body=b"@file"),
        request("POST", "/p", body=bytes(range(256)) * 20),
        request("POST", "/p", body=b"x" * 2_000_000),
        request("POST", "/p", body=[b"chunk", b"ed"]),
        request("POST", "/empty", headers=[("content-length", "0")]),
        request("PUT", "/p", headers=[("x-odd", ODD.strip()), ("x-empty", ""), ("x-bytes", "\udcff\udc80"), ("x", "1"),
                                      ("x", "2")], body=b"1"),
    ],
    ids=lambda message: f"{message.header(':method')} {message.header(':path')[:12]} {len(message.data)}",
)  # fmt: skip
def test_curl_sends_the_same_request(message: Message, tmp_path: Path) -> None:
    line, headers, body = sent(message, tmp_path)
    method, path = message.header(":method"), message.header(":path")
    assert line == f"{method} {path} HTTP/1.1".encode()
    expected = [to_bytes(f"{name}: {value}").strip() for name, value in message.headers if name[:1] != ":"]
    if message.body and not any(header.startswith(b"content-length") for header in expected):
        expected.append(b"transfer-encoding: chunked")
    assert sorted(header.lower().strip() for header in headers) == sorted(
        header.lower() for header in expected
    )
    assert body == message.data


@needs_curl
def test_curl_sends_a_recorded_request(tmp_path: Path) -> None:
    exchange = next(exchange for exchange in recorded() if exchange.request.data)
    _, _, body = sent(exchange.request, tmp_path)
    assert body == exchange.request.data


@settings(max_examples=25)
@example("a\nb\t'")
@example("\udcff'")
@example("é")
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_is_one_word_of_a_shell(text: str) -> None:
    done = subprocess.run(["bash", "-c", f"printf %s {quoted(text)}"], capture_output=True, check=True)
    assert done.stdout == to_bytes(text)


def test_a_plain_request_is_a_command_to_be_read() -> None:
    message = request("POST", "/login?a=1&b=2", host="shop.example", headers=[("x-user", "ann")], body=b"a=1")
    assert export("curl", of(Exchange("1", 0, message))) == (
        "curl 'http://shop.example/login?a=1&b=2' \\\n"
        "  -H 'x-user: ann' \\\n  -H accept: \\\n  -H user-agent: \\\n  -H content-type: \\\n  --data-raw a=1\n"
    )


@pytest.mark.parametrize(
    ("scheme", "protocol", "option"),
    [
        ("http", "HTTP/1.1", "http://"), ("https", "HTTP/1.1", "--http1.1"), ("https", "HTTP/2", "--http2"),
        ("http", "HTTP/2", "--http2-prior-knowledge"), ("https", "HTTP/3", "--http3-only"),
    ],
)  # fmt: skip
def test_curl_is_told_the_version_of_http(scheme: str, protocol: str, option: str) -> None:
    exchange = Exchange("1", 0, request("GET", "/", scheme=scheme), connection=Connection(protocol=protocol))
    assert export("curl", of(exchange)).startswith(f"curl {option}")


def test_what_curl_cannot_send_is_told() -> None:
    message = request("POST", "/", body=[b"x"], trailers=[("x-sum", "1")])
    assert export("curl", of(Exchange("1", 0, message))).startswith(
        "# curl does not send the trailers: x-sum\n"
    )


# HAR and simwasm's own traffic.


def read_again(text: str, tmp_path: Path, name: str) -> list[Exchange]:
    path = tmp_path / name
    path.write_text(text)
    notes: list[str] = []
    found = list(read_traffic(path, telling(notes.append)))
    assert not notes
    return found


@pytest.mark.parametrize("exchange", recorded(), ids=lambda exchange: slug(exchange.label))
def test_a_recorded_exchange_comes_back_from_its_har(exchange: Exchange, tmp_path: Path) -> None:
    (found,) = read_again(export("har", of(exchange)), tmp_path, "x.har")
    assert found.request.headers == exchange.request.headers
    assert found.request.data == exchange.request.data
    assert found.started_ns == exchange.started_ns
    assert found.connection.protocol == exchange.connection.protocol
    assert exchange.response is not None
    assert found.response is not None
    assert found.response.headers == exchange.response.headers
    assert found.response.data == exchange.response.data
    assert found.response.after_ns == exchange.response.after_ns


@pytest.mark.parametrize(
    "exchange",
    [
        Exchange("1", 1, request("POST", "/", body=bytes(range(256))), response(200, body=bytes(range(256)))),
        Exchange("1", 1, request("OPTIONS", "*"), response(204)),
        Exchange("1", 1, request("GET", "/a b#c%20?d=e&f", host="[::1]:80"), response(200, body=b"")),
        Exchange("1", 1, request("GET", "/", headers=[("a", "1"), ("a", "2")], scheme="https"), response(404),
                 Connection(destination="[::1]:443", requested_server_name="localhost", protocol="HTTP/2",
                            tls=Tls(tls_version="TLSv1.2")), name="a name"),
        Exchange("1", 1, request("POST", "/", headers=[("content-type", "text/plain; charset=latin1")], body=b"\xe9"),
                 response(200, headers=[("content-type", "text/html; charset=utf-16")], body=b"\xff\xfea\0",
                          after_ns=1_234_567)),
        Exchange("1", 1, Message(((":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "x"))),
                 response(200)),
    ],
    ids=["bytes", "no path", "odd path", "TLS", "charsets", "another order"],
)  # fmt: skip
def test_an_odd_exchange_comes_back_from_its_har(exchange: Exchange, tmp_path: Path) -> None:
    (found,) = read_again(export("har", of(exchange)), tmp_path, "x.har")
    assert exchange.response is not None
    assert found.response is not None
    assert (found.request, found.response.headers) == (exchange.request, exchange.response.headers)
    assert (found.response.data, found.response.after_ns) == (
        exchange.response.data,
        exchange.response.after_ns,
    )
    assert found.name == exchange.name
    if exchange.connection.tls:
        assert found.connection == replace(exchange.connection, source=found.connection.source)


def test_har_of_what_the_client_saw_has_its_answer(tmp_path: Path) -> None:
    """The second request has no token: the upstream's answer is recorded, and the client got a 403."""
    (found,) = read_again(export("har-seen", subject(HTTP_AUTH, 1)), tmp_path, "x.har")
    assert found.response is not None
    assert found.response.header(":status") == "403"
    assert found.response.data == b"Forbidden\n"


def test_har_has_what_the_format_asks_for() -> None:
    content = json.loads(export("har", subject(HTTP_AUTH)))["log"]
    assert content["version"] == "1.2"
    assert content["creator"]["name"] == "simwasm"
    (entry,) = content["entries"]
    assert entry.keys() >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
    assert entry["request"].keys() >= {"method", "url", "httpVersion", "cookies", "headers", "queryString",
                                       "headersSize", "bodySize"}  # fmt: skip
    assert entry["response"].keys() >= {"status", "statusText", "httpVersion", "cookies", "headers", "content",
                                        "redirectURL", "headersSize", "bodySize"}  # fmt: skip


@pytest.mark.parametrize("exchange", recorded(), ids=lambda exchange: slug(exchange.label))
def test_an_exchange_comes_back_from_simwasms_own_format(exchange: Exchange, tmp_path: Path) -> None:
    assert read_again(export("traffic", of(exchange)), tmp_path, "x.jsonl") == [exchange]


def test_bytes_of_headers_come_back_from_simwasms_own_format(tmp_path: Path) -> None:
    exchange = Exchange("1", 0, request("GET", "/\udcff", body=[b"\xff", b""], trailers=[("t", "\udc80")]))
    assert read_again(export("traffic", of(exchange)), tmp_path, "x.jsonl") == [exchange]


# Traces.


def test_the_trace_of_a_run_is_its_golden_file() -> None:
    golden = ROOT / "traces" / "golden" / "http_auth" / "browser.jsonl"
    assert export("trace", subject(HTTP_AUTH)) == golden.read_text()


@pytest.mark.parametrize("number", range(3))
def test_the_trace_of_an_exchange_has_its_rows(number: int, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(export("trace-exchange", subject(HTTP_AUTH, number)))
    trace = open_trace(path)
    assert len(trace.rows) == len(rows_of(HTTP_AUTH, number))
    assert [ending.exchange for ending in trace.outcomes] == [str(number + 1)]
    assert trace.note == ""


def test_the_trace_of_a_run_is_the_same_as_the_tape(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(export("trace", subject(HTTP_AUTH)))
    trace = open_trace(path)
    trace.index()
    assert align(run(HTTP_AUTH)[1].rows, trace.rows).same


def test_a_tape_that_ends_inside_a_call_is_written_up_to_there(tmp_path: Path) -> None:
    inputs, tape = run(HTTP_AUTH)
    position = next(row.position for row in rows_of(HTTP_AUTH, 0) if row.kind is Kind.HOST_CALL)
    cut = tape.fork(position)
    path = tmp_path / "t.jsonl"
    path.write_text(export("trace", Subject(inputs, cut)))
    trace = open_trace(path)
    assert len(trace.rows) == len(cut.rows)
    assert "is open: was the run killed?" in trace.note


# Cases.


def test_a_case_is_like_those_of_the_suite(sample: Callable[..., Plugin]) -> None:
    entry = json.loads(export("case", subject(HTTP_AUTH, folder=ROOT / "traces")))
    known = json.loads((ROOT / "traces" / "cases.json").read_text())
    (expected,) = (row for row in known if (row["sample"], row["case"]) == ("http_auth", "browser"))
    assert entry == expected | {"case": "get_get"}


def test_a_case_has_its_configuration() -> None:
    entry = json.loads(export("case", subject(recipe("config_loading", **OPTIONS["config_loading"]))))
    assert {name: entry[name] for name in ("config", "vm_config")} == OPTIONS["config_loading"]


def _two() -> Iterator[str]:
    yield str(TRAFFIC / "http_auth.har")
    yield str(TRAFFIC / "http_auth.tap.jsonl")


def test_a_case_has_one_recording() -> None:
    with pytest.raises(InputError, match="a case has one recording, and this run has 2"):
        export("case", replace(subject(HTTP_AUTH), recipe=replace(HTTP_AUTH, traffic=tuple(_two()))))


def test_a_case_is_text(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"\xff")
    with pytest.raises(InputError, match="the config is not UTF-8"):
        export("case", replace(subject(HTTP_AUTH), recipe=replace(HTTP_AUTH, config=f"@{tmp_path / 'c'}")))


def test_bodies_in_several_pieces_are_one_in_har(tmp_path: Path) -> None:
    answer = Message(((":status", "200"),), (Chunk(b"a"), Chunk(b"b", 2_000_000)))
    (found,) = read_again(export("har", of(Exchange("1", 0, request("GET", "/"), answer))), tmp_path, "x.har")
    assert found.response is not None
    assert found.response.body == (Chunk(b"ab", 2_000_000),)
