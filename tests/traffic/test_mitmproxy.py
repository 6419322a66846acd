"""What real mitmproxys wrote becomes exchanges, and what is written real mitmproxys read."""

from __future__ import annotations

import io
import os
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest

from simwasm.conversation import Conversation, client, conversation, upstream
from simwasm.errors import TrafficError
from simwasm.exchange import Chunk, Connection, Exchange, Message, Tls, request, response
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.mitmproxy import MitmproxyFlows
from simwasm.traffic.mitmproxy_writing import MitmproxyFlowsWriter
from simwasm.traffic.notes import Notes
from simwasm.traffic.tnetstring import Value, dumped

RECORDED = Path("traces/traffic/mitmproxy")
VERSIONS = (7, 8, 9, 10, 11, 12)
ALL = [RECORDED / f"{version}.flows" for version in VERSIONS]
NEWER = ALL[2:]
NEWEST = ALL[-1]


def read(data: bytes, told: list[str] | None = None, broken: list[str] | None = None) -> list[Exchange]:
    heard: list[str] = [] if told is None else told
    wrong: list[str] = [] if broken is None else broken
    notes = Notes(heard.append, lambda error: wrong.append(str(error)))
    return list(MitmproxyFlows().read(io.BytesIO(data), "day.flows", notes))


def written(exchanges: Iterable[Exchange], told: list[str] | None = None) -> bytes:
    heard: list[str] = [] if told is None else told
    stream = io.BytesIO()
    MitmproxyFlowsWriter().write(exchanges, stream, Notes(heard.append))
    return stream.getvalue()


def named(path: Path, asked: str) -> Exchange:
    (exchange,) = (found for found in read_traffic(path) if found.request.header(":path") == asked)
    return exchange


@pytest.mark.parametrize("path", ALL, ids=str)
def test_a_request_is_what_curl_sent(path: Path) -> None:
    asked = named(path, "/get?word=a%20b").request
    assert asked.headers[:4] == (
        (":authority", "127.0.0.1:7100"),
        (":path", "/get?word=a%20b"),
        (":method", "GET"),
        (":scheme", "http"),
    )
    assert asked.headers[-3:] == (("allow", "true"), ("x-two", "1"), ("x-two", "2"))
    assert asked.body == ()


@pytest.mark.parametrize("path", ALL, ids=str)
def test_an_answer_stays_packed_as_it_was(path: Path) -> None:
    answered = named(path, "/gzip").response
    assert answered is not None
    assert answered.header("content-encoding") == "gzip"
    assert answered.data.startswith(b"\x1f\x8b")
    assert [value for name, value in answered.headers if name == "set-cookie"] == ["a=1", "b=2"]


@pytest.mark.parametrize("path", ALL, ids=str)
def test_trailers_and_http_2_are_read(path: Path) -> None:
    exchange = named(path, "/tunnel")
    assert exchange.response is not None
    assert exchange.response.trailers == (("x-sum", "18"), ("grpc-status", "0"))
    assert exchange.request.header(":authority") == "127.0.0.1:7102"
    assert exchange.request.header(":scheme") == "https"
    assert exchange.connection.protocol == "HTTP/2"
    assert exchange.connection.tls == Tls("TLSv1.3")


@pytest.mark.parametrize("path", ALL, ids=str)
def test_a_regular_proxy_stands_for_the_server(path: Path) -> None:
    assert named(path, "/status/418").connection.destination == "127.0.0.1:7100"


@pytest.mark.parametrize("path", NEWER, ids=str)
def test_a_reverse_proxy_stands_for_itself(path: Path) -> None:
    exchange = named(path, "/named")
    assert exchange.connection.destination == "127.0.0.1:7104"
    assert exchange.connection.requested_server_name == "shop.example"
    assert exchange.request.data == b"body"


@pytest.mark.parametrize("path", ALL, ids=str)
def test_a_request_without_an_answer_is_kept(path: Path) -> None:
    assert named(path, "/reset").response is None


@pytest.mark.parametrize("path", ALL, ids=str)
def test_times_are_in_order(path: Path) -> None:
    exchange = named(path, "/status/418")
    assert exchange.started_ns > 1_600_000_000 * 10**9
    assert exchange.response is not None
    assert 0 < exchange.response.after_ns < 10**9
    assert 0 < exchange.response.body[0].after_ns < 10**9


def test_what_is_no_exchange_is_counted() -> None:
    told: list[str] = []
    read(NEWEST.read_bytes() * 2, told)
    assert told == [
        "day.flows: 4 requests without an answer: replayed without a recorded one",
        "day.flows: 2 messages of WebSockets left out: plugins meet the handshake alone",
        "day.flows: 2 DNS flows left out: plugins never meet them",
    ]


