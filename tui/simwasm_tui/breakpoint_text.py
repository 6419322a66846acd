"""A breakpoint as one line of text: its place, then what else was said of it.

get_header_map_value if key~"auth" hits >3 say {key} was asked for
"""

from __future__ import annotations

from simwasm.debug.breakpoints import Breakpoint

_WORDS = ("if", "hits", "say")


def written(breakpoint: Breakpoint) -> str:
    """A breakpoint's text."""
    parts = zip(_WORDS, (breakpoint.condition, breakpoint.rule, breakpoint.message), strict=True)
    return " ".join((breakpoint.where, *(f"{word} {text}" for word, text in parts if text)))
