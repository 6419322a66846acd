"""What curl's `-F` sends: multipart/form-data.

Rules that live here: the boundary looks like curl's, and is made from the parts, so that it is the same in every run;
a file has the media type that curl gives its suffix.
"""

from __future__ import annotations

import hashlib
import os.path
import re
from collections.abc import Iterator
from typing import NamedTuple

from simwasm.exchange import to_bytes
from simwasm.traffic.beside import Read
from simwasm.traffic.request_text import Wrong, shortened

_KINDS = {
    ".gif": "image/gif", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml",
    ".txt": "text/plain", ".htm": "text/html", ".html": "text/html", ".pdf": "application/pdf",
    ".xml": "application/xml",
}  # fmt: skip
_MODIFIER = re.compile(r";\s*(type|filename|headers|encoder)=(\"(?:[^\"\\]|\\.)*\"|[^;]*)")


class Part(NamedTuple):
    """One field of a form."""

    name: str
    data: bytes
    kind: str = ""
    file: str | None = None
    headers: tuple[str, ...] = ()


def read_part(text: str, read: Read) -> Part:
    """Understand one `-F`."""
    name, equals, rest = text.partition("=")
    if not equals:
        raise Wrong(f"-F {shortened(text)}: is not NAME=CONTENT")
    if rest.startswith("(") or name == "":
        raise Wrong(f"-F {shortened(text)}: parts inside of parts are not known here")
    content, said = _modifiers(rest)
    kind, headers = said.get("type", [""])[-1], tuple(said.get("headers", ()))
    if content.startswith("<"):
        return Part(name, read(_unquoted(content[1:])), kind, None, headers)
    if not content.startswith("@"):
        file = said.get("filename", [None])[-1]
        return Part(
            name, to_bytes(_unquoted(content)), kind or (_kind(file, "") if file else ""), file, headers
        )
    path = _unquoted(content[1:])
    if "," in path and not content.startswith('@"'):
        raise Wrong(f"-F {shortened(text)}: several files in one field are not known here")
    file = said.get("filename", [os.path.basename(path)])[-1]
    return Part(name, read(path), kind or _kind(file, "application/octet-stream"), file, headers)


def _kind(file: str, otherwise: str) -> str:
    return _KINDS.get(os.path.splitext(file)[1].lower(), otherwise or "application/octet-stream")


def _modifiers(text: str) -> tuple[str, dict[str, list[str]]]:
    """The content, and what is said behind it."""
    said: dict[str, list[str]] = {}
    begin = text.find('"', 1) if text[:1] in '"' else text.find('"', 2) if text[:2] in ('@"', '<"') else 0
    first = _MODIFIER.search(text, max(begin, 0))
    for found in _MODIFIER.finditer(text, first.start() if first else len(text)):
        said.setdefault(found[1], []).append(_unquoted(found[2].strip()))
    return (text[: first.start()] if first else text), said


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text.startswith('"') and text.endswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def multipart(parts: list[Part]) -> tuple[str, bytes]:
    """The media type and the body of a form."""
    digest = hashlib.sha256(b"\0".join(to_bytes(part.name) + part.data for part in parts)).hexdigest()
    boundary = f"{'-' * 24}{digest[:16]}"
    lines = b"".join(b"".join(_written(part, boundary)) for part in parts)
    return f"multipart/form-data; boundary={boundary}", lines + to_bytes(f"--{boundary}--\r\n")


def _written(part: Part, boundary: str) -> Iterator[bytes]:
    file = f'; filename="{_quoted(part.file)}"' if part.file is not None else ""
    yield to_bytes(f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.name)}"{file}\r\n')
    for line in ([f"Content-Type: {part.kind}"] if part.kind else []) + list(part.headers):
        yield to_bytes(f"{line}\r\n")
    yield b"\r\n" + part.data + b"\r\n"


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
