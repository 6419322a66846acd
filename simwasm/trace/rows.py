"""Rows: what a person steps through. One for each callback that begins, each host call, and each callback that ends.

    142 ← proxy_on_request_headers(4, 9, true)      CALLBACK   stands where the callback is entered
    143     proxy_log(INFO, "start")          OK    HOST_CALL  stands where the call is entered; its end is on the row
    144 → PAUSE                                     RETURN     stands where the callback has returned
    145 ✗ unreachable                               TRAP       stands where the callback has trapped

A position counts events from 1 (it is an event's `seq`); 0 is before the first of them. Rule: a row is a value that
is made when it is asked for, so that a million of them cost nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Protocol

from simwasm.trace.event import Entered, Left, Trapped


class Kind(Enum):
    """What a row stands for; the value is its glyph."""

    CALLBACK = "←"
    HOST_CALL = " "
    RETURN = "→"
    TRAP = "✗"


class Row(NamedTuple):
    """One row."""

    index: int  # type: ignore[assignment]  # nobody looks for a value in a row
    """Its place among the rows, from 0."""
    position: int
    """Where one stands on it."""
    kind: Kind
    depth: int
    """How many calls are open around it: 0 for a callback of the host and for its return, 1 for a call in it."""
    entered: Entered
    """The call that the row begins, or ends."""
    ended: Left | Trapped | None
    """How that call ended, as far as it was recorded."""
    took_ns: int
    """How long it really took, everything inside it included; 0 where nobody measured."""
    instructions: int = 0
    """What it cost by fuel, everything inside it included; 0 where nobody measured."""


class Rows(Protocol):
    """Rows in their order: of a run in memory, or of a trace file."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Row: ...
