"""JSON over as many lines as it has parts, its numbers and texts exactly as they were written. Pure."""

from __future__ import annotations

import json
import re

from simwasm_tui.text import Line, Piece, clean

LARGEST = 1 << 20
"""Characters up to which a text is set out."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_DEEPEST = 40
_LONG = 2000
_MOST = 20_000


def why_not(text: str) -> str:
    """Why a text cannot be shown as JSON; empty if it can."""
    if len(text) > LARGEST:
        return f"{len(text):,} characters are too much to be set out"
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "it is nested too deeply"
    return ""


def pretty(text: str) -> list[Line]:
    """The lines of a text that is JSON."""
    lines: list[Line] = []
    current: list[Piece] = []
    depth, before = 0, ""

    def end() -> None:
        nonlocal current
        if current:
            lines.append((("  " * min(depth, _DEEPEST), ""), *current))
        current = []

    tokens = _TOKEN.findall(text)
    for index, token in enumerate(tokens):
        if len(lines) > _MOST:
            return [*lines, (("… there is more", "muted"),)]
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token in "]}" and before not in ("{", "["):
            end()
            depth -= 1
        current.append(_piece(token, following))
        if token in ("{", "[") and following not in ("}", "]"):
            end()
            depth += 1
        elif token == ",":
            end()
        before = token if token in ("{", "[") and following in ("}", "]") else ""
    end()
    return lines


def _piece(token: str, following: str) -> Piece:
    if token == ":":
        return ": ", "muted"
    if token in "{}[],":
        return token, "muted"
    text = clean(token if len(token) <= _LONG else f'{token[:_LONG]}…" ({len(token):,} characters)')
    if token[0] == '"':
        return text, "accent" if following == ":" else "string"
    return text, "action" if token in ("true", "false", "null") else "number"
