"""One message of HTTP/1.1 as RFC 9112 has it, read from a stream, with the pieces that its body came in.

Rules that live here: what could be read in two ways is refused and never guessed, since that is how requests are
smuggled: a length told twice, a length next to chunks, a name with a blank behind it, a folded line; where a message
ends although it is refused is said if that is certain.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from simwasm.exchange import Chunk, Header, Headers, decimal, lower, to_text
from simwasm.traffic.request_text import LARGEST_BODY, MOST_HEADERS, Wrong, read_header, shortened
from simwasm.traffic.text_stream import TextStream, TooLong, bare

REQUEST_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) ([\x21-\x7e\x80-\xff]+) HTTP/(1\.[01]|2|2\.0|3)", re.DOTALL
)
STATUS_LINE = re.compile(rb"HTTP/(1\.[01]|2|2\.0|3) ([1-9]\d\d)(?: ([^\0\r]*))?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\0\r\n]*)")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\0\r]*)?")
_MOST_CHUNKS = 1_000_000
_LARGEST_HEAD = 1 << 24
_LONGEST_SIZE = 4096


class Cut(Exception):
    """The file ends inside of a message."""


class Body(NamedTuple):
    """A body, the trailers behind it, and what of its form is not kept."""

    chunks: tuple[Chunk, ...] = ()
    trailers: Headers = ()
    dropped: str = ""


NO_BODY = Body()


def read_fields(text: TextStream, what: str = "headers") -> Headers:
    """Header lines up to the empty one; names in lower case."""
    headers: list[Header] = []
    started, where = text.byte, f"its {what}"
    while line := _line(text, where):
        plain = _FIELD.fullmatch(line)
        if plain:
            headers.append((to_text(plain[1]), to_text(plain[2].strip(b" \t"))))
        elif line[:1] in b" \t":
            raise Wrong(f"`{shortened(to_text(line))}` goes on with the header before: join the lines")
        else:
            headers.append(read_header(to_text(line)))
        if len(headers) > MOST_HEADERS or text.byte - started > _LARGEST_HEAD:
            raise Wrong(f"there are more {what} than anybody sends ({len(headers):,})")
    return lower(headers)


def _line(text: TextStream, where: str) -> bytes:
    try:
        line = text.raw_line()
    except TooLong as error:
        raise Wrong(f"{where} have {error}") from None
    if not line.endswith(b"\n"):
        raise Cut(f"in {where}")
    return bare(line)


def request_body(headers: Headers, version: str, text: TextStream) -> Body:
    """The body of a request: one that tells no length has none."""
    chunked, length = _framing(headers, version)
    return _chunks(text) if chunked else _counted(length or 0, text)


def response_body(headers: Headers, version: str, text: TextStream) -> Body:
    """The body of a response that may have one: it goes on to the end of the file where it tells no length."""
    chunked, length = _framing(headers, version)
    if chunked:
        return _chunks(text)
    if length is not None:
        return _counted(length, text)
    rest = text.piece(LARGEST_BODY + 1)
    if len(rest) > LARGEST_BODY:
        raise Wrong(f"its body has more than {LARGEST_BODY:,} bytes")
    return Body((Chunk(rest),) if rest else ())


def _framing(headers: Headers, version: str) -> tuple[bool, int | None]:
    """Whether it comes in chunks, or how long it is."""
    codings = [value for name, value in headers if name == "transfer-encoding"]
    lengths = {
        part.strip() for name, value in headers if name == "content-length" for part in value.split(",")
    }
    if len(lengths) > 1:
        raise Wrong(f"it has different lengths: {shortened(', '.join(sorted(lengths)))}")
    length = decimal(next(iter(lengths))) if lengths else None
    if lengths and length is None:
        raise Wrong(f"its content-length is `{shortened(next(iter(lengths)))}`, which is no number")
    if codings and version == "1.0":
        raise Wrong("it has a transfer-encoding, which HTTP/1.0 does not know")
    if codings and [coding.lower() for coding in codings] != ["chunked"]:
        raise Wrong(f"its transfer-encoding is `{shortened(', '.join(codings))}`: only chunked is read here")
    return bool(codings), length


def both_told(headers: Headers) -> bool:
    """Whether it tells a length next to its chunks: the chunks count, and it is refused."""
    names = {name for name, _ in headers}
    return {"transfer-encoding", "content-length"} <= names


def _counted(length: int, text: TextStream) -> Body:
    if length > LARGEST_BODY:
        skipped = 0
        while skipped < length and (part := len(text.piece(min(length - skipped, 1 << 20)))):
            skipped += part
        raise Wrong(f"its body has {length:,} bytes, and only {LARGEST_BODY:,} are read")
    data = text.piece(length)
    if len(data) < length:
        raise Cut(f"in its body: {len(data):,} of {length:,} bytes are there")
    return Body((Chunk(data),) if data else ())


def _chunks(text: TextStream) -> Body:
    chunks: list[Chunk] = []
    total, dropped = 0, ""
    while True:
        size, extended = _size(text)
        dropped = "chunk extensions" if extended else dropped
        if size == 0:
            break
        total += size
        if total > LARGEST_BODY or len(chunks) == _MOST_CHUNKS:
            raise Wrong(f"its body has more than {LARGEST_BODY:,} bytes or {_MOST_CHUNKS:,} chunks")
        data = text.piece(size)
        if len(data) < size:
            raise Cut(f"in a chunk: {len(data):,} of its {size:,} bytes are there")
        if _line(text, "its chunks"):
            raise Wrong(f"a chunk of {size:,} bytes is followed by more; its size is wrong")
        chunks.append(Chunk(data))
    trailers = read_fields(text, "trailers")
    # An empty body that is there is a piece of its own: its headers did not end the message.
    return Body(tuple(chunks) or (() if trailers else (Chunk(b""),)), trailers, dropped)


def _size(text: TextStream) -> tuple[int, bool]:
    line = _line(text, "its chunks")
    found = _SIZE.fullmatch(line) if len(line) <= _LONGEST_SIZE else None
    if found is None:
        raise Wrong(f"`{shortened(to_text(line))}` is not the size of a chunk, a hexadecimal number")
    return int(found[1], 16), found[2] is not None
