"""What a test hands over, as it likes to write it: headers as a mapping or pairs, a body in one piece or in several.

Rule: a slip is an `InputError` that names the argument.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from simwasm.errors import InputError
from simwasm.exchange import Connection, Header, Message, lower, request, response, to_text
from simwasm.host.clock import SECOND

Text = str | bytes
GivenHeaders = Mapping[str, Text | Iterable[Text]] | Iterable[tuple[str, Text]]
GivenBody = bytes | str | Iterable[bytes | str]

_LINE = {"host": ":authority"}
"""What stands for a pseudo header."""
PROTOCOLS = {"HTTP/1.1": "http", "HTTP/1.0": "http", "HTTP/2": "http", "HTTP/3": "https"}


def headers(given: GivenHeaders, what: str = "headers") -> tuple[Header, ...]:
    """Headers as pairs; a name with several values is there several times."""
    pairs: Any = given.items() if isinstance(given, Mapping) else given
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Iterable):
        raise InputError(f"{what}: give a mapping or pairs, not {pairs!r}")
    found: list[Header] = []
    for pair in pairs:
        try:
            name, value = pair
        except (TypeError, ValueError):
            raise InputError(f"{what}: {pair!r} is no pair of a name and a value") from None
        several = not isinstance(value, (str, bytes)) and isinstance(value, Iterable)
        found += [
            (_text(name, what), _text(each, f"{what}: {name}")) for each in (value if several else (value,))
        ]
    return tuple(found)


def _text(value: object, what: str) -> str:
    if isinstance(value, bytes):
        return to_text(value)
    if not isinstance(value, str):
        raise InputError(f"{what}: {value!r} is no text; write {str(value)!r}")
    return value


def body(given: GivenBody, what: str = "body") -> bytes | tuple[bytes, ...]:
    """A body: bytes for one piece, a tuple of them for several."""
    if isinstance(given, (bytes, str, bytearray)):
        return _bytes(given, what)
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise InputError(f"{what}: {type(given).__name__} is no body; give bytes, a text, or a list of them")
    return tuple(_bytes(piece, what) for piece in given)


def _bytes(value: object, what: str) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if not isinstance(value, (bytes, bytearray)):
        raise InputError(f"{what}: {value!r} is neither bytes nor a text")
    return bytes(value)


def as_json(value: object) -> bytes:
    """A value as JSON, for bodies and configurations."""
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except (TypeError, ValueError) as error:
        raise InputError(f"this cannot be written as JSON: {error}") from None


def nanoseconds(seconds: float, what: str) -> int:
    """A number of seconds of virtual time."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e9:
        raise InputError(f"{what}: {seconds!r} is no number of seconds (0.5, 3600)")
    return round(seconds * SECOND)


def asked(method: str, path: str, host: str, scheme: str, fields: GivenHeaders, content: GivenBody,
          trailers: GivenHeaders) -> Message:  # fmt: skip
    """A request; what headers say of it counts more than what it has by default."""
    behind, pieces, fields = headers(trailers, "trailers"), body(content), lower(headers(fields))
    if behind and isinstance(pieces, bytes):
        pieces = (pieces,) if pieces else ()
    line = {":method": method, ":path": path, ":authority": host, ":scheme": scheme}
    line |= {_LINE.get(name, name): value for name, value in fields if _LINE.get(name, name) in line}
    method, path, host, scheme = (_text(value, name.lstrip(":")) for name, value in line.items())
    if path[:1] != "/" and path != "*" and "://" not in path and method != "CONNECT":
        raise InputError(f"path: `{path}` does not begin with `/`")
    rest = [(name, value) for name, value in fields if _LINE.get(name, name) not in line]
    return request(method, path, host=host, scheme=scheme, headers=rest, body=pieces, trailers=behind)


def answered(
    status: int, fields: GivenHeaders, content: GivenBody, trailers: GivenHeaders, after: float
) -> Message:
    """A response."""
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 999:
        raise InputError(f"status: {status!r} is no number from 100 to 999")
    behind, pieces = headers(trailers, "trailers"), body(content)
    if behind and isinstance(pieces, bytes):
        pieces = (pieces,) if pieces else ()
    return response(
        int(status),
        headers=headers(fields),
        body=pieces,
        trailers=behind,
        after_ns=nanoseconds(after, "after"),
    )


def connection(protocol: str) -> Connection:
    """A client's connection that speaks this protocol."""
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol: `{protocol}` is none of {', '.join(PROTOCOLS)}")
    return Connection(protocol=protocol)
