"""Where the run stands, and why: the values that every view of the debugger is given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from simwasm.debug.instant import Instant, Moment


class Why(Enum):
    """Why the run stands still; the value is how it is told."""

    BEGIN = "before the first callback"
    ENTRY = "ready"
    STEP = "stepped"
    GOTO = "went there"
    BREAKPOINT = "breakpoint"
    PAUSED = "paused"
    COMPUTING = "paused while the plugin computes"
    END = "the run has ended"
    FAILED = "the run cannot go on"

    @property
    def passed(self) -> bool:
        """Whether the event at the stop's position has been passed already."""
        return self in (Why.COMPUTING, Why.END, Why.FAILED)


@dataclass(frozen=True, slots=True)
class Stop:
    """One moment of the run: an event has been announced, and what it announces has not happened yet.

    With an `instant` it has happened, and so have instructions of the plugin after it.
    """

    position: int
    row: int
    """The row one is on; -1 before the first."""
    why: Why
    note: str = ""
    """More about why, in words: which breakpoint, which trap, what failed."""
    breakpoints: tuple[int, ...] = ()
    """The numbers of the breakpoints that match here."""
    serial: int = 0
    """Counts stops, so that two of them are never mistaken for one another."""
    instant: Instant | None = None
    """The instruction before which the run stands; None at an event."""

    @property
    def passed(self) -> bool:
        """Whether the event at the position has been passed already."""
        return self.why.passed or self.instant is not None

    @property
    def moment(self) -> Moment:
        """Where this is on the timeline."""
        return Moment(self.position, self.instant.ticks if self.instant is not None else 0)
