"""What panes look at while the run stands: the host's state, the plugin's memory, and the call of the row.

Rule: a sight is taken once a stop and read as often as you like; the memory in it is the one that the plugin had then,
so it may be drawn even while the run goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

from simwasm.debug.arguments import Argument, Reader, arguments
from simwasm.debug.expression_scope import Scope
from simwasm.debug.state import State
from simwasm.debug.stop import Stop
from simwasm.debug.tape import Tape
from simwasm.errors import SimwasmError
from simwasm.trace.event import Entered, Left, Trapped
from simwasm_tui.model import View


class Bytes:
    """A plugin's memory: nothing is copied but what is read."""

    def __init__(self, view: memoryview | bytes) -> None:
        self._view = memoryview(view)

    def size(self) -> int:
        """How many bytes it has."""
        return len(self._view)

    def read(self, at: int, size: int, /) -> bytes:
        """Copy bytes out."""
        if not 0 <= at <= at + size <= len(self._view):
            raise IndexError(f"{size} bytes at {at} are not in a memory of {len(self._view)} bytes")
        return bytes(self._view[at : at + size])


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One stop, seen. The run may leave and come back to the same place: that is not another one."""

    stop: Stop
    tape: Tape
    state: State
    memory: Bytes | None
    """That of the plugin whose call this is, if one runs."""

    def of(self, view: View) -> bool:
        """Whether this is where the run stands."""
        stop = view.stop
        return stop is None or (
            view.tape is self.tape and (stop.moment, stop.why) == (self.stop.moment, self.stop.why)
        )

    @property
    def entered(self) -> Entered | None:
        """The call of the row."""
        position = self.stop.position
        return self.tape.entered(position) if position else None

    @property
    def ended(self) -> Left | Trapped | None:
        """How it ended, where one stands behind that."""
        event = self.tape.at(self.stop.position) if self.stop.position else None
        return None if isinstance(event, Entered) else event

    @property
    def scope(self) -> Scope:
        """What an expression reads from."""
        return Scope(self.state, self.entered, self.ended, self.memory)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The arguments of the call of the row."""
        return arguments_at(self.tape, self.stop.position, self.memory)


def arguments_at(tape: Tape, position: int, memory: Reader | None = None) -> tuple[Argument, ...]:
    """The arguments of a call; what the host will write is told as it is recorded."""
    if not position:
        return ()
    opened = tape.opening(position)
    end = tape.end_of(opened)
    ended = tape.at(end) if end else None
    assert not isinstance(ended, Entered)
    return arguments(tape.entered(position), ended, memory=memory, tape=tape, after=position != opened)


def see(view: View) -> Sight | None:
    """Look, if the run stands."""
    if view.debugger is None or view.stop is None:
        return None
    try:
        state = view.debugger.state()
    except SimwasmError:
        return None
    return Sight(view.stop, view.tape, state, _memory(view))


def _memory(view: View) -> Bytes | None:
    assert view.debugger is not None
    try:
        return Bytes(view.debugger.memory().view())
    except SimwasmError:
        return None
