"""Values of simwasm's own traffic files: pieces of bytes, connections, and texts that stand for bytes.

Rules that live here: what has its default value is left out; bytes are their text, or `{"base64": …}` where they are
not UTF-8; keys that are not known are refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Set
from dataclasses import fields
from typing import Any

from simwasm.exchange import Chunk, Connection, Tls, to_bytes
from simwasm.traffic.json_field import Field

_CHUNK = frozenset({"text", "base64", "after_ns"})


def shown_chunk(chunk: Chunk) -> object:
    """A piece of bytes as it is written."""
    after = {"after_ns": chunk.after_ns} if chunk.after_ns else {}
    try:
        text = chunk.data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(chunk.data).decode(), **after}
    return {"text": text, **after} if after else text


def differing(value: Connection | Tls, blank: Connection | Tls) -> dict[str, object]:
    """What differs from what is usual."""
    shown: dict[str, object] = {}
    for field in fields(value):
        found = getattr(value, field.name)
        if found != getattr(blank, field.name):
            shown[field.name] = differing(found, Tls()) if isinstance(found, Tls) else found
    return shown


def read_chunk(piece: Field) -> Chunk:
    """Read a piece of bytes."""
    if type(piece.value) is str:
        return Chunk(to_bytes(read_text(piece)))
    only(piece, _CHUNK)
    text, encoded = piece.find("text"), piece.find("base64")
    if (text is None) == (encoded is None):
        raise piece.wrong('must have one of "text" and "base64"')
    return Chunk(to_bytes(read_text(text)) if text else decoded(piece.get("base64")), read_after(piece))


def decoded(field: Field) -> bytes:
    """Read base64."""
    try:
        return base64.b64decode(field.text(), validate=True)
    except ValueError:
        raise field.wrong("is not base64") from None


def read_after(found: Field) -> int:
    """Read `after_ns`."""
    after = found.integer_of("after_ns")
    if after < 0:
        raise found.get("after_ns").wrong("must not be negative")
    return after


def read_connection(found: Field) -> Connection:
    """Read what is known of a connection."""
    return Connection(**_given(found, _CONNECTION))


def _tls(found: Field) -> Tls:
    return Tls(**_given(found, _TLS))


def _given(found: Field, kinds: dict[str, type]) -> dict[str, Any]:
    """Read what is there, each member as its default value is."""
    only(found, kinds.keys())
    return {key: _READERS[kinds[key]](found.get(key)) for key, value in found.members() if value is not None}


def _kinds(blank: Connection | Tls) -> dict[str, type]:
    return {field.name: type(getattr(blank, field.name)) for field in fields(blank)}


_CONNECTION, _TLS = _kinds(Connection()), _kinds(Tls())


def read_text(field: Field) -> str:
    """Read a text that stands for bytes."""
    text = field.text()
    if not text.isascii():
        try:
            to_bytes(text)
        except UnicodeEncodeError:
            raise field.wrong("has half of a surrogate pair, which stands for no byte") from None
    return text


def only(found: Field, known: Set[str]) -> None:
    """Refuse keys that are not known."""
    if type(found.value) is dict and found.value.keys() <= known:
        return
    unknown = found.keys() - known
    if unknown:
        raise found.wrong(
            f"has the unknown key {json.dumps(min(unknown))} (known: {', '.join(sorted(known))})"
        )


_READERS: dict[type, Callable[[Field], object]] = {
    int: Field.integer,
    bool: Field.flag,
    str: read_text,
    type(None): _tls,
}
