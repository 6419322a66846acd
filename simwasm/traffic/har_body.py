"""The bodies of a HAR entry, and the headers that have to agree with them.

A HAR holds a response body after decoding: what was gzip on the wire is plain text in the file, next to the
headers of the gzip. The encoded bytes cannot be had back, so the headers are made to tell the truth about the
bytes that are replayed.

Rules that live here:
- A response loses `content-encoding`; a `content-length` that was there becomes the length of the recorded
  body. None is added. `transfer-encoding` stays: Envoy joins the chunks but lets filters see the header.
- A request's body was recorded as it was sent, so its `content-encoding` stays; its `content-length` is
  corrected likewise.
- Text is encoded with the charset of its media type, UTF-8 otherwise.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_plus

from simwasm.exchange import Headers, Message, first
from simwasm.traffic.json_field import Field

CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.ASCII | re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"\r\n]+)"|([^\s;"]+))', re.IGNORECASE)
_AS_IT_IS = ("", "utf-8", "utf8")


@dataclass(frozen=True, slots=True)
class Side:
    """A recorded request or response, and its headers as they were recorded."""

    field: Field
    headers: Headers


def well_formed(text: str) -> str:
    """Replace what is left of broken surrogate pairs, as a browser would before sending."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def framed(headers: Headers, body: bytes) -> Headers:
    """Let a `content-length` that is there tell the length of this body."""
    length = str(len(body))
    if first(headers, "content-length") in (None, length):
        return headers
    return tuple((name, length if name == "content-length" else value) for name, value in headers)


def received(answered: Side) -> bytes:
    """Return the recorded body of a response."""
    content = answered.field.find("content")
    return _content(content, _media_type(answered, content)) if content else b""


def posted(asked: Side) -> bytes:
    """Return the recorded body of a request; one that is kept only as form fields is written out again."""
    data = asked.field.find("postData")
    if data is None:
        return b""
    fields = tuple(data.each("params"))
    media_type = _media_type(asked, data)
    if data.text_of("text") or not fields:
        return _content(data, media_type)
    if media_type.lower().startswith("multipart/"):
        return _multipart(data, fields, media_type)
    pairs = (f"{_quoted(field, 'name')}={_quoted(field, 'value')}" for field in fields)
    return "&".join(pairs).encode()


def losses(entry: Field, asked: Side, request: Message, answered: Side | None) -> Iterator[str]:
    """Tell what the recording has lost of the bodies, wholly or in part, and what of it is not replayed."""
    content = answered.field.find("content") if answered else None
    if content and content.find("text") is None:
        size = content.integer_of("size")
        if content.find("_file"):
            yield "the response body is in a file of its own, which is not read: replayed without"
        elif size > 0:
            yield f"the response body of {size} bytes was not recorded: replayed without"
    sent, kept = first(asked.headers, "content-length"), len(request.data)
    if sent is not None and sent != str(kept):
        yield f"the request body had {sent} bytes, the recording holds {kept}: replayed with these"
    messages = entry.find("_webSocketMessages")
    if messages and messages.list():
        yield f"{len(messages.list())} WebSocket messages are not replayed: what a filter sees is the upgrade"


def _content(holder: Field, media_type: str) -> bytes:
    text, encoding = holder.text_of("text"), holder.text_of("encoding").lower()
    if encoding == "base64":
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except ValueError:
            raise holder.get("text").wrong("is not base64, though its encoding says so") from None
    if encoding not in _AS_IT_IS:
        raise holder.get("encoding").wrong("is an encoding that is not known here: known is base64")
    charset = CHARSET.search(media_type)
    try:
        return well_formed(text).encode(charset[1] if charset else "utf-8")
    except (LookupError, ValueError):
        return well_formed(text).encode()


def _media_type(side: Side, holder: Field) -> str:
    """The header knows more than the body's own `mimeType`, from which Chromium drops the charset."""
    return first(side.headers, "content-type") or holder.text_of("mimeType")


def _quoted(field: Field, key: str) -> str:
    return quote_plus(well_formed(field.text_of(key)))


def _multipart(data: Field, fields: tuple[Field, ...], media_type: str) -> bytes:
    found = _BOUNDARY.search(media_type)
    if found is None:
        raise data.wrong("has form fields but no text, and no boundary to write them with")
    boundary = found[1] or found[2]
    parts = "".join(f"--{boundary}\r\n{_part(field)}\r\n" for field in fields)
    return well_formed(f"{parts}--{boundary}--\r\n").encode()


def _part(field: Field) -> str:
    file_name, media_type = field.text_of("fileName"), field.text_of("contentType")
    disposition = f'form-data; name="{field.text_of("name")}"' + (
        f'; filename="{file_name}"' if file_name else ""
    )
    kind = f"Content-Type: {media_type}\r\n" if media_type else ""
    return f"Content-Disposition: {disposition}\r\n{kind}\r\n{field.text_of('value')}"
