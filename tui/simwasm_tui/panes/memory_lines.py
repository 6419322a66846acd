"""The lines of the memory: sixteen bytes each, those of the call's arguments and those that have changed marked.

    0002f40 [61 75 74 68 6f 72 69 7a  61 74 69 6f 6e]00 00 00 │authorization...│ ◂ key 13 B
    0002f60  07 00 00 00*01 00 00 00* 00 00 00 00 00 00 00 00 │................│ Δ 4 B

Only what is asked for is read. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simwasm.debug.arguments import Argument
from simwasm_tui.panes.hexlines import columns_for, hex_line, width_of
from simwasm_tui.panes.memory_reading import Found, different
from simwasm_tui.sight import Bytes
from simwasm_tui.text import Line, clean, fit

_NOTE = 14
"""Cells for what is said behind the bytes."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes that stand out, and why."""

    at: int
    size: int
    name: str


def stretches(arguments: Iterable[Argument]) -> tuple[Stretch, ...]:
    """The bytes of a call's arguments."""
    return tuple(
        Stretch(argument.pointer, argument.size if argument.size is not None else 4, argument.name)
        for argument in arguments
        if argument.pointer is not None and not argument.bad and argument.size != 0
    )


class MemoryLines:
    """A memory, as lines."""

    def __init__(
        self,
        memory: Bytes,
        width: int,
        *,
        arguments: tuple[Stretch, ...] = (),
        selected: Stretch | None = None,
        before: bytes | None = None,
    ) -> None:
        self.memory = memory
        self.digits = max(5, len(f"{max(0, memory.size() - 1):x}"))
        self.columns = columns_for(width - _NOTE, self.digits)
        self.arguments = arguments
        self.selected = selected
        self.before = before
        """The memory of the previous stop, where it is known."""
        self.cursor = -1
        """The address under the cursor."""

    def __len__(self) -> int:
        return -(-self.memory.size() // self.columns)

    def line(self, index: int, width: int) -> Line:
        at = index * self.columns
        data = self.memory.read(at, min(self.columns, self.memory.size() - at))
        marked = {place for stretch in self.arguments for place in _inside(stretch, at, len(data))}
        chosen = set(_inside(self.selected, at, len(data))) if self.selected else set()
        changed = different(self.before, self.memory, at, len(data)) if self.before is not None else []
        marks = {"argument": marked - chosen, "found": chosen, "changed": changed}
        line = hex_line(at, data, self.columns, self.digits, marks, self.cursor - at)
        return fit(
            (*line, *self._notes(at, len(data), len(changed))),
            max(width, width_of(self.columns, self.digits)),
        )

    def _notes(self, at: int, size: int, changed: int) -> Line:
        """What begins on a line, and how much of it has changed."""
        here = [each for each in self.arguments if at <= each.at < at + size]
        if self.selected is not None and at <= self.selected.at < at + size and self.selected not in here:
            here.append(self.selected)
        told = "".join(f" ◂ {clean(each.name)} {each.size:,} B" for each in here)
        return ((told, "string"), (f" Δ {changed} B" if changed else "", "changed"))


def _inside(stretch: Stretch, at: int, size: int) -> range:
    """The places of a stretch among so many bytes from an address on."""
    return range(max(0, stretch.at - at), max(0, min(size, stretch.at + stretch.size - at)))


class TextLines:
    """The texts of a memory with their addresses."""

    def __init__(self, found: list[Found], digits: int) -> None:
        self.found = found
        self._digits = digits

    def __len__(self) -> int:
        return len(self.found)

    def line(self, index: int, width: int) -> Line:
        text = self.found[index]
        shown = clean(text.data[:2000].decode("ascii", "replace"))
        return (
            (f"{text.at:0{self._digits}x} ", "muted"),
            (f"{len(text.data):>5,} ", "number"),
            (shown, "string"),
        )
