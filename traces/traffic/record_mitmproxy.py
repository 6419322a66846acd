"""Records mitmproxy/<version>.flows: what mitmdump writes of curl asking two small servers through it.

    python -m venv there; there/bin/pip install mitmproxy==12.2.3
    there/bin/python traces/traffic/record_mitmproxy.py traces/traffic/mitmproxy/12.flows

It needs curl and openssl. mitmproxy 7 and 8 want `werkzeug<2.1 markupsafe<2.1 jinja2<3.1` beside them, and have one
mode at a time: their recordings are of a regular proxy alone.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h2.config
import h2.connection
import h2.events
from mitmproxy import version

PLAIN, TCP, TWO, REGULAR, REVERSE, REVERSE_TCP, REVERSE_TWO, DNS = range(7100, 7108)
HERE = "http://127.0.0.1"
SOCKET_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {SOCKET_KEY}",
]
QUESTION = bytes.fromhex("123401000001000000000000096c6f63616c686f73740000010001")


class Plain(BaseHTTPRequestHandler):
    """HTTP/1.1: an echo, and a few odd answers."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer by the path."""
        if self.path == "/reset":
            self.connection.close()
        elif self.path == "/socket":
            self.upgrade()
        elif self.path == "/gzip":
            packed = gzip.compress(b"a secret " * 20, mtime=0)
            self.answer(
                200, packed, ("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")
            )
        elif self.path == "/nothing":
            self.send_response(204)
            self.end_headers()
        else:
            self.answer(418 if "418" in self.path else 200, b'{"path": "%s"}\n' % self.path.encode())

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Echo."""
        self.answer(201, self.rfile.read(int(self.headers["content-length"])))

    def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Answer with this."""
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def upgrade(self) -> None:
        """Become a WebSocket that says hello and goodbye."""
        told = hashlib.sha1(f"{SOCKET_KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade")):
            self.send_header(name, value)
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(told).decode())
        self.end_headers()
        self.wfile.write(b"\x81\x05hello")
        time.sleep(0.3)
        self.wfile.write(b"\x88\x02\x03\xe8")
        time.sleep(0.3)
        self.close_connection = True


def two(link: socket.socket) -> None:
    """HTTP/2: the same answer to everybody, with trailers."""
    state = h2.connection.H2Connection(config=h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    link.sendall(state.data_to_send())
    while data := link.recv(65535):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.StreamEnded):
                headers = [
                    (":status", "200"),
                    ("content-type", "text/plain"),
                    ("x-word", "a"),
                    ("x-word", "b"),
                ]
                state.send_headers(event.stream_id, headers)
                state.send_data(event.stream_id, b"the secret is out\n")
                state.send_headers(event.stream_id, [("x-sum", "18"), ("grpc-status", "0")], end_stream=True)
        link.sendall(state.data_to_send())


def pong(link: socket.socket) -> None:
    """TCP: one answer."""
    link.sendall(b"PONG " + link.recv(100))
    time.sleep(0.2)
    link.close()


def serve(port: int, talk: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> None:
    """Let clients talk to this, one after the other."""
    listening = socket.create_server(("127.0.0.1", port))

    def accepted() -> None:
        while True:
            link, _ = listening.accept()
            with suppress(OSError):
                talk(context.wrap_socket(link, server_side=True) if context else link)

    threading.Thread(target=accepted, daemon=True).start()


def certified(folder: str) -> ssl.SSLContext:
    """TLS with a certificate of its own."""
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split()
    subprocess.run(
        [*made, "-keyout", f"{folder}/key", "-out", f"{folder}/cert"], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert", f"{folder}/key")
    context.set_alpn_protocols(["h2"])
    return context


def ask(url: str, *words: str, headers: list[str] | None = None) -> None:
    """Let curl ask."""
    named = [word for header in headers or () for word in ("-H", header)]
    subprocess.run(["curl", "-sk", "-m", "3", "-o", "/dev/null", url, *words, *named], check=False)


def asked_regularly() -> None:
    """What goes through the regular proxy."""
    proxy = ("-x", f"{HERE}:{REGULAR}")
    server = f"{HERE}:{PLAIN}"
    ask(f"{server}/get?word=a%20b", *proxy, headers=["Allow: true", "X-Two: 1", "X-Two: 2"])
    ask(f"{server}/status/418", *proxy)
    ask(f"{server}/post", *proxy, "-d", "name=ann&word=caf%C3%A9")
    ask(f"{server}/post", *proxy, "--data-binary", "\x01bytes\xff")
    ask(f"{server}/gzip", *proxy)
    ask(f"{server}/head", *proxy, "-I")
    ask(f"{server}/nothing", *proxy)
    ask(f"{server}/reset", *proxy)
    ask(f"https://127.0.0.1:{TWO}/tunnel", *proxy, "--http2")


def asked_in_reverse() -> None:
    """What goes through the reverse proxies."""
    ask(f"{HERE}:{REVERSE}/reverse")
    ask(f"https://127.0.0.1:{REVERSE}/two", "--http2", headers=["Allow: true"])
    shop = ("--resolve", f"shop.example:{REVERSE}:127.0.0.1")
    ask(f"https://shop.example:{REVERSE}/named", *shop, "--http2", "-d", "body")
    ask(f"https://127.0.0.1:{REVERSE_TWO}/trailers", "--http2", "-d", "x=1")
    ask(f"{HERE}:{REVERSE}/socket", "-m", "2", headers=UPGRADE)
    with suppress(OSError), socket.create_connection(("127.0.0.1", REVERSE_TCP), 2) as link:
        link.sendall(b"PING\r\n")
        while link.recv(100):
            pass
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(2)
        link.sendto(QUESTION, ("127.0.0.1", DNS))
        link.recv(500)


def main() -> None:
    """Record."""
    new = int(version.VERSION.split(".")[0]) >= 9
    several = [
        f"regular@{REGULAR}", f"reverse:{HERE}:{PLAIN}@{REVERSE}", f"reverse:https://127.0.0.1:{TWO}@{REVERSE_TWO}",
        f"reverse:tcp://127.0.0.1:{TCP}@{REVERSE_TCP}", f"dns@{DNS}",
    ]  # fmt: skip
    modes = [word for mode in several for word in ("--mode", mode)] if new else ["-p", str(REGULAR)]
    with tempfile.TemporaryDirectory() as folder:
        serve(TWO, two, certified(folder))
        serve(TCP, pong)
        threading.Thread(
            target=ThreadingHTTPServer(("127.0.0.1", PLAIN), Plain).serve_forever, daemon=True
        ).start()
        mitmdump = Path(sys.executable).with_name("mitmdump")
        options = [
            "-q",
            "-w",
            sys.argv[1],
            "--set",
            f"confdir={folder}",
            "--set",
            "ssl_insecure=true",
            *modes,
        ]
        with subprocess.Popen([mitmdump, *options]) as proxy:
            while subprocess.run(
                ["curl", "-s", f"{HERE}:{REGULAR}"], check=False, capture_output=True
            ).returncode:
                time.sleep(0.2)
            asked_regularly()
            if new:
                asked_in_reverse()
            time.sleep(0.5)
            proxy.terminate()


if __name__ == "__main__":
    main()