def test_a_tcp_connection_is_a_conversation() -> None:
    (talk,) = (found for found in read_traffic(NEWEST) if isinstance(found, Conversation))
    assert [(piece.side.value, piece.data) for piece in talk.pieces] == [
        ("client", b"PING\r\n"),
        ("upstream", b"PONG PING\r\n"),
    ]
    assert all(0 < piece.after_ns < 10**9 for piece in talk.pieces)


@pytest.mark.parametrize("path", ALL, ids=str)
def test_what_is_written_is_read_the_same(path: Path) -> None:
    before = list(read_traffic(path))
    assert read(written(before)) == before


EXCHANGE = Exchange(
    "1",
    1_700_000_000_123_456_789,
    request("POST", "/p", host="shop.example", scheme="https", body=b"x\0y")._replace(
        body=(Chunk(b"x\0y", 5_000_001),)
    ),
    response(503, headers=[("b", "\udcff")], body=b"no", trailers=[("t", "1")], after_ns=7_000_003)._replace(
        body=(Chunk(b"no", 11),)
    ),
    Connection(1, "[::1]:5000", "10.0.0.1:443", "HTTP/3", "shop.example", Tls()),
    name="a name",
)


def test_all_digits_of_times_names_and_http_3_go_there_and_back() -> None:
    assert read(written([EXCHANGE])) == [EXCHANGE]


def test_what_a_flow_has_no_place_for_is_told() -> None:
    told: list[str] = []
    pieces = Message(EXCHANGE.request.headers, (Chunk(b"a"), Chunk(b"b")))
    mutual = replace(EXCHANGE.connection, tls=Tls(mtls=True))
    ended = conversation("9", (client(b"a", ends=True), upstream(b"b")))
    written([replace(EXCHANGE, request=pieces, connection=mutual, early=True, partial=True), ended], told)
    assert len(told) == 5
    assert all("(mitmproxy's flow file has no place for it), #" in text for text in told)


def test_a_cut_file_gives_what_was_before() -> None:
    data = NEWEST.read_bytes()
    broken: list[str] = []
    cut = len(data) - 100
    found = read(data[:cut], None, broken)
    assert found == read(data)[: len(found)]
    assert len(found) == 16
    (text,) = broken
    assert text.startswith("day.flows, flow 17, byte ")
    assert "the file ends after" in text
    assert "the 16 flows before it are whole" in text


def test_a_file_that_is_cut_in_its_first_flow_is_refused() -> None:
    with pytest.raises(TrafficError, match=r"day.flows, flow 1, byte 0: .* nothing of it can be read"):
        read(NEWEST.read_bytes()[:100])


FLOW: dict[str, Value] = {
    "version": 21,
    "type": "http",
    "client_conn": {"id": "c"},
    "server_conn": {},
    "request": {
        "headers": [],
        "content": b"",
        "method": b"GET",
        "path": b"/",
        "scheme": b"http",
        "authority": b"a",
    },
    "response": {"headers": [], "content": b"", "status_code": 200},
}


MANY: list[Value] = [[b"a", b""] for _ in range(10_001)]


def changed(**request: Value) -> bytes:
    asked = FLOW["request"]
    assert isinstance(asked, dict)
    return dumped({**FLOW, "request": {**asked, **request}})


def test_the_least_that_a_flow_can_have_is_enough() -> None:
    (exchange,) = read(dumped(FLOW))
    assert exchange.request.headers[0] == (":authority", "a")


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        (changed(headers=5), "request.headers is no list"),
        (changed(headers=[[b"a"]]), "request.headers has an entry that is no name and value"),
        (changed(headers=[["a", "b"]]), "request.headers has an entry that is no bytes"),
        (changed(headers=[[b"a b", b"c"]]), "request.headers has an entry that HTTP cannot carry"),
        (changed(headers=[[b"a", b"c\r\nd: e"]]), "request.headers has an entry that HTTP cannot carry"),
        (changed(headers=MANY), "request.headers has 10,001 entries, and 10,000 are read"),
        (changed(method=b"G T"), "request.method is none of HTTP"),
        (changed(path=b"/a b"), "request.path has a blank"),
        (changed(content="text"), "request.content is no bytes"),
        (changed(timestamp_start=b"now"), "request.timestamp_start is no time"),
        (changed(timestamp_start=-1.0), "request.timestamp_start is no time"),
        (changed(timestamp_start=float("nan")), "request.timestamp_start is no time"),
        (
            dumped({**FLOW, "response": {"headers": [], "status_code": 7}}),
            "response.status_code is no HTTP status",
        ),
        (dumped({**FLOW, "response": {"headers": []}}), "response.status_code is no number"),
        (dumped({**FLOW, "request": 5}), "request is no dict"),
        (
            dumped({**FLOW, "type": "tcp", "messages": [[True]]}),
            "flow.messages has an entry that is no message",
        ),
    ],
)
def test_a_broken_flow_is_told_and_stepped_over(flow: Any, said: str) -> None:
    broken: list[str] = []
    good = dumped(FLOW)
    found = read(good + flow + good, None, broken)
    assert [exchange.id for exchange in found] == ["1", "3"]
    (text,) = broken
    assert text.startswith(f"day.flows, flow 2, byte {len(good)}: {said}")


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        ({**FLOW, "version": [0, 18]}, "1 flow in a format older than 7 left out"),
        ({**FLOW, "type": "smoke"}, "1 flow of a kind that is not known here left out"),
        ({**FLOW, "type": "udp"}, "1 UDP flow left out"),
        ({**FLOW, "request": None}, "1 HTTP flow without a request left out"),
        ({**FLOW, "version": 99}, "1 flow in a format newer than 21"),
        (
            {**FLOW, "response": {"headers": [], "content": None, "status_code": 200}},
            "1 message whose body mitmproxy passed on",
        ),
        ({**FLOW, "marked": ":red_circle:"}, "1 mark of flows"),
    ],
)
def test_odd_flows_are_counted(flow: Any, said: str) -> None:
    told: list[str] = []
    read(dumped(flow), told)
    (text,) = told
    assert text.startswith(f"day.flows: {said}")


