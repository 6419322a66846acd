"""The words of a file in protobuf's text format: names, numbers, strings with their escapes taken, and signs.

Rule: what is read are texts that stand for bytes, so that a string may have bytes that are no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from simwasm.config.tree import Place
from simwasm.exchange import to_bytes, to_text
from simwasm.protobuf_text import NoCharacter, NoEscape, unescaped
from simwasm.suites.google.record import Builder
from simwasm.suites.shape import wrong
from simwasm.trace.text import printable

_TOKEN = re.compile(
    r"""(?P<space>(?:[ \t\r\n\v\f]+|\#[^\n]*)+)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[A-Za-z0-9_.]*)
      | (?P<string>"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')
      | (?P<sign>[{}<>\[\]:,;-])""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """A word, and where it is. `kind` is name, number, string, sign or end."""

    kind: str
    text: str
    place: Place


def tokens(text: str, builder: Builder) -> Iterator[Token]:
    """The words, and an end behind them."""
    at, line, start = 0, 1, 0
    while at < len(text):
        place = builder.place(line, at - start + 1)
        found = _TOKEN.match(text, at)
        if found is None:
            wrong(place, _stray(text, at))
        kind, word = found.lastgroup or "", found[0]
        if kind == "string":
            word = _unescaped(word[1:-1], place)
        if kind != "space":
            yield Token(kind, word, place)
        at = found.end()
        breaks = found[0].count("\n")
        if breaks:
            line, start = line + breaks, text.rindex("\n", 0, at) + 1
    yield Token("end", "", builder.place(line, at - start + 1))


def _stray(text: str, at: int) -> str:
    sign = text[at]
    if sign in "\"'":
        return f"this string does not end in its line. Close it by {sign}, and go on with another one in the next line"
    return f"`{printable(sign)}` has no meaning here; texts stand between quotes, and a comment begins with #"


def _unescaped(text: str, place: Place) -> str:
    """A string's bytes, as a text."""
    try:
        return to_text(unescaped(to_bytes(text)))
    except NoEscape as error:
        sign = printable(to_text(error.sign))
        wrong(place, f"`\\{sign}` is no escape; a backslash itself is written `\\\\`, in a regex too")
    except NoCharacter as error:
        wrong(place, str(error))
