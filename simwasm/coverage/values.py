"""Coverage as values: what of a plugin can be reached, and what was.

Everything is told in blocks (`wasm/blocks.py`): a function, or a line of source, is reached if one of its blocks is.
Rule: a value holds all that reports need, so that a file is read without the plugin that it tells of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple


class Function(NamedTuple):
    """A function of the module."""

    number: int
    """Where it is among all functions."""
    name: str
    first: int
    """Its first block, …"""
    end: int
    """… and the one behind its last."""
    own: bool
    """Whether the user wrote it, and not the makers of a library."""


class Written(NamedTuple):
    """A function of the source, wherever it was inlined."""

    name: str
    line: int
    blocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file of source."""

    path: str
    """As the debug information has it."""
    own: bool
    here: str
    """Where it was when the coverage was collected, from the folder that was worked in; nothing if it was not."""
    digest: str
    """The SHA-256 of its text then."""
    lines: Mapping[int, tuple[int, ...]]
    """The blocks of each line that has code."""
    functions: tuple[Written, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What of a plugin can be reached."""

    sizes: tuple[int, ...]
    """By block, how many instructions it has."""
    functions: tuple[Function, ...]
    sources: tuple[Source, ...]
    callbacks: tuple[str, ...]
    """Those that it exports."""
    host_calls: tuple[str, ...]
    """Those that it imports."""
    no_lines: str = ""
    """Why there are no lines of source, if there are none."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A plugin, and what of it was reached."""

    name: str
    sha256: str
    ground: Ground
    reached: int = 0
    """The blocks that were run, as bits."""
    callbacks: Mapping[str, int] = field(default_factory=dict)
    """How often each was called."""
    host_calls: Mapping[str, int] = field(default_factory=dict)

    def ran(self) -> bytes:
        """By block, 1 if it was run and 0 if not."""
        many = len(self.ground.sizes)
        return f"{self.reached:0{many}b}"[::-1].encode().translate(_DIGITS) if many else b""

    def plus(self, other: Covered) -> Covered:
        """What either of two reached; of the same plugin."""
        ground = self.ground if len(self.ground.sources) >= len(other.ground.sources) else other.ground
        return replace(
            self,
            ground=ground,
            reached=self.reached | other.reached,
            callbacks=_sums(self.callbacks, other.callbacks),
            host_calls=_sums(self.host_calls, other.host_calls),
        )


_DIGITS = bytes.maketrans(b"01", b"\0\1")


def _sums(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in dict.fromkeys((*one, *other))}