def test_a_tunnel_is_no_request_of_anybodys() -> None:
    told: list[str] = []
    assert read(changed(method=b"CONNECT"), told) == []
    assert "1 CONNECT request left out" in told[0]


def test_a_body_that_was_not_recorded_makes_the_exchange_partial() -> None:
    (exchange,) = read(dumped({**FLOW, "response": {"headers": [], "content": None, "status_code": 200}}))
    assert exchange.partial


def test_connections_are_told_apart_and_known_again() -> None:
    other = dumped({**FLOW, "client_conn": {"id": "d"}})
    found = read(dumped(FLOW) + other + dumped(FLOW))
    assert [exchange.connection.id for exchange in found] == [1, 2, 1]


def test_mutated_files_are_read_as_far_as_they_go() -> None:
    """No traceback, whatever a byte becomes; and one broken byte costs one flow or two."""
    data, dice = NEWEST.read_bytes(), random.Random(7)
    for _ in range(50):
        at = dice.randrange(len(data))
        broken: list[str] = []
        found = read(data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :], None, broken)
        assert len(found) >= 14
        assert len(broken) <= 2


def mitmdumps() -> list[str]:
    asked = os.environ.get("SIMWASM_MITMDUMP", "").split(os.pathsep)
    found = [*asked, shutil.which("mitmdump") or "", ".venv-mitmproxy/bin/mitmdump"]
    return [name for name in found if name and Path(name).is_file()]


def said(exchanges: Iterable[Exchange]) -> list[object]:
    """What does not depend on how many digits a time has, nor on the order: what has no answer is saved last."""
    plain = [(found.request, found.response) for found in exchanges if not isinstance(found, Conversation)]
    told = [
        (asked.headers, asked.data, got and (got.headers, got.data, got.trailers)) for asked, got in plain
    ]
    return sorted(told, key=repr)


@pytest.mark.skipif(not mitmdumps(), reason="no mitmdump: set SIMWASM_MITMDUMP, or have it on the PATH")
def test_a_real_mitmproxy_reads_what_is_written(tmp_path: Path) -> None:
    file, again = tmp_path / "out.flows", tmp_path / "again.flows"
    before = [*read_traffic(NEWEST), EXCHANGE]
    file.write_bytes(written(before))
    for mitmdump in mitmdumps():
        shown = subprocess.run(
            [mitmdump, "-nr", file, "-w", again, "--set", f"confdir={tmp_path}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "GET http://127.0.0.1:7100/get?word=a%20b" in shown.stdout
        assert said(read_traffic(again)) == said(before)


class Server(BaseHTTPRequestHandler):
    """Tells the path that was asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: object) -> None:
        pass


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.skipif(not mitmdumps(), reason="no mitmdump: set SIMWASM_MITMDUMP, or have it on the PATH")
def test_what_a_real_proxy_writes_is_read(tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "out.flows"
    words = [
        "-q",
        "-w",
        str(file),
        "--listen-host",
        "127.0.0.1",
        "-p",
        str(port),
        "--set",
        f"confdir={tmp_path}",
    ]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy = subprocess.Popen([mitmdumps()[0], *words])
    try:
        wait_for(port)
        through = build_opener(ProxyHandler({"http": f"http://127.0.0.1:{port}"}))
        with through.open(f"http://127.0.0.1:{server.server_port}/live?a=1") as answered:
            assert answered.read() == b"/live?a=1"
    finally:
        proxy.terminate()
        proxy.wait(20)
        server.shutdown()
        server.server_close()
    (exchange,) = read_traffic(file)
    assert exchange.label == "GET /live?a=1"
    assert exchange.response is not None
    assert exchange.response.data == b"/live?a=1"


def wait_for(port: int) -> None:
    end = monotonic() + 30
    while monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        sleep(0.05)
    pytest.fail("mitmdump does not listen")
