"""Command lines taken apart as shells do it: bash and its kin, Windows' cmd, PowerShell.

Rules that live here: nothing is run, and nothing is replaced: what only a shell knows (`$TOKEN`, `$(…)`) is a `Wrong`.
Words are texts that stand for bytes. A line that goes on is put together: a backslash, caret or backtick at its end, or
a quotation mark that is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from simwasm.exchange import to_bytes, to_text
from simwasm.traffic.request_text import LARGEST_BODY, Wrong, shortened
from simwasm.traffic.text_stream import TextStream, TooLong, bare

MOST_WORDS = 100_000
_More = Callable[[], str]


class Stage(NamedTuple):
    """One command of a pipeline, and what is fed to it by `<<`."""

    words: tuple[str, ...]
    fed: bytes | None = None


class CommandLine(NamedTuple):
    """Pipelines of one line, where it began, and why it could not be read."""

    line: int
    pipelines: tuple[tuple[Stage, ...], ...] = ()
    wrong: str = ""


class _Operator(str):
    """What separates words and is none."""


def command_lines(text: TextStream) -> Iterator[CommandLine]:
    """Go through the lines of a file that have words."""
    while True:
        number = text.line
        lines = _Lines(text)
        try:
            first = lines()
            if not first:
                return
            tokens = list(_shell_of(first)(first, lines))
            pipelines = tuple(_pipelines(tokens, lines))
        except (Wrong, TooLong) as wrong:
            yield CommandLine(number, wrong=str(wrong))
            continue
        if pipelines:
            yield CommandLine(number, pipelines)


class _Lines:
    """Gives the next line of a file, as long as one command may be."""

    def __init__(self, text: TextStream) -> None:
        self._text = text
        self._size = 0

    def __call__(self) -> str:
        line = self._text.raw_line(LARGEST_BODY)
        self._size += len(line)
        if self._size > LARGEST_BODY:
            raise Wrong(f"one command has more than {LARGEST_BODY:,} bytes")
        return to_text(line)


def _shell_of(line: str) -> Callable[[str, _More], Iterator[str]]:
    """Whose command it looks like."""
    end = line.rstrip("\r\n")
    quoted = re.search(r".?['\"]", line)
    if end.endswith("^") or (quoted and quoted[0].startswith("^")):
        return _cmd
    if end.endswith((" `", "\t`")):
        return _powershell
    return _bash


_BLANK = re.compile(r"[ \t\r\f\v]+|\\\r?\n")
_PLAIN = re.compile(r"[^\s'\"\\$`;&|<>()]+")
_OPERATOR = re.compile(r"<<-?|[;|]+|&+(?!>)|&?\d?[<>]+&?(?:\d|-)?|[()]")
_IN_QUOTES = re.compile(r'[^"\\$`]+')
_VARIABLE = re.compile(r"\$(?:\w+|\{[^}]*\}?|[@*#?$!-])")


def _bash(line: str, more: _More) -> Iterator[str]:
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
            yield _Operator(operator[0])
            at = operator.end()
            continue
        parts: list[bytes] = []
        while at < len(line) and line[at] not in " \t\r\n\f\v" and not _OPERATOR.match(line, at):
            line, at = _BASH.get(line[at], _plain)(line, at, more, parts)
        yield to_text(b"".join(parts))


_Part = Callable[[str, int, _More, list[bytes]], tuple[str, int]]


def _plain(line: str, at: int, more: _More, parts: list[bytes]) -> tuple[str, int]:
    found = _PLAIN.match(line, at)
    end = found.end() if found else at + 1
    parts.append(to_bytes(line[at:end]))
    return line, end


def _escaped(line: str, at: int, more: _More, parts: list[bytes]) -> tuple[str, int]:
    if line[at + 1 : at + 3].startswith(("\n", "\r\n")):
        return more(), 0
    parts.append(to_bytes(line[at + 1 : at + 2]))
    return line, at + 2


def _single(line: str, at: int, more: _More, parts: list[bytes]) -> tuple[str, int]:
    at += 1
    while (end := line.find("'", at)) < 0:
        parts.append(to_bytes(line[at:]))
        line, at = _next(more, "'"), 0
    parts.append(to_bytes(line[at:end]))
    return line, end + 1


def _next(more: _More, mark: str) -> str:
    line = more()
    if not line:
        raise Wrong(f"a quotation mark {mark} is never closed")
    return line


def _double(line: str, at: int, more: _More, parts: list[bytes]) -> tuple[str, int]:
    at += 1
    while True:
        if at >= len(line):
            line, at = _next(more, '"'), 0
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


def _dollar(line: str, at: int, more: _More, parts: list[bytes], quoted: bool = False) -> tuple[str, int]:
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


def _ansi(line: str, at: int, more: _More, parts: list[bytes]) -> tuple[str, int]:
    """`$'…'`; what a browser wrote as two halves of a character is that character."""
    while True:
        if at >= len(line):
            line, at = _next(more, "'"), 0
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


def _cmd(line: str, more: _More) -> Iterator[str]:
    """Windows: carets first, as cmd does, then quotation marks, as programs do."""
    text = _without_carets(line, more)
    parts: list[str] = []
    quoted = begun = False
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            end = (
                at + len(text[at:]) - len(text[at:].lstrip("\\")) if text[at + 1 : at + 2] == "\\" else at + 1
            )
            slashes, mark = end - at, text[end : end + 1] == '"'
            parts.append("\\" * (slashes // 2 if mark else slashes))
            begun = True
            if mark and slashes % 2:
                parts.append('"')
                end += 1
            at = end
            continue
        if char == '"':
            if quoted and text[at + 1 : at + 2] == '"':
                parts.append('"')
                at += 1
            else:
                quoted = not quoted
            begun = True
        elif char in " \t\r\n" and not quoted:
            if begun:
                yield "".join(parts)
            parts, begun = [], False
        else:
            parts.append(char)
            begun = True
        at += 1
    if quoted:
        raise Wrong('a quotation mark " is never closed')
    if begun:
        yield "".join(parts)


def _without_carets(line: str, more: _More) -> str:
    parts: list[str] = []
    quoted = False
    while True:
        bare_line = line.rstrip("\r\n")
        at = 0
        goes_on = False
        while at < len(bare_line):
            char = bare_line[at]
            if char == "^" and not quoted:
                at += 1
                goes_on = at == len(bare_line)
                parts.append(bare_line[at : at + 1])
            else:
                quoted ^= char == '"'
                parts.append(char)
            at += 1
        if not goes_on:
            return "".join(parts)
        line = more()
        if line in ("\n", "\r\n"):  # a caret takes the line end behind it as it is
            parts.append("\n")
            line = more()


_TICKS = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


def _powershell(line: str, more: _More) -> Iterator[str]:
    """PowerShell: backticks escape, a quotation mark in quotation marks is doubled."""
    parts: list[str] = []
    quote = ""
    begun = False
    at = 0
    while True:
        if at >= len(line) or (line[at] in "\r\n" and not quote):
            if not quote:
                break
            line, at = _next(more, quote), 0
        char = line[at]
        if char == "`" and quote != "'":
            if line[at + 1 :] in ("\n", "\r\n"):
                line, at = more(), 0
                continue
            parts.append(_TICKS.get(line[at + 1 : at + 2], line[at + 1 : at + 2]))
            begun = True
            at += 1
        elif quote and char == quote:
            if line[at + 1 : at + 2] == quote:
                parts.append(quote)
                at += 1
            else:
                quote = ""
        elif not quote and char in "'\"":
            quote, begun = char, True
        elif not quote and char in " \t":
            if begun:
                yield "".join(parts)
            parts, begun = [], False
        else:
            parts.append(char)
            begun = True
        at += 1
    if begun:
        yield "".join(parts)


def _pipelines(tokens: list[str], lines: _More) -> Iterator[tuple[Stage, ...]]:
    """Sort words into commands, and commands into pipelines."""
    if len(tokens) > MOST_WORDS:
        raise Wrong(f"one command has more than {MOST_WORDS:,} words")
    stages: list[Stage] = []
    words: list[str] = []
    fed: bytes | None = None
    rest = iter(tokens)
    for token in rest:
        if not isinstance(token, _Operator):
            words.append(token)
        elif token.startswith("<<"):
            fed = _fed(next(rest, ""), token == "<<-", lines)
        elif "<" in token or ">" in token:
            if token[-1:] not in "0123456789-":
                next(rest, None)
        else:
            if words:
                stages.append(Stage(tuple(words), fed))
            words, fed = [], None
            if token != "|" and stages:
                yield tuple(stages)
                stages = []
    if words:
        stages.append(Stage(tuple(words), fed))
    if stages:
        yield tuple(stages)


def _fed(end: str, tabs: bool, lines: _More) -> bytes:
    """What stands in the lines up to this one."""
    parts: list[bytes] = []
    while True:
        line = lines()
        if not line:
            raise Wrong(f"what is fed by <<{shortened(end)} never ends")
        data = to_bytes(line).lstrip(b"\t") if tabs else to_bytes(line)
        if to_text(bare(data)) == end:
            return b"".join(parts)
        parts.append(data)
