"""Reading a test file in YAML.

Rules: fields have their names, or those of JSON (`requestHeaders`), or those of the first reader (`tests`,
`body_chunking_plan`, a header as `name: value`); bytes are written as text; a single value may stand for a list of one;
null is as if nothing were said.
"""

from __future__ import annotations

import re

from simwasm.config.tree import Node
from simwasm.suites.google.record import Builder, Record, Scalar, checked_number, checked_text, level
from simwasm.suites.google.schema import EARLIER_IN_YAML, ENUMS, MESSAGES, RANGES, Field
from simwasm.suites.shape import wrong

_PLAN = "body_chunking_plan"
_HUMP = re.compile(r"[A-Z]")
_NUMBER = re.compile(r"-?[0-9]{1,40}|0[xX][0-9a-fA-F]{1,40}")
_SORTS = {"string": "a text", "bytes": "a text", "bool": "true or false", "LogLevel": "a level's name"}


def suite_record(tree: Node) -> Record:
    """The suite that a document means."""
    suite = Record("TestSuite", tree.place)
    _Reader(Builder(tree.place.file)).fields(suite, tree)
    return suite


class _Reader:
    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def fields(self, record: Record, node: Node) -> None:
        """Put what a mapping says into a message."""
        if node.entries is None:
            fields = ", ".join(MESSAGES[record.kind])
            wrong(node, f"here {record.kind} is expected, a mapping of {fields}, not {node.kind}")
        for key, entry in node.entries.items():
            place, value = entry.place, entry.node
            if record.kind == "Test" and _snake("", key) == _PLAN:
                self._plan(record, value)
                continue
            name, wanted = self._builder.field(record, _snake(record.kind, key), place)
            if value.is_scalar and value.value is None:
                continue
            self._builder.open(record, name, place)
            for each in _each(name, wanted, value):
                self._builder.add(record, name, self._value(name, wanted.kind, each), each.place)

    def _plan(self, record: Record, node: Node) -> None:
        """The number of chunks, or their size, which stood one level deeper."""
        if node.entries is None or not {*map(_plain, node.entries)} <= {"num_chunks", "chunk_size"}:
            wrong(node, f"{_PLAN} has `num_chunks` or `chunk_size`")
        self.fields(record, node)

    def _value(self, name: str, kind: str, node: Node) -> Scalar | Record:
        if kind in MESSAGES:
            return self._message(kind, node)
        if not node.is_scalar or node.value is None:
            wrong(node, f"`{name}` is {_SORTS.get(kind, 'a whole number')}, not {node.kind}")
        return _scalar(name, kind, node)

    def _message(self, kind: str, node: Node) -> Record:
        made = Record(kind, node.place)
        if kind == "Header" and ":" in node.text[1:]:
            at = node.text.index(":", 1)
            self._builder.add(made, "key", node.text[:at], node.place)
            self._builder.add(made, "value", node.text[at + 1 :].strip(" \t"), node.place)
        else:
            self.fields(made, node)
        return made


def _each(name: str, wanted: Field, node: Node) -> list[Node]:
    if node.items is None:
        return [node]
    if not wanted.many:
        wrong(node, f"`{name}` has one value, so a list cannot stand here")
    return node.items


def _scalar(name: str, kind: str, node: Node) -> Scalar:
    text, place = node.text, node.place
    if kind in ("string", "bytes"):
        return checked_text(kind, text, place)
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    number = int(text, 16 if text[:2].lower() == "0x" else 10) if _NUMBER.fullmatch(text) else None
    if kind in ENUMS:
        return level(text.upper() if number is None else number, kind, place)
    if number is None or kind not in RANGES:
        wrong(place, f"`{name}` is {_SORTS.get(kind, 'a whole number')}, not `{text[:40]}`")
    return checked_number(kind, number, place)


def _plain(name: str) -> str:
    return _snake("", name)


def _snake(kind: str, name: str) -> str:
    """A field's own name for one that JSON has, or an earlier one."""
    if name not in MESSAGES.get(kind, ()):
        name = _HUMP.sub(lambda hump: f"_{hump[0].lower()}", name)
    return EARLIER_IN_YAML.get((kind, name), name)
