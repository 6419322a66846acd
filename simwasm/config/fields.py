"""The fields of a mapping, read by their names and types, in the way of whoever takes it: Kubernetes or Envoy.

    spec = Fields(node, "a WasmPlugin's spec", WASM_PLUGIN, reader); spec.text("url")

Rules: a value of the wrong type is an error at its place; what a field says if it is not there, `null` says as well; a
name that is not known is told to the reader with the known one that is like it. Envoy knows each field by two names, as
protobuf's JSON does: `vm_config` and `vmConfig`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NoReturn, TypeVar

from simwasm.config.scalars import Reading, of_envoy, of_kubernetes
from simwasm.config.tree import Entry, Node, Place
from simwasm.errors import ConfigError
from simwasm.trace.text import printable

T = TypeVar("T")
_LONGEST_NAME = 60
_QUOTE = ": put it into quotes"
_FLAGS = {"true": True, "false": False}
_TRUE_OR_FALSE = {True: "true", False: "false"}


def wrong(at: Node | Place, text: str) -> NoReturn:
    """Say what is wrong, and where."""
    raise ConfigError(f"{at.place if isinstance(at, Node) else at}: {text}")


def shown(name: str) -> str:
    """A name from a file, for a message."""
    return f"`{printable(name[:_LONGEST_NAME])}`".replace("\n", " ")


def like(name: str, known: Collection[str]) -> str:
    """A hint at what was meant; nothing if no known name is like it."""
    found = get_close_matches(name[:_LONGEST_NAME], known, 1)
    return f" (did you mean `{found[0]}`?)" if found else ""


@dataclass(frozen=True)
class Reader:
    """Whose rules hold, and what there is to tell in the end."""

    scalar: Reading
    protobuf: bool
    """Whether fields have the two names and the lenient values of protobuf's JSON."""
    unknown: str
    """What happens to a field that is not known; nothing where that is an error."""
    told: list[str] = field(default_factory=list)

    def tell(self, at: Node | Place, text: str) -> None:
        """Tell something that stops nobody."""
        self.told.append(f"{at.place if isinstance(at, Node) else at}: {text}")

    def strange(self, place: Place, name: str, what: str, known: Collection[str]) -> None:
        """A field that is not known."""
        text = f"{what} has no field {shown(name)}{like(name, known)}"
        if not self.unknown:
            wrong(place, text)
        self.tell(place, f"{text}: {self.unknown}")


def kubernetes(told: list[str]) -> Reader:
    """How Kubernetes reads: what its schema does not know is dropped."""
    return Reader(of_kubernetes, False, "Kubernetes drops it or refuses it", told)


def envoy(told: list[str]) -> Reader:
    """How Envoy reads its own configuration: what it does not know it refuses."""
    return Reader(of_envoy, True, "", told)


def envoy_in_istio(told: list[str]) -> Reader:
    """How Istio reads a piece of Envoy's configuration that is in a resource of Kubernetes."""
    return Reader(of_kubernetes, True, "Istio drops it", told)


