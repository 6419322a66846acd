"""What values in a suite may be: each shape reads a value, describes itself to editors, and has words for people.

    DURATION.read(node) -> 5_000_000    DURATION.schema() -> {"pattern": …}    DURATION.words -> "a duration (5ms)"

Rules: a shape says the same thing three times, so that reader, JSON Schema and reference cannot disagree; whatever is
wrong is a `ConfigError` at its place that tells what would be right; what a parameter (`${name}`) may stand for is
allowed by the schema as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from simwasm.config.tree import Node, Place
from simwasm.errors import ConfigError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Schema = dict[str, Any]
PARAMETER: Schema = {"$ref": "#/$defs/parameter"}


class Shape(Protocol[T_co]):
    """What a value may be."""

    @property
    def words(self) -> str:
        """It in words: `a number from 1`."""
        ...

    def read(self, node: Node) -> T_co:
        """The value; one that is none of these is a `ConfigError`."""
        ...

    def schema(self) -> Schema:
        """The JSON Schema."""
        ...

    def takes(self, node: Node) -> bool:
        """Whether a value looks like one of these, right or wrong."""
        ...


def wrong(at: Node | Place, text: str) -> NoReturn:
    """Say what is wrong, and where."""
    raise ConfigError(f"{at.place if isinstance(at, Node) else at}: {text}")


def near(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """A hint at what was meant: those that are like it, otherwise all."""
    found = get_close_matches(name, known, 2)
    if found:
        return f"did you mean {' or '.join(f'`{each}`' for each in found)}?"
    return f"known are {', '.join(known)}" if known else "there is none"


@dataclass(frozen=True)
class Scalar(Generic[T]):
    """A scalar that a function reads from its text."""

    words: str
    convert: Callable[[str], T]
    """Reads it; a `ValueError` tells what is wrong."""
    type: Any = "string"
    more: tuple[tuple[str, Any], ...] = ()
    """What else the schema says."""

    def takes(self, node: Node) -> bool:
        return node.is_scalar

    def read(self, node: Node) -> T:
        if not node.is_scalar or node.value is None or not self._is_one(node.value):
            wrong(node, f"is {node.kind}, not {self.words}{_hint(node)}")
        try:
            return self.convert(node.text)
        except ValueError as error:
            wrong(node, str(error))

    def _is_one(self, value: object) -> bool:
        """Whether a value is of a type that the schema has."""
        wanted = self.type if isinstance(self.type, list) else [self.type]
        return any(name in wanted for name in _TYPES.get(type(value), ()))

    def schema(self) -> Schema:
        return {"type": self.type, **dict(self.more)}


_TYPES: dict[type, tuple[str, ...]] = {
    str: ("string",), bool: ("boolean",), int: ("number", "integer"), float: ("number",),
}  # fmt: skip


def _hint(node: Node) -> str:
    if not node.is_scalar:
        return ""
    return (
        ": write '' for an empty one" if node.value is None else f": put it into quotes, '{node.text[:20]}'"
    )


ANY_SCALAR = ["string", "number", "boolean"]
TEXT: Scalar[str] = Scalar("a text", str, ANY_SCALAR)


def _name(text: str) -> str:
    if not text.strip() or "\n" in text:
        raise ValueError("a name is one line, and not empty")
    return text


NAME = Scalar("a name", _name, ANY_SCALAR)


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        at = f" at {error.pos + 1}" if error.pos is not None else ""
        raise ValueError(f"`{text[:60]}` is no regular expression: {error.msg}{at}") from None
    except (OverflowError, RecursionError) as error:
        raise ValueError(f"`{text[:60]}` is no regular expression: {error}") from None


REGEX = Scalar("a regular expression, found anywhere", _regex, "string", (("format", "regex"),))


@dataclass(frozen=True)
class Flag:
    """True or false."""

    words: str = "true or false"

    def takes(self, node: Node) -> bool:
        return isinstance(node.value, bool)

    def read(self, node: Node) -> bool:
        if not isinstance(node.value, bool):
            wrong(node, f"is {node.kind}, not true or false")
        return node.value

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "boolean"}, PARAMETER]}


FLAG = Flag()


@dataclass(frozen=True)
class Whole:
    """A whole number."""

    least: int = 0
    most: int = 2**63 - 1
    beyond: str = ""
    """What to say of one that is out of range."""

    @property
    def words(self) -> str:
        if self.least == -(2**63):
            return "a whole number"
        return f"a number from {self.least}" + (f" to {self.most}" if self.most < 2**63 - 1 else "")

    def takes(self, node: Node) -> bool:
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)

    def read(self, node: Node) -> int:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int):
            wrong(
                node,
                f"is {node.kind}, not {self.words}" + (" (a whole one)" if isinstance(value, float) else ""),
            )
        if not self.least <= value <= self.most:
            wrong(node, self.beyond.format(value) if self.beyond else f"{value} is not {self.words}")
        return value

    def schema(self) -> Schema:
        number: Schema = {"type": "integer", "minimum": self.least}
        if self.most < 2**63 - 1:
            number["maximum"] = self.most
        return {"anyOf": [number, PARAMETER]}


@dataclass(frozen=True)
class Choice(Generic[T]):
    """One of a few words, each for a value."""

    values: Mapping[str, T]
    also: Mapping[str, T] | None = None
    """More spellings, which nobody is told."""
    what: str = ""
    """What the words are."""

    @property
    def words(self) -> str:
        shown = ", ".join(self.values)
        return shown if len(self.values) < 9 else self.what or f"{shown[:60]}…"

    def takes(self, node: Node) -> bool:
        return node.is_scalar

    def read(self, node: Node) -> T:
        if not node.is_scalar or node.value is None:
            wrong(node, f"is {node.kind}, not one of {self.words}")
        found = {**(self.also or {}), **self.values}
        if node.text not in found:
            what = self.what or f"one of {self.words}"
            wrong(node, f"`{node.text[:60]}` is not {what}; {near(node.text, self.values)}")
        return found[node.text]

    def schema(self) -> Schema:
        words = [*self.values, *(self.also or {})]
        return {"anyOf": [{"enum": [_as_yaml(word) for word in words]}, PARAMETER]}


def _as_yaml(word: str) -> object:
    return {"true": True, "false": False}.get(word, word)


@dataclass(frozen=True)
class Many(Generic[T]):
    """A list of values, none or more."""

    of: Shape[T]
    least: int = 0

    @property
    def words(self) -> str:
        return f"a list, each {self.of.words}"

    def takes(self, node: Node) -> bool:
        return node.items is not None

    def read(self, node: Node) -> tuple[T, ...]:
        if node.items is None:
            wrong(node, f"is {node.kind}, not a list: write each behind a `- `")
        if len(node.items) < self.least:
            wrong(node, "is empty: it needs one at least")
        return tuple(map(self.of.read, node.items))

    def schema(self) -> Schema:
        return {
            "type": "array",
            "items": self.of.schema(),
            **({"minItems": self.least} if self.least else {}),
        }


@dataclass(frozen=True)
class OneOrMany(Generic[T]):
    """A list, or one value alone."""

    of: Shape[T]

    @property
    def words(self) -> str:
        return f"{self.of.words}, or a list of such"

    def takes(self, node: Node) -> bool:
        return node.items is not None or self.of.takes(node)

    def read(self, node: Node) -> tuple[T, ...]:
        return tuple(map(self.of.read, node.items)) if node.items is not None else (self.of.read(node),)

    def schema(self) -> Schema:
        one = self.of.schema()
        return {"anyOf": [one, {"type": "array", "items": one}]}


@dataclass(frozen=True)
class Named(Generic[T]):
    """Values by their names, in their order."""

    of: Shape[T]
    names: str = "NAME"
    key: Callable[[str], str] = str
    """What a name is turned into; a `ValueError` refuses it."""

    @property
    def words(self) -> str:
        return f"{self.names}: {self.of.words}"

    def takes(self, node: Node) -> bool:
        return node.entries is not None

    def read(self, node: Node) -> tuple[tuple[str, T], ...]:
        if node.entries is None:
            wrong(node, f"is {node.kind}, not `{self.names}: …` lines")
        found: dict[str, T] = {}
        for name, entry in node.entries.items():
            try:
                key = self.key(name)
            except ValueError as error:
                wrong(entry.place, str(error))
            if key in found:
                wrong(entry.place, f"`{name}` is there twice: leave one out")
            found[key] = self.of.read(entry.node)
        return tuple(found.items())

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": self.of.schema()}


@dataclass(frozen=True)
class Anything:
    """Any value, as JSON has it."""

    words: str = "anything that JSON has"

    def takes(self, node: Node) -> bool:
        return True

    def read(self, node: Node) -> Any:
        return node.plain()

    def schema(self) -> Schema:
        return {}


@dataclass(frozen=True)
class As(Generic[T]):
    """A shape whose values are turned into others."""

    of: Shape[Any]
    make: Callable[[Any, Node], T]
    words: str = ""

    def __post_init__(self) -> None:
        if not self.words:
            object.__setattr__(self, "words", self.of.words)

    def takes(self, node: Node) -> bool:
        return self.of.takes(node)

    def read(self, node: Node) -> T:
        return self.make(self.of.read(node), node)

    def schema(self) -> Schema:
        return self.of.schema()


@dataclass(frozen=True)
class Either(Generic[T]):
    """One of several shapes: the first that a value looks like."""

    shapes: tuple[Shape[T], ...]

    @property
    def words(self) -> str:
        return ", or ".join(dict.fromkeys(shape.words for shape in self.shapes))

    def takes(self, node: Node) -> bool:
        return any(shape.takes(node) for shape in self.shapes)

    def read(self, node: Node) -> T:
        found = next((shape for shape in self.shapes if shape.takes(node)), None)
        if found is None:
            wrong(node, f"is {node.kind}, not {self.words}")
        return found.read(node)

    def schema(self) -> Schema:
        return {"anyOf": [shape.schema() for shape in self.shapes]}
