"""YAML with the place of every value: file, line and column, so that whatever is wrong can be pointed at.

    root = read_tree("suite.yaml"); root.entry("cases")

Rules: built from the parser's events without recursion; plain values only, by YAML 1.2's core schema, so that `no` and
`2026-01-01` are texts; a scalar keeps how it was written; a key that is there twice is an error; what an alias repeats
counts each time, so that a small file cannot become a large one; `<<` merges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from simwasm.config.yaml_file import LARGEST
from simwasm.errors import ConfigError, InputError

MOST_VALUES = 1_000_000
_DEEPEST = 100
_MERGE = "<<"
_TAG = "tag:yaml.org,2002:"


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


_WORDS = {str: "a text", int: "a number", float: "a number", bool: "true or false", type(None): "nothing"}
_CORE: tuple[tuple[str, str, Callable[[str], Scalar]], ...] = (
    ("null", r"|~|null|Null|NULL", lambda text: None),
    ("bool", r"true|True|TRUE|false|False|FALSE", lambda text: text[0] in "tT"),
    ("int", r"[-+]?[0-9]{1,300}", int),
    ("int", r"0o[0-7]{1,300}", lambda text: int(text[2:], 8)),
    ("int", r"0x[0-9a-fA-F]{1,300}", lambda text: int(text[2:], 16)),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
    ("float", r"[-+]?\.(inf|Inf|INF)", lambda text: float(text.replace(".", ""))),
    ("float", r"\.(nan|NaN|NAN)", lambda text: float("nan")),
)
"""What an unquoted scalar can be beside a text (YAML 1.2.2, 10.3.2)."""
_TAGS = frozenset(("str", *(name for name, _, _ in _CORE)))
_FORMS = tuple((name, re.compile(form), read) for name, form, read in _CORE)


def read_tree(path: str | Path) -> Node:
    """The one document of a file."""
    try:
        data = Path(path).read_bytes()
        text = data.decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 at byte {error.start}") from None
    return tree_of(text, str(path))


def tree_of(text: str, file: str) -> Node:
    """The one document of a text."""
    import yaml  # type: ignore[import-untyped]  # it takes 30 ms, for those who have such a file

    if len(text) > LARGEST:
        raise ConfigError(f"{file}: is larger than {LARGEST >> 20} MiB")
    try:
        return _Builder(file).build(yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        raise ConfigError(f"{file}{where}: is not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: is not YAML: {str(error).splitlines()[0]}") from None


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended."""

    node: Node
    anchor: str | None
    key: Node | None = None
    merged: list[Node] = field(default_factory=list)


class _Builder:
    """Puts a tree together."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._root: Node | None = None
        self._size = 0

    def build(self, events: Iterator[Any]) -> Node:
        for event in events:
            name = type(event).__name__
            if name == "DocumentStartEvent" and self._root is not None:
                raise ConfigError(
                    f"{self._place(event)}: a second document begins here: write each to a file of its own"
                )
            step = _STEPS.get(name)
            if step is not None:
                step(self, event)
        if self._root is None:
            raise ConfigError(f"{self._file}: is empty")
        return self._root

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _begin(self, event: Any, node: Node) -> None:
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            raise ConfigError(f"{node.place}: the tag {event.tag} means nothing here: leave it out")
        if len(self._open) >= _DEEPEST:
            raise ConfigError(f"{node.place}: is nested more than {_DEEPEST} deep")
        self._open.append(_Open(node, event.anchor))

    def sequence(self, event: Any) -> None:
        self._begin(event, Node(self._place(event), items=[]))

    def mapping(self, event: Any) -> None:
        self._begin(event, Node(self._place(event), entries={}))

    def end(self, event: Any) -> None:
        ended = self._open.pop()
        node = ended.node
        for source in ended.merged:
            assert node.entries is not None and source.entries is not None
            node.entries |= {
                name: entry for name, entry in source.entries.items() if name not in node.entries
            }
        self._done(node, ended.anchor)

    def scalar(self, event: Any) -> None:
        node = Node(self._place(event), self._value(event), event.value)
        self._done(node, event.anchor)

    def alias(self, event: Any) -> None:
        place = self._place(event)
        found = self._anchors.get(event.anchor)
        if found is None:
            raise ConfigError(f"{place}: nothing before is called &{event.anchor}, or it has not ended here")
        self._add(found)

    def _value(self, event: Any) -> Scalar:
        text: str = event.value
        tag = event.tag.removeprefix(_TAG) if event.tag else None
        if event.implicit[0] or tag in _TAGS:
            for name, form, read in _FORMS:
                if tag in (None, name) and form.fullmatch(text):
                    return read(text)
            if tag not in (None, "str"):
                raise ConfigError(f"{self._place(event)}: `{text[:40]}` is no {tag}")
        elif event.tag not in (None, "!"):
            raise ConfigError(f"{self._place(event)}: the tag {event.tag} means nothing here: leave it out")
        return text

    def _done(self, node: Node, anchor: str | None) -> None:
        """A value is complete."""
        if anchor is not None:
            self._anchors[anchor] = node
        self._add(node)

    def _add(self, node: Node) -> None:
        """Put a value into what is open."""
        self._size += node.size
        if self._size > MOST_VALUES:
            raise ConfigError(f"{node.place}: has more than {MOST_VALUES:,} values, aliases counted")
        if not self._open:
            self._root = node
            return
        around = self._open[-1]
        around.node.size += node.size
        if around.node.items is not None:
            around.node.items.append(node)
        elif around.key is None:
            around.key = self._key(node)
        else:
            key, around.key = around.key, None
            self._enter(around, key, node)

    @staticmethod
    def _key(node: Node) -> Node:
        if not node.is_scalar:
            raise ConfigError(f"{node.place}: {node.kind} cannot be a name")
        return node

    @staticmethod
    def _enter(around: _Open, key: Node, node: Node) -> None:
        entries = around.node.entries
        assert entries is not None
        if key.text == _MERGE:
            sources = node.items if node.items is not None else [node]
            wrong = next((each for each in sources if each.entries is None), None)
            if wrong is not None:
                raise ConfigError(f"{wrong.place}: `<<` merges mappings, not {wrong.kind}")
            around.merged += sources
            return
        before = entries.get(key.text)
        if before is not None:
            raise ConfigError(
                f"{key.place}: `{key.text}` is there twice; line {before.place.line} has it, too: leave one out"
            )
        entries[key.text] = Entry(key.place, node)


_STEPS: dict[str, Callable[[_Builder, Any], None]] = {
    "SequenceStartEvent": _Builder.sequence,
    "MappingStartEvent": _Builder.mapping,
    "SequenceEndEvent": _Builder.end,
    "MappingEndEvent": _Builder.end,
    "ScalarEvent": _Builder.scalar,
    "AliasEvent": _Builder.alias,
}