def camel(name: str) -> str:
    """The other name of a field: `vm_config` is `vmConfig`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


class Fields:
    """One mapping."""

    def __init__(
        self,
        node: Node,
        what: str,
        known: Collection[str] | None,
        reader: Reader,
        within: Collection[str] = (),
    ) -> None:
        """`known` is None where nobody checks the names; `within` are names that somebody else reads."""
        if node.entries is None:
            wrong(node, f"{what} is {node.kind}, not a mapping")
        if node.merged and not reader.unknown:
            wrong(node, f"{what} is merged by `<<`, which Envoy does not know: write it out")
        self.node, self.what, self.reader = node, what, reader
        self._entries: Mapping[str, Entry] = node.entries
        if known is not None:
            self._check(known, within)

    def _check(self, known: Collection[str], within: Collection[str]) -> None:
        spelled = {*known, *within, *(map(camel, known) if self.reader.protobuf else ())}
        for name, entry in self._entries.items():
            if name not in spelled:
                self.reader.strange(entry.place, name, self.what, known)

    def entry(self, name: str) -> Entry | None:
        """A field that is there."""
        found = self._entries.get(name)
        if self.reader.protobuf and (other := camel(name)) != name:
            second = self._entries.get(other)
            if found is not None and second is not None:
                wrong(second.place, f"{self.what} has `{name}` already, under its other name")
            found = found or second
        return None if found is None or self._is_null(found.node) else found

    def get(self, name: str) -> Node | None:
        """The value of a field that is there."""
        found = self.entry(name)
        return found.node if found is not None else None

    def _is_null(self, node: Node) -> bool:
        return node.is_scalar and self.reader.scalar(node) is None

    def has(self, name: str) -> bool:
        return self.entry(name) is not None

    def at(self, name: str) -> Place:
        """Where a field is written; otherwise where the mapping begins."""
        found = self.entry(name)
        return found.place if found is not None else self.node.place

    def _scalar(self, name: str, kind: type[T], words: str) -> tuple[Node, T] | None:
        node = self.get(name)
        if node is None:
            return None
        value = self.reader.scalar(node) if node.is_scalar else None
        if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
            hint = _QUOTE if kind is str and node.is_scalar else ""
            wrong(node, f"{self.what}: `{name}` is {_kind(node, value)}, not {words}{hint}")
        return node, value

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        found = self._scalar(name, str, "a text")
        return found[1] if found is not None else default

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""
        if self.reader.protobuf:
            node = self.get(name)
            if node is not None and node.is_scalar and node.text in _FLAGS:
                return _FLAGS[node.text]  # in quotes, too
        found = self._scalar(name, bool, "true or false")
        return found[1] if found is not None else default

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number."""
        node = self.get(name)
        if node is None:
            return None
        value = self.reader.scalar(node) if node.is_scalar else None
        if self.reader.protobuf and isinstance(value, str) and value.lstrip("-").isdecimal():
            value = int(value[:40])  # protobuf's JSON takes a number in quotes
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            wrong(node, f"{self.what}: `{name}` is {_kind(node, value)}, not a whole number")
        if not low <= value <= high:
            wrong(node, f"{self.what}: `{name}` is {value}, not from {low} to {high}")
        return value

    def one_of(self, name: str, known: Mapping[str, T], default: T) -> T:
        """One of a few words."""
        node = self.get(name)
        if node is None:
            return default
        text = self._word(name, node, known)
        if text not in known:
            hint = like(text, known)
            words = ", ".join(each for each in known if each)
            wrong(node, f"{self.what}: `{name}` is one of {words}, not {shown(text)}{hint}")
        return known[text]

    def _word(self, name: str, node: Node, known: Mapping[str, object]) -> str:
        """A word; protobuf's JSON takes it in small letters and as its number, too."""
        if not self.reader.protobuf:
            return self.text(name)
        value = self.reader.scalar(node) if node.is_scalar else None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(known):
            return list(known)[value]
        text = self.text(name)
        if text in map(str, range(len(known))):
            return list(known)[int(text)]
        return next((word for word in known if word.lower() == text.lower()), text)

    def items(self, name: str) -> list[Node]:
        """The values of a list; none if it is not there."""
        node = self.get(name)
        if node is None:
            return []
        if node.items is None:
            wrong(node, f"{self.what}: `{name}` is {node.kind}, not a list")
        return node.items

    def texts(self, name: str) -> list[str]:
        """The texts of a list."""
        found = []
        for node in self.items(name):
            value = self.reader.scalar(node) if node.is_scalar else None
            if not isinstance(value, str):
                wrong(node, f"{self.what}: `{name}` has {_kind(node, value)} in it, not a text")
            found.append(value)
        return found

    def fields(self, name: str, what: str, known: Collection[str] | None) -> Fields | None:
        """A mapping inside, if it is there."""
        node = self.get(name)
        return None if node is None else Fields(node, what, known, self.reader)

    def map(self, name: str) -> Iterator[tuple[str, Entry]]:
        """The entries of a mapping whose names are data."""
        node = self.get(name)
        if node is None:
            return iter(())
        if node.entries is None:
            wrong(node, f"{self.what}: `{name}` is {node.kind}, not a mapping")
        return iter(node.entries.items())


def _kind(node: Node, value: object) -> str:
    """What a value is, in the words of whoever reads it."""
    if not node.is_scalar:
        return node.kind
    if isinstance(value, bool):
        return _TRUE_OR_FALSE[value]
    return "a number" if isinstance(value, (int, float)) else "nothing" if value is None else "a text"
