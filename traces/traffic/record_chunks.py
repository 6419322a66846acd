"""Records response_body_chunks.jsonl: answers piece by piece, with the time each piece took, and trailers.

    pip install httpbin; python traces/traffic/record_chunks.py

No HAR can hold these. Two answers come from httpbin; the third comes from a server of a few lines, because httpbin
cannot be made to break a word in two or to send trailers.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from httpbin import app  # type: ignore[import-untyped]  # it has no types
from werkzeug.serving import WSGIRequestHandler, make_server

from simwasm.exchange import Chunk, Connection, Exchange, Header, Message, lower, request
from simwasm.traffic.jsonl import write

TARGET = Path(__file__).with_name("response_body_chunks.jsonl")
HTTPBIN, BROKEN = 8000, 8001
ASKED = (
    (HTTPBIN, "/stream/3?word=secret", "a line a chunk"),
    (HTTPBIN, "/stream-bytes/40?chunk_size=16&seed=7", "bytes that are no text"),
    (BROKEN, "/", "a word broken in two, trailers"),
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n",
    b"7\r\nthe sec\r\n",
    b"b\r\nret is out\n\r\n",
    b"0\r\nx-sum: 18\r\n\r\n",
)


def exchange(number: int, port: int, path: str, name: str) -> Exchange:
    """Ask, and keep what comes."""
    asked = request("GET", path, host=f"httpbin:{port}", headers=[("accept", "*/*")])
    started = time.time_ns()
    with socket.create_connection(("127.0.0.1", port)) as link, link.makefile("rb") as stream:
        link.sendall(f"GET {path} HTTP/1.1\r\nhost: httpbin:{port}\r\naccept: */*\r\n\r\n".encode())
        answered = message(stream)
        source = "{}:{}".format(*link.getsockname())
    return Exchange(
        str(number), started, asked, answered, Connection(number, source, f"127.0.0.1:{port}"), name
    )


def message(stream: BinaryIO) -> Message:
    """Read one chunked answer."""
    began = time.monotonic_ns()
    status = stream.readline().split()[1].decode()
    headers = ((":status", status), *lower(fields(stream)))
    after = time.monotonic_ns() - began
    return Message(headers, tuple(chunks(stream)), lower(fields(stream)), after)


def fields(stream: BinaryIO) -> Iterator[Header]:
    """Read header lines up to the blank one."""
    while line := stream.readline().rstrip().decode():
        name, value = line.split(":", 1)
        yield name, value.strip()


def chunks(stream: BinaryIO) -> Iterator[Chunk]:
    """Read chunks up to the one of size 0."""
    before = time.monotonic_ns()
    while size := int(stream.readline(), 16):
        data, now = stream.read(size + 2)[:size], time.monotonic_ns()
        yield Chunk(data, now - before)
        before = now


def answer(listener: socket.socket) -> None:
    """Send the prepared answer to the first who asks, with a pause before every piece."""
    link, _ = listener.accept()
    with link:
        link.recv(4096)
        for piece in ANSWER:
            time.sleep(0.02)
            link.sendall(piece)


def main() -> None:
    """Start both servers, ask, write the file."""
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    httpbin = make_server("127.0.0.1", HTTPBIN, app, threaded=True)
    with socket.create_server(("127.0.0.1", BROKEN)) as listener, TARGET.open("wb") as stream:
        threading.Thread(target=httpbin.serve_forever, daemon=True).start()
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        write((exchange(number, *asked) for number, asked in enumerate(ASKED, 1)), stream)
    httpbin.shutdown()


if __name__ == "__main__":
    main()
