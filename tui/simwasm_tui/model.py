"""What the panes draw: one value, made anew whenever something has changed, and handed to all of them.

Rules: a view never changes; what it says about the tape stays true, since a tape only grows (`rows` and `lines` say
how far it had come). `debugger` may be asked for states and memory only through the view on which it is not None,
which means that the run stands still.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simwasm.debug.inputs import Inputs
from simwasm.debug.instant import Instant, Moment
from simwasm.debug.problems import Problem
from simwasm.debug.stop import Stop
from simwasm.debug.tape import Span, Tape
from simwasm.debug.unit import Unit

if TYPE_CHECKING:
    from simwasm.debug.breakpoints import Breakpoint
    from simwasm.debug.debugger import Debugger
    from simwasm_tui.binaries import Binaries


class HitRows:
    """Where a breakpoint is come by, as it was looked up."""

    def __init__(self, positions: Sequence[int]) -> None:
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    def on(self, first: int, last: int) -> bool:
        """Whether it is come by between two positions: at the first, or at the last, where a call has ended."""
        return _has(self.positions, first) or (last != first and _has(self.positions, last))


def _has(positions: Sequence[int], position: int) -> bool:
    at = bisect_left(positions, position)
    return at < len(positions) and positions[at] == position


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One moment, as the user sees it."""

    inputs: Inputs
    tape: Tape
    rows: int
    lines: int
    spans: int
    stop: Stop | None = None
    last: Stop | None = None
    """Where it stood last: the same as `stop` unless it runs."""
    busy: str = ""
    breakpoints: tuple[Breakpoint, ...] = ()
    hits: Mapping[int, HitRows] = field(default_factory=dict)
    """Where each of them is come by on the tape, by its number, as far as that is known."""
    bookmarks: tuple[int, ...] = ()
    """Positions, in order."""
    watches: tuple[str, ...] = ()
    """Expressions that are shown at every stop."""
    problems: tuple[Problem, ...] = ()
    looked: int = -1
    """The row of the trace that the cursor is on; -1 for none."""
    title: str = ""
    """What was opened, in words: the traffic's name."""
    branch: str = ""
    """The name of the branch of the run, if there is more than one."""
    debugger: Debugger | None = None
    alone: str = ""
    """Why there is nothing but the tape: a trace file was opened without its plugin."""
    binaries: Binaries | None = None
    """What is known of the plugins' code."""
    unit: Unit = Unit.CALL
    """How far one step goes."""

    @property
    def position(self) -> int:
        """Where it stands, or stood last."""
        return self.last.position if self.last else 0

    @property
    def instant(self) -> Instant | None:
        """The instruction before which it stands, or stood last; None at an event."""
        return self.last.instant if self.last else None

    @property
    def moment(self) -> Moment:
        """The same place, to the instruction."""
        return self.last.moment if self.last else Moment(0)

    @property
    def row(self) -> int:
        """The row on which it stands, or stood last; -1 before the first."""
        return self.last.row if self.last and self.last.row < self.rows else -1

    @property
    def span(self) -> Span | None:
        """The exchange of the row it stands on, otherwise the one that is going on; None before, between and after."""
        tape, position = self.tape, self.position
        if not 0 < position <= len(tape):
            return None
        found = tape.span_of(tape.entered(position)) or tape.span_at(position)
        return None if found is None or 0 < found.last < position else found
