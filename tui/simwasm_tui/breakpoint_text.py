"""A breakpoint as one line of text, to be written and changed: its place, then what else there is to say.

    get_header_map_value if key~"auth" hits >3 say {key} was asked for

Rule: what `written` gives, `read` understands as the same breakpoint.
"""

from __future__ import annotations

import re
from typing import Any

from simwasm.debug.breakpoints import Breakpoint, hit_rule

_PARTS = re.compile(r"\s+(if|hits|say)\s+")
_FIELDS = ("if", "hits", "say")


def written(breakpoint: Breakpoint) -> str:
    """A breakpoint's text."""
    parts = zip(_FIELDS, (breakpoint.condition, breakpoint.rule, breakpoint.message), strict=True)
    return " ".join((breakpoint.where, *(f"{word} {text}" for word, text in parts if text)))


def read(text: str) -> tuple[str, dict[str, Any]]:
    """The place and the settings of a text; an `InputError` for a rule of hits that is none."""
    said = ""
    if found := re.search(r"\s+say\s+", text):
        text, said = text[: found.start()], text[found.end() :]
    pieces = _PARTS.split(text)
    settings = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    return pieces[0].strip(), {
        "condition": settings.get("if", "").strip(),
        "message": said.strip(),
        **hit_rule(settings.get("hits", "")),
    }
