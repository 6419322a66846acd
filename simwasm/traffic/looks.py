"""What a file that no importer reads looks like, so that its user knows what happened to it."""

from __future__ import annotations

import re

_LOOKS = (
    (rb"\s*$", "is empty"),
    (rb"\0asm", "is a WebAssembly module, which is a plugin and not traffic"),
    (rb"\x1f\x8b|\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", "is packed more than twice: unpack it first"),
    (rb"BZh|\xfd7zXZ|PK\x03\x04", "is compressed in a way that is not read here: unpack it first"),
    (rb"(?s).{257}ustar", "is a tar archive: unpack it first"),
    (rb"\xff\xfe|\xfe\xff", "is UTF-16 text: save it as UTF-8"),
    (rb"[\xd4\xa1]\xc3\xb2\xa1|\xa1\xb2[\xc3\x3c][\xd4\x4d]|\x0a\x0d\x0d\x0a", "is a packet capture"),
    (rb"SQLite format 3\0", "is a database"),
    (rb"(?is)\s*<(!doctype html|html|head|body)", "is an HTML page, perhaps an error page that was saved"),
    (rb"\s*<", "is XML"),
    (rb"(?s).*[\0-\x08\x0e-\x1a\x1c-\x1f]", "is binary"),
    (rb'\s*(\{|\[[\s\[]*([{"\]\d-]|true\b|false\b|null\b|$))', "is JSON, but of no kind that is known here"),
    (rb"(?m)(?s:.*?)^(apiVersion|kind|static_resources):", "is a configuration, which is no traffic"),
)


def looks(head: bytes) -> str:
    """What this is, by how it begins."""
    return next((found for pattern, found in _LOOKS if re.match(pattern, head)), "is of no format known here")
