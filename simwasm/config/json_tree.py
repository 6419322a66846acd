"""JSON, read into a tree in one pass over its tokens, without recursion.

It is YAML as well, but not for every reader of YAML (tabs, escapes, long names), and not as quickly. Rule: this is JSON
as RFC 8259 has it, so that what is no JSON may be tried as something else; several documents stand behind each other.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # it is not told of, but was always there
from typing import NoReturn

from simwasm.config.tree import DEEPEST, MOST_VALUES, Node, Place, Scalar, enter, inside, whole
from simwasm.errors import ConfigError

_BLANK = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null")
_BEHIND = re.compile(r"[\w.+-]")
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
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._values = 0
        self._open: list[_Open] = []

    def more(self) -> bool:
        """Whether another document follows."""
        return bool(self._next())

    def document(self) -> Node:
        """The next one."""
        node = self._value()
        while self._open:
            node = self._member()
        return node

    def _next(self) -> str:
        """The character with which the next token begins; nothing at the end."""
        match = _BLANK.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return self._text[self._at : self._at + 1]

    def _member(self) -> Node:
        """One step in what is open: a member, or its end."""
        around = self._open[-1]
        found = self._next()
        empty = not (around.node.items or around.node.entries)
        if found == around.end:
            self._at += 1
            self._open.pop()
            return self._put(around.node)
        if not empty:
            self._expect(",", f"`,` or `{around.end}`")
        if around.end == "}":
            around.key = self._name()
            self._expect(":", "`:`")
        return self._value()

    def _name(self) -> Node:
        if self._next() != '"':
            self._wrong('a name in `"`')
        return self._scalar(self._place())

    def _expect(self, mark: str, words: str) -> None:
        if self._next() != mark:
            self._wrong(words)
        self._at += 1

    def _value(self) -> Node:
        found = self._next()
        place = self._place()
        if found in _ENDS and found:
            if len(self._open) >= DEEPEST:
                raise ConfigError(f"{place}: is nested more than {DEEPEST} deep")
            self._at += 1
            node = Node(place, items=[]) if found == "[" else Node(place, entries={})
            self._open.append(_Open(node, _ENDS[found]))
            return node
        return self._put(self._scalar(place))

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

    def _scalar(self, place: Place) -> Node:
        if self._text.startswith('"', self._at):
            try:
                text, self._at = scanstring(self._text, self._at + 1, True)
            except ValueError as error:
                self._at = getattr(error, "pos", self._at)
                self._wrong("the rest of a text: it does not end, or has what must be escaped")
            return Node(place, whole(text, place), text, quoted=True)
        match = _PLAIN.match(self._text, self._at)
        if match is None or _BEHIND.match(self._text, match.end()):
            self._wrong("a value")
        self._at = match.end()
        return Node(place, self._plain(match, place), match[0])

    def _plain(self, match: re.Match[str], place: Place) -> Scalar:
        text = match[0]
        if text in _WORDS:
            return _WORDS[text]
        if len(text) > _LONGEST_NUMBER:
            raise ConfigError(f"{place}: is a number of {len(text):,} characters")
        return int(text) if match[1] is None and match[2] is None else float(text)

    def _place(self) -> Place:
        line = bisect_right(self._lines, self._at)
        return Place(self._file, line, self._at - self._lines[line - 1] + 1)

    def _wrong(self, wanted: str) -> NoReturn:
        found = self._text[self._at : self._at + 1]
        there = f"not `{found}`" if found.isprintable() and found else "not this" if found else "but it ends"
        raise NotJson(f"{self._place()}: is not JSON: here must be {wanted}, {there}")
