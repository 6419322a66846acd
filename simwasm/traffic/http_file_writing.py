"""Exchanges as an editor's request file: requests, to be sent again by hand. Responses have no place in it.

Rule: a body stands as its text; a `content-length` tells how many of the line ends behind it are its own.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import BinaryIO

from simwasm.exchange import Exchange, first, to_bytes
from simwasm.traffic.http_file import HttpFile
from simwasm.traffic.notes import Notes
from simwasm.traffic.reread import losses_of, write_reread


class HttpFileWriter:
    """The writer of editors' request files."""

    name = "editors' request files (.http, .rest)"
    formats = ("http", "rest")
    suffixes = (".http", ".rest")

    def write(self, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes) -> None:
        """Write a request after the other."""
        write_reread(losses_of("an editor's request file"), exchanges, stream, notes, _text, _again)


def _again(data: bytes) -> Iterable[Exchange]:
    return list(HttpFile().read(io.BytesIO(data), "-", Notes()))


def _text(exchange: Exchange) -> bytes:
    request = exchange.request
    method, path = request.header(":method") or "GET", request.header(":path") or "/"
    authority = request.header(":authority") or ""
    version = exchange.connection.protocol
    rooted = path.startswith("/")
    target = f"{request.header(':scheme') or 'http'}://{authority}{path}" if rooted else path
    headers = [header for header in request.headers if header[0][:1] != ":"]
    if not rooted:
        headers.insert(0, ("host", authority))
    body = request.data
    if body.endswith((b"\r", b"\n")) and first(tuple(headers), "content-length") is None:
        headers.append(("content-length", str(len(body))))
    title = f"### {exchange.name}".rstrip()
    lines = [title, f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers), ""]
    head = to_bytes("\n".join(lines))
    return head + (b"\n" + body + b"\n" if body else b"") + b"\n"
