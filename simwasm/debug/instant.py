"""A moment amid a callback: one instruction of the plugin is the next to happen.

Instants lie between the events of a tape. Their place on the timeline is a `Moment`: the position of the last event
before, and how many instructions follow it until there, that one counted in. So moments order as pairs do, and an
event itself is the moment `(position, 0)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simwasm.wasm.lines import Place


class Moment(NamedTuple):
    """A place on the timeline."""

    position: int
    """Of the last event that was announced."""
    ticks: int = 0
    """Instructions since then, from 1; 0 is the event itself."""


@dataclass(frozen=True, slots=True)
class Instant:
    """What is known of the instruction that happens next."""

    ticks: int
    """How many instructions follow the event at the stop's position, this one counted in."""
    count: int
    """The same, counted from the entry of the callback."""
    total: int
    """How many instructions the callback has; 0 if that is not known."""
    function: int
    """The index of the function among all of the module."""
    name: str
    """What the function is called; the plugin chose it, so it may hold anything."""
    offset: int
    """Of the instruction, in the plugin's file."""
    text: str
    """The instruction, as the text format writes it."""
    place: Place | None
    """The line of source it was made of; None if nothing tells."""
    depth: int
    """How many functions of the plugin are active, this one counted in."""
    vm: str
    """The VM that it runs in."""

    def __str__(self) -> str:
        where = f", {self.place}" if self.place is not None else ""
        return f"{self.name} at 0x{self.offset:x}{where}"
