"""YAML, built into a tree from its parser's events, without recursion.

Rules: scalars are what YAML 1.2's core schema says; an alias stands for the same values, and they count each time; `<<`
merges; tags that would make anything else than a plain value are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from simwasm.config.tree import DEEPEST, MOST_VALUES, Node, Place, Scalar, enter, inside, whole
from simwasm.errors import ConfigError
from simwasm.trace.text import printable

_MERGE = "<<"
_TAG = "tag:yaml.org,2002:"
_TEMPLATE = ": a template of Helm? `helm template` makes YAML of it"
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
_NUMBERS = frozenset(f"{_TAG}{name}" for name, _, _ in _CORE)
_FORMS = tuple((name, re.compile(form), read) for name, form, read in _CORE)


def yaml_documents(text: str, file: str) -> list[tuple[Place, Node]]:
    """The documents of a text, each with the place where it begins."""
    import yaml  # type: ignore[import-untyped]  # it takes 30 ms, for those who have such a file

    try:
        return _Builder(file).build(yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        raise ConfigError(
            f"{file}{where}: is not YAML: {error.problem or error.context}{_hint(text)}"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: is not YAML: {str(error).splitlines()[0]}") from None


def _hint(text: str) -> str:
    return _TEMPLATE if "{{" in text and "}}" in text else ""


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended."""

    node: Node
    anchor: str | None
    key: Node | None = None
    merged: list[Node] = field(default_factory=list)


class _Builder:
    """Puts trees together."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._found: list[tuple[Place, Node]] = []
        self._begins = Place(file)
        self._size = 0

    def build(self, events: Iterator[Any]) -> list[tuple[Place, Node]]:
        for event in events:
            step = _STEPS.get(type(event).__name__)
            if step is not None:
                step(self, event)
        return self._found

    def document(self, event: Any) -> None:
        self._anchors = {}
        self._begins = self._place(event)

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _begin(self, event: Any, node: Node) -> None:
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            raise ConfigError(
                f"{node.place}: the tag {printable(event.tag[:60])} means nothing here: leave it out"
            )
        if len(self._open) >= DEEPEST:
            raise ConfigError(f"{node.place}: is nested more than {DEEPEST} deep")
        self._open.append(_Open(node, event.anchor))

    def sequence(self, event: Any) -> None:
        self._begin(event, Node(self._place(event), items=[]))

    def mapping(self, event: Any) -> None:
        self._begin(event, Node(self._place(event), entries={}))

    def end(self, event: Any) -> None:
        ended = self._open.pop()
        node = ended.node
        node.merged = bool(ended.merged)
        for source in ended.merged:
            assert node.entries is not None and source.entries is not None
            node.entries |= {
                name: entry for name, entry in source.entries.items() if name not in node.entries
            }
        self._done(node, ended.anchor)

    def scalar(self, event: Any) -> None:
        place = self._place(event)
        node = Node(place, self._value(event), whole(event.value, place), quoted=self._quoted(event))
        self._done(node, event.anchor)

    def alias(self, event: Any) -> None:
        place = self._place(event)
        found = self._anchors.get(event.anchor)
        if found is None:
            raise ConfigError(
                f"{place}: nothing before is called &{printable(event.anchor[:60])}, or it has not ended here "
                "(a document knows the names of no other)"
            )
        self._add(found)

    @staticmethod
    def _quoted(event: Any) -> bool:
        """Whether a scalar is a text whatever it looks like."""
        return not event.implicit[0] and event.tag not in _NUMBERS

    def _value(self, event: Any) -> Scalar:
        text: str = event.value
        tag = event.tag.removeprefix(_TAG) if event.tag else None
        if event.implicit[0] or tag in _TAGS:
            for name, form, read in _FORMS:
                if tag in (None, name) and form.fullmatch(text):
                    return read(text)
            if tag not in (None, "str"):
                raise ConfigError(f"{self._place(event)}: `{printable(text[:40])}` is no {tag}")
        elif event.tag not in (None, "!"):
            raise ConfigError(
                f"{self._place(event)}: the tag {printable(event.tag[:60])} means nothing here: leave it out"
            )
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
            self._found.append((self._begins, node))
            return
        around = self._open[-1]
        inside(around.node, node)
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
            hint = _TEMPLATE if node.entries is not None else ""
            raise ConfigError(f"{node.place}: {node.kind} cannot be a name{hint}")
        return node

    @staticmethod
    def _enter(around: _Open, key: Node, node: Node) -> None:
        if key.text == _MERGE and not key.quoted:
            sources = node.items if node.items is not None else [node]
            wrong = next((each for each in sources if each.entries is None), None)
            if wrong is not None:
                raise ConfigError(f"{wrong.place}: `<<` merges mappings, not {wrong.kind}")
            around.merged += sources
            return
        enter(around.node, key, node)


_STEPS: dict[str, Callable[[_Builder, Any], None]] = {
    "DocumentStartEvent": _Builder.document,
    "SequenceStartEvent": _Builder.sequence,
    "MappingStartEvent": _Builder.mapping,
    "SequenceEndEvent": _Builder.end,
    "MappingEndEvent": _Builder.end,
    "ScalarEvent": _Builder.scalar,
    "AliasEvent": _Builder.alias,
}
