"""What a test file says, before anybody asks what it means: messages with their fields, each with its place.

Rules: a field that there is not, or that is there twice or along with its alternative, is an error with its place and
the name that was probably meant; so is a value of the wrong kind. Bytes are texts that stand for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from simwasm.config.tree import Place
from simwasm.suites.google.schema import EARLIER, ENUMS, MESSAGES, RANGES, Field
from simwasm.suites.shape import near, wrong
from simwasm.trace.text import printable

MOST_VALUES = 200_000


Scalar = str | int | bool


class Entry(NamedTuple):
    """A value of a field, and where it is written."""

    value: Scalar | Record
    place: Place


@dataclass(slots=True)
class Record:
    """A message: its fields in the order in which they were first named."""

    kind: str
    place: Place
    fields: dict[str, list[Entry]] = field(default_factory=dict)

    def all(self, name: str) -> list[Entry]:
        """Every value of a field."""
        return self.fields.get(name, [])

    def records(self, name: str) -> list[Record]:
        """The messages in a field."""
        return [entry.value for entry in self.all(name) if isinstance(entry.value, Record)]

    def record(self, name: str) -> Record | None:
        """The message in a field, if it is there."""
        return next(iter(self.records(name)), None)

    def text(self, name: str) -> str | None:
        """The text of a field, if it is there."""
        return next((entry.value for entry in self.all(name) if isinstance(entry.value, str)), None)

    def number(self, name: str) -> int | None:
        """The number of a field, if it is there."""
        return next((entry.value for entry in self.all(name) if isinstance(entry.value, int)), None)


class Builder:
    """Puts a file's values together and counts them."""

    def __init__(self, file: str, most: int = MOST_VALUES) -> None:
        self.file = file
        self._most = self._left = most

    def place(self, line: int, column: int) -> Place:
        return Place(self.file, line, column)

    def field(self, record: Record, name: str, place: Place) -> tuple[str, Field]:
        """The field that a name means."""
        name = EARLIER.get((record.kind, name), name)
        found = MESSAGES[record.kind].get(name)
        if found is None:
            wrong(place, _unknown(record.kind, name))
        return name, found

    def open(self, record: Record, name: str, place: Place) -> None:
        """Refuse a field that cannot be there (again)."""
        wanted = MESSAGES[record.kind][name]
        if not wanted.many and name in record.fields:
            first = record.fields[name][0].place
            wrong(place, f"`{name}` is there twice; {record.kind} has one, and line {first.line} has said it")
        for other in record.fields:
            if wanted.one_of and other != name and MESSAGES[record.kind][other].one_of == wanted.one_of:
                wrong(
                    place, f"`{name}` is there along with `{other}`: only one of them can be. Take one away"
                )

    def add(self, record: Record, name: str, value: Scalar | Record, place: Place) -> None:
        """Put a value into a field."""
        self._left -= 1
        if self._left < 0:
            wrong(place, f"there are more than {self._most:,} values in this file. Split it")
        record.fields.setdefault(name, []).append(Entry(value, place))


def checked_text(kind: str, text: str, place: Place) -> str:
    """A text for a field of this kind; only bytes may be anything."""
    if kind == "string" and any("\ud800" <= c <= "\udfff" for c in text):
        wrong(
            place,
            "this text is not UTF-8, as a text has to be; only `value`, `exact` and `content` may be else",
        )
    return text


def checked_number(kind: str, number: int, place: Place) -> int:
    """A number for a field of this kind."""
    least, most = RANGES[kind]
    if not least <= number <= most:
        wrong(place, f"{_short(str(number))} is no number from {least} to {most}")
    return number


def level(name: str | int, kind: str, place: Place) -> int:
    """The number of an enumeration's name, or of that number."""
    names = ENUMS[kind]
    number = name if isinstance(name, int) else names.index(name) if name in names else -1
    if not 0 <= number < len(names):
        wrong(place, f"`{_short(str(name))}` is no {kind}; there are {', '.join(names)}")
    return number


def _unknown(kind: str, name: str) -> str:
    return f"{kind} has no field `{_short(name)}`; {near(name, tuple(MESSAGES[kind]))}"


def _short(text: str) -> str:
    return printable(text if len(text) <= 60 else f"{text[:60]}…")
