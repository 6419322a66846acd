"""Addresses as curl takes them: patterns for several, dots in paths, what is added to the query.

Rules that live here: `{a,b}` and `[1-3]` are several addresses, the last one counting fastest, and only so many; dots
are taken out of a path as curl does it, bytes that are not ASCII are percent-encoded in the path and stay in the query.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, product
from urllib.parse import quote

from simwasm.exchange import to_bytes
from simwasm.traffic.request_text import Url, Wrong, read_url, shortened, written_path

_MOST = 10_000
_SET = re.compile(
    r"\{([^{}]*)\}|\[(\d{1,9})-(\d{1,9})(?::(\d{1,9}))?\]|\[([a-zA-Z])-([a-zA-Z])(?::(\d{1,9}))?\]"
)
_V6 = re.compile(r"\[[0-9a-fA-F:.%]+\]")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


def several(text: str) -> Iterator[str]:
    """The addresses that a pattern stands for."""
    parts: list[list[str]] = []
    at = 0
    total = 1
    for found in _SET.finditer(text):
        literal = text[at : found.start()]
        parts += [[_without_escapes(literal, text)], _choices(found)]
        total *= len(parts[-1])
        if total > _MOST:
            raise Wrong(f"`{shortened(text)}` stands for more than {_MOST:,} addresses")
        at = found.end()
    parts.append([_without_escapes(text[at:], text)])
    return map("".join, product(*parts))


def _without_escapes(literal: str, text: str) -> str:
    plain = re.sub(r"\\([\[\]{}])", "", literal)
    if re.search(r"[\[\]{}]", _V6.sub("", plain)):
        raise Wrong(
            f"`{shortened(text)}` has a bracket that curl takes for a pattern: add -g, or write %5B, %7B"
        )
    return re.sub(r"\\([\[\]{}])", r"\1", literal)


def _choices(found: re.Match[str]) -> list[str]:
    chosen, low, high, step, first, last, stride = found.groups()
    if chosen is not None:
        return list(islice(chosen.split(","), _MOST + 1))
    if low is not None:
        width = len(low) if low.startswith("0") else 0
        numbers = range(int(low), int(high) + 1, int(step or 1) or 1)
        return [str(number).zfill(width) for number in numbers[: _MOST + 1]] or [""]
    return [chr(code) for code in range(ord(first), ord(last) + 1, int(stride or 1) or 1)] or [""]


def asked_at(text: str, queries: list[str], as_it_is: bool) -> Url:
    """The address of a request."""
    if re.search(r"[\x00-\x20\x7f]", text):
        raise Wrong(
            f"`{shortened(text)}` has a blank or a control character, which curl does not ask for: write %20"
        )
    url = read_url(text)
    path, mark, query = written_path(text).partition("?")
    path = quote(to_bytes(path), safe=_ASCII)
    path = path if as_it_is else without_dots(path)
    for more in queries:
        mark, query = "?", f"{query}&{more}" if query else more
    return url._replace(path=f"{path}{mark}{query}")


def without_dots(path: str) -> str:
    """A path without `.` and `..`, as RFC 3986 takes them out."""
    kept: list[str] = []
    parts = path.split("/")[1:]
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "..":
            if kept:
                kept.pop()
        elif part != ".":
            kept.append(part)
            continue
        if last:
            kept.append("")
    return "/" + "/".join(kept)
