"""The words and operators of a command line as bash and its kin take it apart.

Rule: nothing is replaced; what only a shell knows (`$TOKEN`, `$(…)`) is a `Wrong`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from simwasm.exchange import to_bytes, to_text
from simwasm.traffic.request_text import Wrong, shortened
from simwasm.traffic.shell_lines import More, following


class Operator(str):
    """What separates words and is none."""


_BLANK = re.compile(r"[ \t\r\f\v]+|\\\r?\n")
_PLAIN = re.compile(r"[^\s'\"\\$`;&|<>()]+")
_OPERATOR = re.compile(r"<<-?|[;|]+|&+(?!>)|&?\d?[<>]+&?(?:\d|-)?|[()]")
_IN_QUOTES = re.compile(r'[^"\\$`]+')
_VARIABLE = re.compile(r"\$(?:\w+|\{[^}]*\}?|[@*#?$!-])")


def bash(line: str, more: More) -> Iterator[str]:
    """The words and operators of one line, and of those it goes on with."""
    at = 0
    while at < len(line):
        if line[at] == "\n":
            return
        blank = _BLANK.match(line, at)
        if blank:
            at = blank.end()
            if blank[0].endswith("\n"):
                line, at = more(), 0
            continue
        if line[at] == "#":
            return
        operator = _OPERATOR.match(line, at)
        if operator:
            yield Operator(operator[0])
            at = operator.end()
            continue
        parts: list[bytes] = []
        while at < len(line) and line[at] not in " \t\r\n\f\v" and not _OPERATOR.match(line, at):
            line, at = _BASH.get(line[at], _plain)(line, at, more, parts)
        yield to_text(b"".join(parts))


_Part = Callable[[str, int, More, list[bytes]], tuple[str, int]]


def _plain(line: str, at: int, more: More, parts: list[bytes]) -> tuple[str, int]:
    found = _PLAIN.match(line, at)
    end = found.end() if found else at + 1
    parts.append(to_bytes(line[at:end]))
    return line, end


def _escaped(line: str, at: int, more: More, parts: list[bytes]) -> tuple[str, int]:
    if line[at + 1 : at + 3].startswith(("\n", "\r\n")):
        return more(), 0
    parts.append(to_bytes(line[at + 1 : at + 2]))
    return line, at + 2


def _single(line: str, at: int, more: More, parts: list[bytes]) -> tuple[str, int]:
    at += 1
    while (end := line.find("'", at)) < 0:
        parts.append(to_bytes(line[at:]))
        line, at = following(more, "'"), 0
    parts.append(to_bytes(line[at:end]))
    return line, end + 1


def _double(line: str, at: int, more: More, parts: list[bytes]) -> tuple[str, int]:
    at += 1
    while True:
        if at >= len(line):
            line, at = following(more, '"'), 0
        char = line[at]
        if char == '"':
            return line, at + 1
        if char == "\\":
            after = line[at + 1 : at + 2]
            if after in '"\\$`':
                parts.append(to_bytes(after))
            elif after != "\n":
                parts.append(to_bytes(line[at : at + 2]))
            at += 2
        elif char in "$`":
            line, at = _dollar(line, at, more, parts, quoted=True)
        else:
            found = _IN_QUOTES.match(line, at)
            end = found.end() if found else at + 1
            parts.append(to_bytes(line[at:end]))
            at = end


def _dollar(line: str, at: int, more: More, parts: list[bytes], quoted: bool = False) -> tuple[str, int]:
    if not quoted and line.startswith("$'", at):
        return _ansi(line, at + 2, more, parts)
    if not quoted and line.startswith('$"', at):
        return _double(line, at + 1, more, parts)
    if line[at] == "`" or line.startswith("$(", at):
        raise Wrong("a command inside of a command (`…` or $(…)) is not run here: write what it gives")
    variable = _VARIABLE.match(line, at)
    if variable:
        raise Wrong(
            f"{shortened(variable[0])} is a variable of the shell, which is not known here: write its value"
        )
    parts.append(b"$")
    return line, at + 1


_ESCAPES = {
    "n": b"\n", "t": b"\t", "r": b"\r", "a": b"\a", "b": b"\b", "e": b"\x1b", "E": b"\x1b", "f": b"\f", "v": b"\v",
    "\\": b"\\", "'": b"'", '"': b'"', "?": b"?",
}  # fmt: skip
_ANSI = re.compile(
    r"[^'\\]+|\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|"
    r"u([dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|(.))",
    re.DOTALL,
)


def _ansi(line: str, at: int, more: More, parts: list[bytes]) -> tuple[str, int]:
    """`$'…'`; what a browser wrote as two halves of a character is that character."""
    while True:
        if at >= len(line):
            line, at = following(more, "'"), 0
        if line[at] == "'":
            return line, at + 1
        found = _ANSI.match(line, at)
        if found is None:  # a backslash at the very end of the file
            raise Wrong("a quotation mark ' is never closed")
        parts.append(_ansi_bytes(found))
        at = found.end()


def _ansi_bytes(found: re.Match[str]) -> bytes:
    hexadecimal, octal, pair, short, long, other = found.groups()
    if hexadecimal or octal:
        return bytes([int(hexadecimal, 16) if hexadecimal else int(octal, 8) & 0xFF])
    if pair:
        high, low = int(pair[:4], 16), int(pair[6:], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).encode()
    if short or long:
        number = int(short or long, 16)
        if number > 0x10FFFF:
            raise Wrong(f"\\U{long} is no character")
        return chr(number).encode("utf-8", "surrogatepass")
    if other:
        return _ESCAPES.get(other, b"\\" + to_bytes(other))
    return to_bytes(found[0])


_BASH: dict[str, _Part] = {"'": _single, '"': _double, "\\": _escaped, "$": _dollar, "`": _dollar}
