"""Mappings with known keys: a dataclass is the table that reader, JSON Schema and reference derive from.

    @dataclass(frozen=True)
    class Chunk(Section):
        body: bytes = key(BODY, "What is sent.", required=True)
        after: int = key(DURATION, "How long after the piece before.", default=0)

Rules: a key is called like its field, without the `_` that keeps it apart from a word of Python's; a key that is not
known is an error which names one that is like it; every section knows where it and its keys are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Generic, NamedTuple, TypeVar

from simwasm.config.tree import Node, Place
from simwasm.suites.shape import Schema, Shape, near, wrong

_NOWHERE: Mapping[str, Place] = {}


@dataclass(frozen=True, kw_only=True)
class Section:
    """What all sections have."""

    places: Mapping[str, Place] = field(default_factory=lambda: _NOWHERE, compare=False, repr=False)
    """Where each key is written; where the section begins under no name."""

    def at(self, key: str = "") -> Place:
        """Where a key is written; otherwise where the section begins."""
        return self.places.get(key) or self.places.get("") or Place()

    def wrote(self, key: str) -> bool:
        """Whether somebody wrote this key."""
        return key in self.places


S = TypeVar("S", bound=Section)


class Key(NamedTuple):
    """One key of a section."""

    name: str
    field: str
    shape: Shape[Any]
    doc: str
    required: bool


def key(shape: Shape[Any], doc: str, *, default: Any = None, required: bool = False) -> Any:
    """A key: what it may be, what it means, and what it is if it is not there."""
    return field(
        default=MISSING if required else default,
        metadata={"shape": shape, "doc": doc},
        kw_only=True,
    )


def keys_of(kind: type[Section]) -> dict[str, Key]:
    """The keys of a section, in their order."""
    if kind not in _KEYS:
        _KEYS[kind] = {each.name: each for each in map(_key, fields(kind)) if each is not None}
    return _KEYS[kind]


_KEYS: dict[type[Section], dict[str, Key]] = {}
"""What `keys_of` has found."""


def _key(found: Field[Any]) -> Key | None:
    if "shape" not in found.metadata:
        return None
    required = found.default is MISSING
    return Key(found.name.rstrip("_"), found.name, found.metadata["shape"], found.metadata["doc"], required)


@dataclass(frozen=True)
class Of(Generic[S]):
    """The shape of a section."""

    kind: type[S]

    @property
    def name(self) -> str:
        """What the section is called."""
        return self.kind.__name__.lower()

    @property
    def words(self) -> str:
        return f"[{self.name}](#{self.name})"

    def takes(self, node: Node) -> bool:
        return node.entries is not None

    def read(self, node: Node) -> S:
        if node.entries is None:
            wrong(node, f"is {node.kind}, not a mapping with {_some(self.kind)}")
        known = keys_of(self.kind)
        values: dict[str, Any] = {}
        for name, entry in node.entries.items():
            found = known.get(name)
            if found is None:
                wrong(entry.place, f"`{name[:60]}` is no key of {self.name}; {near(name, known)}")
            values[found.field] = found.shape.read(entry.node)
        missing = next((each for each in known.values() if each.required and each.field not in values), None)
        if missing is not None:
            wrong(node, f"`{missing.name}` is missing: {missing.doc}")
        places = {name: entry.place for name, entry in node.entries.items()}
        made = self.kind(**values, places={**places, "": node.place})
        check = getattr(made, "check", None)
        if check is not None:
            check()
        return made

    def schema(self) -> Schema:
        return {"$ref": f"#/$defs/{self.name}"}


def _some(kind: type[Section]) -> str:
    names = list(keys_of(kind))
    return ", ".join(f"`{name}`" for name in names[:6]) + (" …" if len(names) > 6 else "")
