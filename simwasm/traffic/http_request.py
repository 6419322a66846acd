"""The request that a block of an editor's request file makes: variables replaced, files read.

Rules that live here:
- A body's lines keep their ends, those behind its last line are no part of it; if the headers tell a longer
  `content-length`, line ends that are there count as far as that.
- Multipart bodies have CRLF, lines of a form are joined, GraphQL becomes its JSON, as the editors do it.
- `Authorization: Basic user password` becomes what is sent.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

from simwasm.exchange import Chunk, Exchange, Header, Message, decimal, first, lower, to_bytes, to_text
from simwasm.traffic.beside import Note, Read, reader_beside
from simwasm.traffic.http1_message import STATUS_LINE
from simwasm.traffic.http_block import Block, Line, without_version
from simwasm.traffic.http_variables import Variables
from simwasm.traffic.request_text import (
    LARGEST_BODY,
    Url,
    Wrong,
    asked,
    connection,
    encoded,
    measured,
    read_header,
    read_url,
    shortened,
)

_METHOD = re.compile(r"[A-Za-z]{3,20}")
_ANOTHER = {"GRPC", "WEBSOCKET", "RSOCKET"}
_VERSIONS = {"HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"}
_FILE = re.compile(r"<(?:@(\w+)?)?\s+(\S.*?)\s*")
_BASIC = re.compile(r"basic\s+([^\s:]+)(?:\s+|:)(\S.*)", re.IGNORECASE)
_OPERATION = re.compile(r"\s*(?:query|mutation|subscription)\s+(\w+)")


def read_block(block: Block, id: str, variables: Variables, where: str, note: Note) -> Exchange | None:
    """The exchange of a block, without a response; nothing for what is no HTTP."""
    assert block.request is not None
    begun, version = without_version(_at(block.request, variables))
    words = begun.split(None, 1)
    has_method = len(words) == 2 and _METHOD.fullmatch(words[0])
    method, target = (words[0].upper(), words[1]) if has_method else ("GET", begun)
    if method in _ANOTHER:
        note(f"{method} is no request of HTTP; left out")
        return None
    headers = list(_headers(block, variables))
    url = _url(target, headers)
    graphql = method == "GRAPHQL" or _removed(headers, "x-request-type").lower() == "graphql"
    protocol = _protocol(version, note)
    body = _body(block, headers, variables, reader_beside(where, note))
    if graphql:
        method = "POST" if method == "GRAPHQL" else method
        body = _graphql(body)
        if first(lower(headers), "content-type") is None:
            headers.append(("content-type", "application/json"))
    if url.user and first(lower(headers), "authorization") is None:
        headers.insert(0, ("authorization", basic(unquote(url.user))))
    chunks = (Chunk(body),) if body else ()
    return Exchange(id, 0, asked(method, url, headers, chunks), None, connection(url, protocol), block.name)


def read_saved_response(block: Block) -> Message:
    """The response that a block is."""
    assert block.request is not None
    found = STATUS_LINE.fullmatch(to_bytes(block.request.text))
    assert found is not None
    headers = lower(map(_header, block.headers))
    body = _exact(b"".join(_bytes(line) for line in block.body), headers)
    chunks = (Chunk(body),) if body else ()
    return Message(((":status", to_text(found[2])), *measured(headers, chunks)), chunks)


def basic(user: str) -> str:
    """What authorizes a user with a password, in one text with a colon between."""
    return f"Basic {base64.b64encode(to_bytes(user)).decode()}"


def _at(line: Line, variables: Variables) -> str:
    """A line with its variables replaced."""
    try:
        return variables.expand(line.text)
    except Wrong as wrong:
        raise Wrong(f"line {line.number}: {wrong}") from None


def _header(line: Line) -> Header:
    try:
        return read_header(line.text.strip())
    except Wrong as wrong:
        raise Wrong(f"line {line.number}: {wrong}") from None


def _headers(block: Block, variables: Variables) -> Iterator[Header]:
    for line in block.headers:
        name, value = _header(line._replace(text=_at(line, variables)))
        authorized = _BASIC.fullmatch(value) if name.lower() == "authorization" else None
        yield name, basic(f"{authorized[1]}:{authorized[2]}") if authorized else value


def _url(target: str, headers: list[Header]) -> Url:
    host = first(lower(headers), "host")
    if not target.startswith("/") and target != "*":
        return read_url(target)
    if host is None:
        raise Wrong(f"`{shortened(target)}` is a path, and no header Host tells where to")
    return read_url(host)._replace(path=encoded(target.partition("#")[0]))


def _removed(headers: list[Header], name: str) -> str:
    found = next((header for header in headers if header[0].lower() == name), None)
    if found is None:
        return ""
    headers.remove(found)
    return found[1]


def _protocol(version: str, note: Note) -> str:
    known = (version or "HTTP/1.1").removesuffix(".0") if version == "HTTP/2.0" else version or "HTTP/1.1"
    if known not in _VERSIONS:
        note(f"`{shortened(known)}` is no version of HTTP; taken for HTTP/1.1")
        return "HTTP/1.1"
    return known


def _body(block: Block, headers: list[Header], variables: Variables, read: Read) -> bytes:
    named = lower(headers)
    kind = (first(named, "content-type") or "").lower()
    parts = [_part(line, variables, read) for line in block.body]
    if kind.startswith("multipart/"):
        parts = [_with_crlf(part) for part in parts]
    elif kind.startswith("application/x-www-form-urlencoded") and len(parts) > 1:
        parts = [part.strip(b" \t\r\n") for part in parts]
    if sum(map(len, parts)) > LARGEST_BODY:
        raise Wrong(f"its body has more than {LARGEST_BODY:,} bytes")
    body = b"".join(parts)
    kept = _exact(body, named)
    if kind.startswith("multipart/") and kept and not kept.endswith(b"\r\n"):
        kept += b"\r\n"
    return kept


def _exact(body: bytes, headers: tuple[Header, ...]) -> bytes:
    """The body without the line ends behind it, but those that its length counts."""
    bare = body.rstrip(b"\r\n")
    told = decimal(first(headers, "content-length"))
    return body[:told] if told is not None and len(bare) <= told <= len(body) else bare


def _with_crlf(part: bytes) -> bytes:
    return part[:-1] + b"\r\n" if part.endswith(b"\n") and not part.endswith(b"\r\n") else part


def _bytes(line: Line) -> bytes:
    return to_bytes(line.text + line.end)


def _part(line: Line, variables: Variables, read: Read) -> bytes:
    """A line of a body, or the file that it stands for."""
    found = _FILE.fullmatch(line.text)
    if found is None:
        return to_bytes(_at(line, variables) + line.end)
    try:
        data = read(variables.expand(found[2]))
        if line.text.startswith("<@"):
            data = to_bytes(variables.expand(data.decode(found[1] or "utf-8", "surrogateescape")))
    except LookupError:
        raise Wrong(f"line {line.number}: `{found[1]}` is no encoding") from None
    except Wrong as wrong:
        raise Wrong(f"line {line.number}: {wrong}") from None
    return data + to_bytes(line.end)


def _graphql(body: bytes) -> bytes:
    """The JSON of a GraphQL request: the query, and the variables behind an empty line."""
    text = to_text(body)
    query, values = _query_and_variables(text)
    try:
        known = json.loads(values) if values.strip() else {}
    except (ValueError, RecursionError):
        query, known = text, {}
    named = _OPERATION.match(query)
    shown: dict[str, object] = {"query": query.strip()}
    shown |= {"operationName": named[1]} if named else {}
    return json.dumps(shown | {"variables": known}, ensure_ascii=False).encode("utf-8", "surrogateescape")


def _query_and_variables(text: str) -> tuple[str, str]:
    """What stands before the last empty line that an object follows, and that object."""
    lines = text.split("\n")
    following = ""
    for at in range(len(lines) - 1, -1, -1):
        bare = lines[at].strip()
        if not bare and following.startswith("{"):
            return "\n".join(lines[:at]), "\n".join(lines[at:])
        following = bare or following
    return text, ""
