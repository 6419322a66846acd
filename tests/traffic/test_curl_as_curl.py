"""A curl command makes the request that the real curl sends: both are asked, and the bytes are compared."""

from __future__ import annotations

import io
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from simwasm.exchange import Exchange
from simwasm.traffic.beside import read_plain
from simwasm.traffic.curl_request import AGENT, exchanges
from simwasm.traffic.notes import Notes
from simwasm.traffic.raw_http import RawHttp

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")

CASES: tuple[tuple[str, ...], ...] = (
    ("URL",),
    ("URL?x=é",),
    ("URL/ü/%7e/../b/./c//d/..",),
    ("--path-as-is", "URL/a/../b"),
    ("HOST?x",),
    ("URL#fragment",),
    ("-d", "a=1", "-d", "b=2", "URL"),
    ("--data-raw", "@a", "URL"),
    ("-d", "@FILE", "URL"),
    ("--data-binary", "@FILE", "URL"),
    ("-d", "", "-X", "PUT", "URL"),
    ("--data-urlencode", "a=ä b~-_.!*", "--data-urlencode", "=x&y", "--data-urlencode", "plain text", "URL"),
    ("--data-urlencode", "n@FILE", "URL"),
    ("-G", "-d", "q=1", "-d", "r=2", "URL?z=0"),
    ("-IGd", "a=b", "URL"),
    ("--url-query", "a=b c", "--url-query", "+d%20e", "URL"),
    ("--json", '{"a":1}', "URL"),
    ("--json", "1", "--json", "2", "-H", "X-A: 1", "URL"),
    ("-d", "a", "--json", "{}", "-H", "Content-Type: x/y", "URL"),
    ("-F", 'a"b=c', "-F", "f=@FILE", "-F", "g=<FILE", "URL"),
    ("-F", 'f=@FILE;filename=x"y.txt;type=a/b', "--form-string", "a=@b;type=c", "URL"),
    ("-F", "a=1;filename=f.txt", "-F", 'b="2;3";type=text/html;headers="X-P: 1"', "-X", "PUT", "URL"),
    ("-u", "ann:secret", "URL"),
    ("http://u%40:p@ADDRESS/",),
    ("-u", "a:b", "-H", "Authorization: own", "URL"),
    ("--oauth2-bearer", "token", "URL"),
    ("-A", "me", "-e", "from", "-b", "a=1", "-b", "b=2", "-r", "1-2", "--compressed", "-H", "X: 1", "URL"),
    ("-A", "", "-e", ";auto", "URL"),
    (
        "-H",
        "User-Agent: me",
        "-H",
        "accept: json",
        "-H",
        "Cookie: own",
        "-b",
        "x=y",
        "-H",
        "Host: other",
        "URL",
    ),
    ("-H", "Accept:", "-H", "X-Empty;", "-H", "no colon", "-H", "X: a", "-H", "X: b", "URL"),
    ("-H", "Content-Type;", "-d", "x", "URL"),
    ("-H", "Transfer-Encoding: chunked", "-d", "x", "URL"),
    (
        "-H",
        "Range: own",
        "-r",
        "1-",
        "-H",
        "Referer: own",
        "-e",
        "r",
        "-H",
        "Accept-Encoding: own",
        "--compressed",
        "URL",
    ),
    ("-H", "Expect: 100-continue", "-d", "x", "URL"),
    ("-H", "@HEADERS", "URL"),
    ("-I", "URL"),
    ("-X", "DELETE", "URL"),
    ("-T", "FILE", "URL/"),
    ("-T", "FILE", "-H", "Expect:", "URL"),
    ("-C", "5", "URL"),
    ("-0", "URL"),
    ("--http2", "URL"),
    ("--tr-encoding", "URL"),
    ("--request-target", "*", "-X", "OPTIONS", "URL"),
    ("-sSLkd", "x", "-o/dev/null", "URL"),
    ("URL/{a,b}[1-2]",),
    ("-g", "URL/{a}[1-2]"),
    ("URL", "-d", "x", "--next", "URL/second", "-H", "b: 1"),
    ("URL", "URL/q", "-d", "1"),
    ("--no-compressed", "--no-progress-meter", "URL"),
)


class _Server:
    """Takes what curl sends, and answers so that it is content."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.02)
        self.port: int = self._socket.getsockname()[1]

    def received(self, process: subprocess.Popen[bytes]) -> bytes:
        """What one run of curl sends."""
        parts = []
        while process.poll() is None:
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            with connection:
                parts.append(self._one(connection))
        return b"".join(parts)

    def _one(self, connection: socket.socket) -> bytes:
        data = b""
        connection.settimeout(2)
        while not _whole(data):
            data += connection.recv(1 << 16)
            if b"\r\nExpect: 100-continue\r\n" in data and data.endswith(b"\r\n\r\n"):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return data

    def close(self) -> None:
        self._socket.close()


def _whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    if b"\r\nTransfer-Encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


@pytest.fixture(scope="module")
def server() -> Iterator[_Server]:
    server = _Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("curl")
    (folder / "file.txt").write_bytes(b"one\r\ntwo\n\0")
    (folder / "headers").write_text("X-From: file\nX-Second: 2\n")
    return folder


@pytest.mark.parametrize("case", CASES, ids=[" ".join(case) for case in CASES])
def test_a_command_sends_what_curl_sends(case: tuple[str, ...], server: _Server, files: Path) -> None:
    words = tuple(_filled(word, server, files) for word in case)
    command = ["curl", "-s", "--max-time", "5", "--noproxy", "*", *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        sent = server.received(process)
    assert process.returncode == 0
    there = list(RawHttp().read(io.BytesIO(sent), "curl", Notes()))
    here = list(exchanges(words, 1, lambda name: read_plain(name, name), lambda text: None))
    assert list(map(_comparable, here)) == list(map(_comparable, there))


def _filled(word: str, server: _Server, files: Path) -> str:
    address = f"127.0.0.1:{server.port}"
    names = {"URL": f"http://{address}/p", "HOST": f"http://{address}", "ADDRESS": address}
    names |= {"FILE": str(files / "file.txt"), "HEADERS": str(files / "headers")}
    return re.sub("|".join(names), lambda found: names[found[0]], word)


def _comparable(exchange: Exchange) -> object:
    """Without what is another in every release or run: the version, boundaries, how hexadecimal digits are spelled."""
    request = exchange.request
    text = repr((request.headers, request.data, request.trailers, exchange.connection.protocol))
    text = text.replace(AGENT, "AGENT")
    text = re.sub(r"curl/\d+\.\d+\.\d+", "AGENT", text)
    text = re.sub(r"-{24}[0-9a-zA-Z]{16,22}", "BOUNDARY", text)
    return re.sub(r"%[0-9a-fA-F]{2}", lambda found: found[0].upper(), text)
