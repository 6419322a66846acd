"""JSON, read into a tree in one pass over its tokens, without recursion.

It is YAML as well, but not for every reader of YAML (tabs, escapes, long names), and not as quickly. Rule: this is JSON
as RFC 8259 has it, so that what is no JSON may be tried as something else; several documents stand behind each other.
A dump of a proxy has megabytes of it, so what is usual takes one match of a pattern, and the rest is looked at again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # it is not told of, but was always there
from typing import NoReturn

from simwasm.config.tree import DEEPEST, MOST_VALUES, Node, Place, Scalar, enter, inside, whole
from simwasm.errors import ConfigError

_BLANK = re.compile(r"[ \t\r\n]*")
_NAME = re.compile(r'"([^"\\\x00-\x1f]*)"[ \t\r\n]*:[ \t\r\n]*')
"""A name without escapes, and what follows it."""
_SCALAR = re.compile(
    r'"([^"\\\x00-\x1f]*)"'
    r"|(-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null)(?![\w.+-])"
)
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
_LONGEST_NUMBER = 300
_ENDS = {"{": "}", "[": "]"}


class NotJson(ConfigError):
    """A text is not JSON; it may be something else."""


@dataclass(slots=True)
class _Open:
    """A list or an object that has not ended."""

    node: Node
    end: str
    key: Node | None = None
    empty: bool = True


def json_documents(text: str, file: str) -> list[tuple[Place, Node]]:
    """The documents of a text, each with the place where it begins."""
    reader = _Reader(text, file)
    found = []
    while reader.more():
        node = reader.document()
        found.append((node.place, node))
    return found


class _Reader:
    """Goes through a text."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file
        self._at = 0
        self._line, self._start, self._next_line = 1, 0, text.find("\n") + 1 or len(text) + 1
        self._values = 0
        self._open: list[_Open] = []

    def more(self) -> bool:
        """Whether another document follows."""
        return bool(self._next())

    def document(self) -> Node:
        """The next one."""
        node = self._value()
        while self._open:
            node = self._member(self._open[-1])
        return node

    def _next(self) -> str:
        """The character with which the next token begins; nothing at the end."""
        match = _BLANK.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return self._text[self._at : self._at + 1]

    def _member(self, around: _Open) -> Node:
        """One step in what is open: a member, or its end."""
        found = self._next()
        if found == around.end:
            self._at += 1
            self._open.pop()
            return self._put(around.node)
        if around.empty:
            around.empty = False
        elif found == ",":
            self._at += 1
            self._next()
        else:
            self._wrong(f"`,` or `{around.end}`")
        if around.end == "}":
            around.key = self._name()
        return self._value()

    def _name(self) -> Node:
        """A name and its colon."""
        place = self._place()
        match = _NAME.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
            return Node(place, match[1], match[1], quoted=True)
        if not self._text.startswith('"', self._at):
            self._wrong('a name in `"`')
        node = self._quoted(place)
        if self._next() != ":":
            self._wrong("`:`")
        self._at += 1
        self._next()
        return node

    def _value(self) -> Node:
        place = self._place()
        match = _SCALAR.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
            text = match[1]
            if text is not None:
                return self._put(Node(place, whole(text, place), text, quoted=True))
            return self._put(Node(place, self._plain(match, place), match[2]))
        found = self._text[self._at : self._at + 1]
        if found == '"':
            return self._put(self._quoted(place))
        if not found or found not in _ENDS:
            self._wrong("a value")
        if len(self._open) >= DEEPEST:
            raise ConfigError(f"{place}: is nested more than {DEEPEST} deep")
        self._at += 1
        node = Node(place, items=[]) if found == "[" else Node(place, entries={})
        self._open.append(_Open(node, _ENDS[found]))
        return node

    def _put(self, node: Node) -> Node:
        """Put a value that is complete into what is around it."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise ConfigError(f"{node.place}: has more than {MOST_VALUES:,} values")
        if self._open:
            around = self._open[-1]
            inside(around.node, node)
            if around.node.items is not None:
                around.node.items.append(node)
            else:
                assert around.key is not None
                enter(around.node, around.key, node)
        return node

    def _quoted(self, place: Place) -> Node:
        """A text with escapes, or with what is not allowed in one."""
        try:
            text, self._at = scanstring(self._text, self._at + 1, True)
        except ValueError as error:
            self._at = getattr(error, "pos", self._at)
            self._wrong("the rest of a text: it does not end, or has what must be escaped")
        return Node(place, whole(text, place), text, quoted=True)

    def _plain(self, match: re.Match[str], place: Place) -> Scalar:
        text = match[2]
        if text in _WORDS:
            return _WORDS[text]
        if len(text) > _LONGEST_NUMBER:
            raise ConfigError(f"{place}: is a number of {len(text):,} characters")
        return int(text) if match[3] is None and match[4] is None else float(text)

    def _place(self) -> Place:
        """Where reading is; it only goes forwards."""
        while self._at >= self._next_line:
            self._line, self._start = self._line + 1, self._next_line
            self._next_line = self._text.find("\n", self._start) + 1 or len(self._text) + 1
        return Place(self._file, self._line, self._at - self._start + 1)

    def _wrong(self, wanted: str) -> NoReturn:
        found = self._text[self._at : self._at + 1]
        there = f"not `{found}`" if found.isprintable() and found else "not this" if found else "but it ends"
        raise NotJson(f"{self._place()}: is not JSON: here must be {wanted}, {there}")
