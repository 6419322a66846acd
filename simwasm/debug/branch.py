"""Branches: the run as it was recorded, and others that go another way because somebody answered for the host or for
the plugin.

A branch begins as a copy of the one it leaves and both are kept, to be compared. Rule: overrides are looked up by the
position of the call they replace, and positions before the fork are the same on both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal
from simwasm.debug.edits import Edit
from simwasm.debug.inputs import Inputs
from simwasm.debug.instant import Moment
from simwasm.debug.run import Answers
from simwasm.debug.tape import Tape
from simwasm.engines.fuel import Fuel
from simwasm.errors import TrapKind
from simwasm.host.ports import Guest
from simwasm.host.vm import Vm
from simwasm.link import Handlers
from simwasm.trace.event import Event, Left, shown

if TYPE_CHECKING:
    from simwasm.debug.checkpoints import Checkpoints
    from simwasm.debug.instants import Instants

_REASON = "overridden in the debugger"


@dataclass(frozen=True, slots=True)
class Override:
    """What is said in place of a host function (a status, and what it writes) or of a callback (its result)."""

    status: Status = Status.OK
    values: tuple[Any, ...] = ()
    """What goes through the out parameters, in their order, if the status is OK."""
    result: Any = None
    """What a callback returned, in place of what it did return."""
    callback: bool = False

    def reply(self) -> Any:
        """As a host function's handler would give it."""
        if self.status is not Status.OK:
            return Refusal(self.status, _REASON)
        return self.values[0] if len(self.values) == 1 else self.values or None


@dataclass
class Branch:
    """One way that the run went."""

    name: str
    inputs: Inputs
    tape: Tape
    checkpoints: Checkpoints
    overrides: dict[int, Override] = field(default_factory=dict)
    edits: dict[int, tuple[Edit, ...]] = field(default_factory=dict)
    """What is changed by hand, by the position of the callback."""
    instants: dict[int, Instants] = field(default_factory=dict)
    """What is known of the instructions of callbacks, by their positions; the newest last."""
    answers: Answers = field(default_factory=Answers)
    refusals: dict[int, dict[int, TrapKind]] = field(default_factory=dict)
    """Where plugins were interrupted: by their number, and by that of their request for fuel."""
    parent: Branch | None = None
    forked_at: int = 0
    """The position of the call that goes another way; 0 for the run as it was."""
    edit: Edit | None = None
    """What was changed by hand there, if that is why it goes another way."""

    def as_told(self, event: Event) -> Event:
        """An event as the host is told of it: with the result that is put in the place of a callback's own."""
        if not isinstance(event, Left):
            return event
        override = self.overrides.get(event.opened)
        if override is None or not override.callback:
            return event
        reason = f"{_REASON}; the plugin returned {shown(event.result)}"
        return event._replace(result=override.result, reason=reason)

    def fork(self, name: str, position: int, override: Override) -> Branch:
        """A branch that goes another way at the call that begins at a position."""
        ended = self.tape.end_of(position) if override.callback else 0
        return Branch(
            name,
            self.inputs,
            self.tape.fork(ended - 1 if ended else position),
            self.checkpoints.before(position),
            {at: kept for at, kept in self.overrides.items() if at < position} | {position: override},
            self._edits_before(Moment(ended or position)),
            answers=self.answers.before(position),
            refusals={number: dict(refused) for number, refused in self.refusals.items()},
            parent=self,
            forked_at=position,
        )

    def edited(self, name: str, edit: Edit) -> Branch:
        """Another branch that goes another way at an edit."""
        position = edit.moment.position
        edits = self._edits_before(Moment(position, edit.moment.ticks + 1))
        edits[edit.callback] = (*edits.get(edit.callback, ()), edit)
        return Branch(
            name,
            self.inputs,
            self.tape.fork(position),
            self.checkpoints.before(edit.callback),
            {at: kept for at, kept in self.overrides.items() if at <= position},
            edits,
            answers=self.answers.before(position + 1),
            refusals={number: dict(refused) for number, refused in self.refusals.items()},
            parent=self,
            forked_at=position,
            edit=edit,
        )

    def _edits_before(self, moment: Moment) -> dict[int, tuple[Edit, ...]]:
        kept = {
            callback: tuple(edit for edit in edits if edit.moment < moment)
            for callback, edits in self.edits.items()
        }
        return {callback: edits for callback, edits in kept.items() if edits}


Enter = Callable[[Vm, int, str, Callable[..., Any], tuple[Any, ...]], Any]
"""Calls a guest's callback: whose, the position where it begins, its name, the callback and its arguments."""


def plainly(vm: Vm, opened: int, name: str, callback: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call it, and no more."""
    return callback(*args)


class Interposed:
    """Stands between guests and host, and answers where the branch says so; `at` tells the current position."""

    def __init__(
        self,
        at: Callable[[], int],
        overrides: Callable[[], dict[int, Override]],
        fuelled: Callable[[int, Fuel], None],
        enter: Enter = plainly,
    ) -> None:
        self._at = at
        self._overrides = overrides
        self.fuelled = fuelled
        self._enter = enter

    def handlers(self, handlers: Handlers) -> Handlers:
        """Handlers that ask for an override first."""
        return {name: self._handler(handler) for name, handler in handlers.items()}

    def _handler(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        at, overrides = self._at, self._overrides

        def answer(*args: Any) -> Any:
            known = overrides()
            override = known.get(at()) if known else None
            return handler(*args) if override is None else override.reply()

        return answer

    def guest(self, guest: Guest, vm: Vm) -> Guest:
        """Callbacks whose result may be another."""
        return {name: self._callback(vm, name, callback) for name, callback in guest.items()}

    def _callback(self, vm: Vm, name: str, callback: Callable[..., Any]) -> Callable[..., Any]:
        at, overrides, enter = self._at, self._overrides, self._enter

        def call(*args: Any) -> Any:
            opened = at() + 1
            result = enter(vm, opened, name, callback, args)
            known = overrides()
            if not known:
                return result
            override = known.get(opened)
            return result if override is None else override.result

        return call
