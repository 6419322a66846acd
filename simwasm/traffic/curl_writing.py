"""The request of an exchange as a curl command, for bash or zsh: told by the debugger, and a format of traffic.

Rules: what curl would add by itself is switched off, so that the same request is sent; bytes that are no text go
in as base64; what curl cannot send is told in a comment.
"""

from __future__ import annotations

import base64
import io
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from simwasm.exchange import Exchange, Message, first, to_bytes
from simwasm.traffic.curl import Curl
from simwasm.traffic.notes import Notes
from simwasm.traffic.reread import losses_of, write_reread

_PLAIN_PATH = re.compile(r"/[!$-\[\]-~]*")  # without blanks, quotation marks, number signs and backslashes
_LONGEST = 100_000
"""Of a text on the command line; kernels allow 128 KiB."""
_EXPECTS = 1 << 20
"""From here on curl asks before it sends a body."""
_MADE_BY_CURL = ("accept", "user-agent")
_LEFT_OUT = ("content-length", "connection", "keep-alive", "proxy-connection")
_VERSIONS = {
    ("http", "HTTP/1.0"): "--http1.0",
    ("https", "HTTP/1.0"): "--http1.0",
    ("https", "HTTP/1.1"): "--http1.1",
    ("http", "HTTP/2"): "--http2-prior-knowledge",
    ("https", "HTTP/2"): "--http2",
    ("https", "HTTP/3"): "--http3-only",
}


def curl_command(exchange: Exchange) -> str:
    """The command, over several lines."""
    request = exchange.request
    scheme = request.header(":scheme") or "http"
    version = _VERSIONS.get((scheme, exchange.connection.protocol), "")
    body = request.data
    piped = bool(body) and not _is_short_text(body)
    words = [
        *([version] if version else []),
        *_target(request, scheme),
        *_headers(request, version),
        *_body(body, piped),
    ]
    command = " \\\n  ".join([f"curl {words[0]}", *words[1:]])
    return "".join([*_remarks(request), _piped(body, command) if piped else f"{command}\n"])


def _target(request: Message, scheme: str) -> Iterator[str]:
    method, path = request.header(":method") or "GET", request.header(":path") or "/"
    root = f"{scheme}://{request.header(':authority') or 'localhost'}"
    if _PLAIN_PATH.fullmatch(path):
        yield quoted(f"{root}{path}")
        yield from (["--globoff"] if re.search(r"[\[\]{}]", path) else [])
        yield from (["--path-as-is"] if "/." in path else [])
    else:
        yield quoted(f"{root}/")
        yield f"--request-target {quoted(path)}"
    if method == "HEAD" and not request.data:
        yield "--head"
    elif method != ("POST" if request.data else "GET"):
        yield f"-X {quoted(method)}"


def _headers(request: Message, version: str) -> Iterator[str]:
    headers, body = request.headers, request.data
    for name, value in headers:
        if not name.startswith(":") and (name not in _LEFT_OUT or (name == "content-length" and not body)):
            yield f"-H {quoted(f'{name}: {value}' if value else f'{name};')}"
    off = [name for name in _MADE_BY_CURL if first(headers, name) is None]
    if body:
        off += ["content-type"] if first(headers, "content-type") is None else []
        off += ["expect"] if len(body) > _EXPECTS and first(headers, "expect") is None else []
    yield from (f"-H {quoted(f'{name}:')}" for name in off)
    framed = first(headers, "content-length") or first(headers, "transfer-encoding")
    if body and not framed and version in ("", "--http1.1"):
        yield "-H 'transfer-encoding: chunked'"


def _body(body: bytes, piped: bool) -> Iterator[str]:
    if piped:
        yield "--data-binary @-"
    elif body:
        yield f"--data-raw {quoted(body.decode())}"


def _is_short_text(body: bytes) -> bool:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return len(body) <= _LONGEST and all(char.isprintable() or char in "\n\t" for char in text)


def _piped(body: bytes, command: str) -> str:
    return f"base64 -d <<'END' | {command}\n{base64.encodebytes(body).decode()}END\n"


def _remarks(request: Message) -> Iterator[str]:
    if request.trailers:
        names = ", ".join(re.sub(r"[^!-~]", "?", name) for name, _ in request.trailers)
        yield f"# curl does not send the trailers: {names}\n"


def quoted(text: str) -> str:
    """One word of a shell: the bytes that this text stands for."""
    if text.isprintable() and (text.isascii() or text.encode("utf-8", "replace").decode() == text):
        return shlex.quote(text)
    shown = (
        chr(byte) if 32 <= byte < 127 and byte not in b"\\'" else f"\\x{byte:02x}" for byte in to_bytes(text)
    )
    return f"$'{''.join(shown)}'" if not _only_breaks(text) else shlex.quote(text)


def _only_breaks(text: str) -> bool:
    """Whether all that is unusual about a text are its line ends and tabs, which quotation marks keep."""
    return all(char.isprintable() or char in "\n\t" for char in text)


class CurlWriter:
    """The writer of files with curl commands."""

    name = "curl command lines (.sh, .curl)"
    formats = ("curl", "sh")
    suffixes = (".curl", ".sh")

    def write(self, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes) -> None:
        """Write a command after the other."""
        write_reread(losses_of("curl"), exchanges, stream, notes, _text, _again)


def _again(data: bytes) -> Iterable[Exchange]:
    return list(Curl().read(io.BytesIO(data), "-", Notes()))


def _text(exchange: Exchange) -> bytes:
    return to_bytes(curl_command(exchange) + "\n")
