"""Rust's older mangling: a C++ name of plain parts, the last of which is a hash.

A linker that knows only C++ makes `core::ptr::drop_in_place$LT$u8$GT$::h0123456789abcdef` of it: that is undone, too.
"""

from __future__ import annotations

import re

_PART = re.compile(r"[1-9][0-9]{0,4}")
_HASH = re.compile(r"17h[0-9a-f]{16}E")
_ESCAPES = {"SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ","}
_ESCAPE = re.compile(r"\$(SP|BP|RF|LT|GT|LP|RP|C|u[0-9a-f]{1,6})\$")


_HASHED = re.compile(r"(.+)::h[0-9a-f]{16}", re.DOTALL)


def rust_hashed(symbol: str) -> str | None:
    """Undo what a linker of C++ has left of it; None for a name that is not of that kind.

    >>> rust_hashed("core::ptr::drop_in_place$LT$u8$GT$::h0123456789abcdef")
    'core::ptr::drop_in_place<u8>'
    """
    found = _HASHED.fullmatch(symbol)
    return "::".join(_unescape(part) for part in found[1].split("::")) if found else None


def rust_legacy(symbol: str) -> str | None:
    """Undo it; None for a name that is not of that kind.

    >>> rust_legacy("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE")
    'core::fmt::Write::write_fmt'
    """
    if not symbol.startswith("_ZN"):
        return None
    parts = []
    at = 3
    while not _HASH.match(symbol, at):
        digits = _PART.match(symbol, at)
        if digits is None or digits.end() + int(digits[0]) > len(symbol):
            return None
        parts.append(symbol[digits.end() : digits.end() + int(digits[0])])
        at = digits.end() + int(digits[0])
    return "::".join(_unescape(part) for part in parts) or None


def _unescape(part: str) -> str:
    if part.startswith("_$"):
        part = part[1:]
    return _ESCAPE.sub(_character, part.replace("..", "::"))


def _character(match: re.Match[str]) -> str:
    code = match[1]
    if code in _ESCAPES:
        return _ESCAPES[code]
    number = int(code[1:], 16)
    return chr(number) if number <= 0x10FFFF else match[0]
