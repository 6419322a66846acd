"""The members of a tar archive, one after the other.

Rules: names are texts and never paths of this machine; what describes a member (long names, the attributes of pax) is
small or refused; of links and devices there is only the fact that they are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from simwasm.errors import InputError
from simwasm.modules.unpacking import LARGEST_MODULE, Unpacked

MOST_MEMBERS = 100_000
_BLOCK = 512
_LARGEST_DESCRIPTION = 1 << 20
_MAGIC = slice(257, 262)
_KINDS = {
    b"\0": "a file",
    b"0": "a file",
    b"7": "a file",
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a pipe",
    b"S": "a file with holes",
}
_ATTRIBUTE = re.compile(rb"(\d{1,10}) ([^=]{1,1000})=")


@dataclass
class Member:
    """What is in the archive under a name; it can be read until the next one is asked for."""

    name: str
    kind: str
    size: int
    link: str
    _stream: Unpacked
    _left: int

    def read(self, most: int = LARGEST_MODULE) -> bytes:
        """The content of a file."""
        if self.size > most:
            raise InputError(
                f"{self._stream.where}: {self.name} has {self.size:,} bytes; {most:,} are the most"
            )
        data = self._stream.read(self.size)
        if len(data) < self.size:
            raise _cut(self._stream)
        self._left -= self.size
        return data

    def leave(self) -> None:
        """Pass over what has not been read."""
        rest = self._left + -self.size % _BLOCK
        if self._stream.skip(rest) < self._left:
            raise _cut(self._stream)


def is_tar(head: bytes) -> bool:
    """Whether a file begins like an archive; that takes 512 bytes."""
    return head[_MAGIC] == b"ustar"


def members(stream: Unpacked) -> Iterator[Member]:
    """The members in their order."""
    described: dict[str, str] = {}
    for _ in range(MOST_MEMBERS):
        header = stream.read(_BLOCK)
        if not header.strip(b"\0"):
            return
        if len(header) < _BLOCK:
            raise _cut(stream)
        kind, size = header[156:157], _number(header[124:136], stream)
        if not _is_whole(header):
            raise InputError(f"{stream.where}: is no tar archive, or is damaged")
        if kind in b"xgLK":
            described |= _description(kind, _small(stream, size))
            continue
        if described.get("size", "").isdecimal():
            size = int(described["size"][:20])
        holds = size if _KINDS.get(kind, "a file") == "a file" or kind == b"S" else 0
        name = described.get("path", _name(header))
        link = described.get("linkpath", _text(header[157:257]))
        member = Member(name, _KINDS.get(kind, "of an unknown kind"), size, link, stream, holds)
        yield member
        member.leave()
        described = {}
    raise InputError(f"{stream.where}: has more than {MOST_MEMBERS:,} members")


def _cut(stream: Unpacked) -> InputError:
    return InputError(f"{stream.where}: is cut: the archive ends within a member")


def _is_whole(header: bytes) -> bool:
    """Whether the header's sum is right; its own field counts as spaces."""
    told = header[148:156].strip(b" \0")
    return (
        bool(re.fullmatch(b"[0-7]{1,8}", told))
        and int(told, 8) == sum(header[:148]) + sum(header[156:]) + 256
    )


def _number(field: bytes, stream: Unpacked) -> int:
    """A number in octal digits, or in binary where the first bit says so."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not re.fullmatch(b"[0-7]*", digits):
        raise InputError(f"{stream.where}: is no tar archive, or is damaged")
    return int(digits or b"0", 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _name(header: bytes) -> str:
    folder = _text(header[345:500]) if header[_MAGIC] == b"ustar" and header[262:263] == b"\0" else ""
    return f"{folder}/{_text(header[:100])}" if folder else _text(header[:100])


def _small(stream: Unpacked, size: int) -> bytes:
    if size > _LARGEST_DESCRIPTION:
        raise InputError(
            f"{stream.where}: describes a member in {size:,} bytes; {_LARGEST_DESCRIPTION:,} are the most"
        )
    data = stream.read(size)
    stream.skip(-size % _BLOCK)
    return data


def _description(kind: bytes, data: bytes) -> dict[str, str]:
    """What is told about the next member."""
    if kind == b"g":
        return {}
    if kind != b"x":
        return {"path" if kind == b"L" else "linkpath": _text(data)}
    found = {}
    at = 0
    while attribute := _ATTRIBUTE.match(data, at):
        end = at + max(int(attribute[1]), 1)
        found[_text(attribute[2])] = data[attribute.end() : end - 1].decode("utf-8", "replace")
        at = max(end, attribute.end())
    return found
