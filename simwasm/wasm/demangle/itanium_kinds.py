"""Types and names of C++ as texts, and how they are put together.

Rule: a type is two texts, what comes before a name and what comes behind it, because those of functions and arrays go
around one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from simwasm.wasm.demangle.symbol import short


class Kind(NamedTuple):
    """A type: the text before a name of that type, and the one behind it."""

    left: str
    right: str = ""
    wraps: bool = False
    """Whether it is a function or an array, so that a pointer to it goes in parentheses."""
    reference: str = ""
    """`&` or `&&` of a reference, which collapse."""
    pack: tuple[Kind, ...] | None = None
    """The types of a pack, of which each takes what is done to the pack."""

    def __str__(self) -> str:
        return short(joined(self.pack) if self.pack is not None else self.left + self.right)

    @property
    def nothing(self) -> bool:
        """Whether it is a pack of no types."""
        return self.pack is not None and all(each.nothing for each in self.pack)


def joined(kinds: Iterable[Kind]) -> str:
    """Types with commas between them."""
    return ", ".join([str(each) for each in kinds if not each.nothing])


class Name(NamedTuple):
    """A name, and what of it decides how its function is told."""

    text: str
    template: bool = False
    """Whether it ends with arguments of a template: then the type of its function begins with the result's."""
    bare: bool = False
    """Whether it is a constructor, a destructor or a conversion, which have no result."""
    tail: str = ""
    """` const`, ` &` and so on, behind the parameters."""


def mapped(kind: Kind, change: Callable[[Kind], Kind]) -> Kind:
    """A type changed; of a pack, each of its types."""
    if kind.pack is None:
        return change(kind)
    return Kind("", pack=tuple(mapped(each, change) for each in kind.pack))


def with_words(kind: Kind, words: str) -> Kind:
    """A type that is const, or volatile."""
    if kind.wraps and kind.right.startswith(" ["):
        return kind._replace(left=kind.left + words)
    return kind._replace(left=short(kind.left + words), reference=kind.reference)


def around(kind: Kind, sign: str, *, space: bool = False) -> Kind:
    """A pointer to a type, or what is written like one."""
    if not kind.wraps:
        return Kind(short(f"{kind.left}{' ' if space else ''}{sign}"), kind.right)
    left = kind.left if kind.left.endswith(" ") else f"{kind.left} "
    return Kind(short(f"{left}({sign}"), f"){kind.right}")


def referring(kind: Kind, sign: str) -> Kind:
    """A reference to a type; one to a reference is one."""
    if kind.reference:
        if kind.reference == "&&" and sign == "&":
            return kind._replace(left=kind.left[:-1], reference="&")
        return kind
    return around(kind, sign)._replace(reference=sign)


def last(scope: str) -> str:
    """The last part of a name, without the arguments of its template: what its constructor is called."""
    while scope.endswith("]") and "[abi:" in scope:
        scope = scope[: scope.rindex("[abi:")]
    depth = 0
    end = len(scope)
    for at in range(len(scope) - 1, -1, -1):
        letter = scope[at]
        if letter in ">)":
            if not depth and letter == ">" and end == len(scope):
                end = -1
            depth += 1
        elif letter in "<(":
            depth -= 1
            if not depth and end == -1:
                end = at
        elif letter == ":" and not depth:
            return scope[at + 1 : end]
    return scope[:end]
