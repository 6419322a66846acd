"""YAML and JSON with the place of every value: file, line and column, so that whatever is wrong can be pointed at.

    root = read_tree("suite.yaml"); root.entry("cases")
    for document in read_trees("applied.yaml"): ...

Rules: plain values only, by YAML 1.2's core schema, so that `no` and `2026-01-01` are texts; a scalar keeps how it was
written, for those who read it by other rules; a name that is there twice is an error; limits on size, values and
nesting hold with aliases counted, so that a small file cannot become a large one.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from simwasm.errors import ConfigError, InputError
from simwasm.trace.text import printable

MOST_VALUES = 1_000_000
LARGEST = 16 << 20
DEEPEST = 100
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),  # as PowerShell writes what a command prints
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HALF = re.compile("[\ud800-\udfff]")
_OF_DOCUMENTS = ("apiVersion", "static_resources")
"""Names that two documents have which somebody has put behind each other."""
_PAGES = ("<!doctype", "<html", "<?xml")


class Place(NamedTuple):
    """Where something is written; lines and columns from 1."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


Scalar = str | int | float | bool | None


@dataclass(slots=True)
class Node:
    """A value with its place: a scalar, a list, or entries by their names."""

    place: Place
    value: Scalar = None
    text: str = ""
    """A scalar as it is written."""
    items: list[Node] | None = None
    entries: dict[str, Entry] | None = None
    size: int = 1
    """How many values it is, aliases counted."""
    quoted: bool = False
    """Whether a scalar is a text because somebody said so."""
    depth: int = 1
    """How deep what is in it is nested, aliases counted."""
    merged: bool = False
    """Whether some of the entries came by `<<`, which not every reader knows."""

    @property
    def kind(self) -> str:
        """What it is, in words."""
        if self.entries is not None:
            return "a mapping"
        if self.items is not None:
            return "a list"
        return _WORDS[type(self.value)]

    @property
    def is_scalar(self) -> bool:
        return self.items is None and self.entries is None

    def plain(self) -> Any:
        """The value without places."""
        if self.entries is not None:
            return {name: entry.node.plain() for name, entry in self.entries.items()}
        return [each.plain() for each in self.items] if self.items is not None else self.value


class Entry(NamedTuple):
    """A named value of a mapping, and where its name is written."""

    place: Place
    node: Node
    quoted: bool = True
    """Whether the name is a text because somebody said so."""


_WORDS = {str: "a text", int: "a number", float: "a number", bool: "true or false", type(None): "nothing"}


def enter(mapping: Node, key: Node, node: Node) -> None:
    """Give a mapping an entry; one that it has already is an error."""
    assert mapping.entries is not None
    before = mapping.entries.get(key.text)
    if before is not None:
        name = printable(key.text[:60])
        remedy = "write `---` between two documents" if key.text in _OF_DOCUMENTS else "leave one out"
        raise ConfigError(
            f"{key.place}: `{name}` is there twice; line {before.place.line} has it, too: {remedy}"
        )
    mapping.entries[key.text] = Entry(key.place, node, key.quoted)


def inside(around: Node, node: Node) -> None:
    """Count a value to what it is put into."""
    around.size += node.size
    around.depth = max(around.depth, node.depth + 1)
    if around.depth > DEEPEST:
        raise ConfigError(f"{node.place}: is nested more than {DEEPEST} deep")


def whole(text: str, place: Place) -> str:
    """A text, if it is one that UTF-8 can say."""
    if not text.isascii() and _HALF.search(text):
        raise ConfigError(f"{place}: has half of a character (a lone surrogate): write the whole one")
    return text


def read_tree(path: str | Path) -> Node:
    """The one document of a file."""
    return tree_of(_text(path), str(path))


def read_trees(path: str | Path) -> tuple[Node, ...]:
    """The documents of a file; empty ones are no documents."""
    return trees_of(_text(path), str(path))


def tree_of(text: str, file: str) -> Node:
    """The one document of a text."""
    found = _documents(text, file)
    if len(found) > 1:
        raise ConfigError(f"{found[1][0]}: a second document begins here: write each to a file of its own")
    if not found:
        raise ConfigError(f"{file}: is empty")
    return found[0][1]


def trees_of(text: str, file: str) -> tuple[Node, ...]:
    """The documents of a text; empty ones are no documents."""
    found = (node for _, node in _documents(text, file))
    return tuple(node for node in found if not node.is_scalar or node.value is not None)


def _text(path: str | Path) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(2 * LARGEST + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return text_of(data, str(path))


def text_of(data: bytes, where: str) -> str:
    """The text that the bytes of a file are."""
    if len(data) > 2 * LARGEST:
        raise ConfigError(f"{where}: is larger than {LARGEST >> 20} MiB")
    mark, encoding = next((each for each in _MARKS if data.startswith(each[0])), (b"", "utf-8"))
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start + len(mark)) + 1
        raise ConfigError(
            f"{where}:{line}: is not {encoding.upper()} at byte {error.start + len(mark)}: save it as UTF-8"
        ) from None


def _documents(text: str, file: str) -> list[tuple[Place, Node]]:
    """Each document, and where it begins."""
    if len(text) > LARGEST:
        raise ConfigError(f"{file}: is larger than {LARGEST >> 20} MiB")
    text = text.removeprefix("\ufeff")
    start = text[:1000].lstrip()[:20].lower()
    if start.startswith(_PAGES):
        raise ConfigError(
            f"{file}:1:1: is a page for browsers, neither YAML nor JSON: was the right thing downloaded?"
        )
    if start[:1] in ("{", "["):
        from simwasm.config.json_tree import NotJson, json_documents

        try:
            return json_documents(text, file)
        except NotJson as error:
            if file.lower().endswith(".json"):
                raise ConfigError(
                    str(error)
                ) from None  # otherwise it is YAML, which may begin like this, too
    from simwasm.config.yaml_tree import yaml_documents

    return yaml_documents(text, file)
