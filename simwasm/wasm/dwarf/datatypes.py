"""Types: what they are called, how large they are, and what they are beneath other names for them.

Rule: types refer to each other in circles, also in those of honest compilers, so nothing follows more than `DEEPEST`
references.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from simwasm.wasm.dwarf.entries import children, referred, resolved, value_of
from simwasm.wasm.dwarf.rows import text_of
from simwasm.wasm.dwarf.units import Unit

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

DEEPEST = 24
_LONGEST = 200
_MOST = 2000
"""Members of a type, or its values."""
_DIMENSIONS = 8
_POINTER = 4
_ALIASES = frozenset(
    "DW_TAG_" + name
    for name in ("typedef", "const_type", "volatile_type", "restrict_type", "atomic_type", "immutable_type")
)
_SUFFIXES = {
    "DW_TAG_pointer_type": " *",
    "DW_TAG_reference_type": " &",
    "DW_TAG_rvalue_reference_type": " &&",
    "DW_TAG_ptr_to_member_type": " ::*",
}
_PREFIXES = {
    "DW_TAG_const_type": "const ",
    "DW_TAG_volatile_type": "volatile ",
    "DW_TAG_atomic_type": "_Atomic ",
}
_NAMELESS = {
    "DW_TAG_structure_type": "struct {…}",
    "DW_TAG_class_type": "class {…}",
    "DW_TAG_union_type": "union {…}",
    "DW_TAG_enumeration_type": "enum {…}",
    "DW_TAG_unspecified_type": "?",
}
POINTERS = frozenset(_SUFFIXES)


class Type(NamedTuple):
    """A type: its entry, and the unit that is in. No entry is what C calls void."""

    unit: Unit
    die: DIE | None

    @property
    def tag(self) -> str:
        """What kind of a type it is."""
        return str(self.die.tag) if self.die is not None else ""

    def of(self, name: str = "DW_AT_type") -> Type:
        """The type that this one refers to."""
        found = referred(self.unit, self.die, name) if self.die is not None else None
        return Type(*found) if found is not None else Type(self.unit, None)

    def number(self, name: str) -> int | None:
        """An attribute that is a number."""
        value = value_of(resolved(self.unit, self.die), name) if self.die is not None else None
        return value if isinstance(value, int) else None

    @property
    def name(self) -> str:
        """Its own name; nothing if it has none."""
        return text_of(value_of(resolved(self.unit, self.die), "DW_AT_name")) if self.die is not None else ""

    def below(self, *tags: str, most: int = _MOST) -> list[Type]:
        """The first entries below it, of some kinds or of all."""
        found = children(self.unit, self.die) if self.die is not None else ()
        chosen = (die for die in found if not tags or die.tag in tags)
        return [Type(self.unit, die) for die in islice(chosen, most)]


def type_of(unit: Unit, die: DIE) -> Type:
    """The type of a variable or a member, or of what it is an instance of."""
    known = resolved(unit, die).get("DW_AT_type")
    found = referred(*known, "DW_AT_type") if known is not None else None
    return Type(*found) if found is not None else Type(unit, None)


def plain(kind: Type) -> Type:
    """The type beneath its other names; a declaration is what it is in the same unit no further."""
    for _ in range(DEEPEST):
        if kind.tag not in _ALIASES:
            break
        kind = kind.of()
    return kind


def type_name(kind: Type, depth: int = 0) -> str:
    """What a type is called, as its language would."""
    text = _type_name(kind, depth)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _type_name(kind: Type, depth: int) -> str:
    if kind.die is None:
        return "void"
    if depth > DEEPEST:
        return "…"
    if kind.tag in _PREFIXES:
        return _PREFIXES[kind.tag] + type_name(kind.of(), depth + 1)
    if kind.name:
        return kind.name
    if kind.tag in _SUFFIXES:
        return _pointer_name(kind, depth)
    if kind.tag == "DW_TAG_array_type":
        sizes = "".join(f"[{'' if size is None else size}]" for size in extents(kind))
        return type_name(kind.of(), depth + 1) + sizes
    if kind.tag == "DW_TAG_subroutine_type":
        return _function_name(kind, "", depth)
    if kind.tag in _ALIASES:
        return type_name(kind.of(), depth + 1)
    return _NAMELESS.get(kind.tag, "?")


def _pointer_name(kind: Type, depth: int) -> str:
    target = kind.of()
    if target.tag == "DW_TAG_subroutine_type":
        return _function_name(target, "(*)", depth + 1)
    inner = type_name(target, depth + 1)
    suffix = _SUFFIXES[kind.tag]
    return inner + (suffix.lstrip() if inner.endswith("*") else suffix)


def _function_name(kind: Type, middle: str, depth: int) -> str:
    below = kind.below("DW_TAG_formal_parameter", "DW_TAG_unspecified_parameters", most=16)
    words = [
        "..." if each.tag == "DW_TAG_unspecified_parameters" else type_name(each.of(), depth + 1)
        for each in below
    ]
    return f"{type_name(kind.of(), depth + 1)} {middle}({', '.join(words)})"


def extents(kind: Type) -> list[int | None]:
    """How many elements an array has, in every dimension; None where that is not told."""
    return [_extent(each) for each in kind.below("DW_TAG_subrange_type", most=_DIMENSIONS)] or [None]


def _extent(kind: Type) -> int | None:
    count = kind.number("DW_AT_count")
    if count is None:
        last = kind.number("DW_AT_upper_bound")
        count = None if last is None else last - (kind.number("DW_AT_lower_bound") or 0) + 1
    return count if count is None or 0 <= count < 1 << 31 else None


def size_of(kind: Type, depth: int = 0) -> int | None:
    """How many bytes a type takes; None where that is not told."""
    kind = plain(kind)
    size = kind.number("DW_AT_byte_size")
    if size is not None or depth > DEEPEST:
        return size
    if kind.tag in POINTERS:
        return _POINTER
    if kind.tag == "DW_TAG_array_type":
        size = size_of(kind.of(), depth + 1)
        for extent in extents(kind):
            size = None if size is None or extent is None else size * extent
        return size
    return size_of(kind.of(), depth + 1) if kind.tag == "DW_TAG_enumeration_type" else None


def named_members(kind: Type) -> list[tuple[str, Type]]:
    """The members of a structure that are in it, bases first named as their types are."""
    found = []
    for member in kind.below("DW_TAG_member", "DW_TAG_inheritance"):
        if member.die is None or "DW_AT_external" in member.die.attributes:
            continue
        base = member.tag == "DW_TAG_inheritance"
        found.append((type_name(member.of()) if base else member.name, member))
    return found


def offset_of(member: Type) -> int:
    """Where in its structure a member is."""
    return member.number("DW_AT_data_member_location") or 0
