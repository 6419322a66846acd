"""The words of a command line as Windows' cmd and PowerShell take it apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

from simwasm.traffic.request_text import Wrong
from simwasm.traffic.shell_lines import More, following

_SLASHES = re.compile(r"\\+")


def cmd(line: str, more: More) -> Iterator[str]:
    """Windows: carets first, as cmd does, then quotation marks, as programs do."""
    text = _without_carets(line, more)
    parts: list[str] = []
    quoted = begun = False
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            found = _SLASHES.match(text, at)
            end = found.end() if found else at + 1
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


def _without_carets(line: str, more: More) -> str:
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


def powershell(line: str, more: More) -> Iterator[str]:
    """PowerShell: backticks escape, a quotation mark in quotation marks is doubled."""
    parts: list[str] = []
    quote = ""
    begun = False
    at = 0
    while True:
        if at >= len(line) or (line[at] in "\r\n" and not quote):
            if not quote:
                break
            line, at = following(more, quote), 0
        char = line[at]
        if char == "`" and quote != "'":
            if line[at + 1 : at + 4] in ("\n", "\r\n"):
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
