"""The inside of a callback at a stop: the active functions of the plugin with what they hold, and what has changed.

Rule: an interior is asked for once a stop, and compared with that of the stop before; a value is the same one only in
the same activation of the same function.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from simwasm.debug.activations import Activation, Variable
from simwasm.errors import Frame

if TYPE_CHECKING:
    from simwasm.debug.debugger import Debugger

Key = tuple[str, int, int, str]
"""A value: its kind, how many functions are around its own, which that is, and its name."""
SOURCE, LOCAL, OPERAND, GLOBAL = "source", "local", "operand", "global"


class Held(NamedTuple):
    """Something that a function holds, or the plugin."""

    kind: str
    variable: Variable
    key: Key

    @property
    def editable(self) -> bool:
        """Whether it can be given another value."""
        return self.kind != SOURCE and not self.variable.why and self.variable.value is not None


class Interior(NamedTuple):
    """What there is at an instant; nothing elsewhere."""

    activations: tuple[Activation, ...] = ()
    globals: tuple[Variable, ...] = ()

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The active functions, as a call stack."""
        return tuple(Frame(each.function, each.name, each.offset) for each in self.activations)

    def held(self, level: int) -> Iterator[Held]:
        """What one of the functions holds, what the source calls by a name first; and the globals."""
        if 0 <= level < len(self.activations):
            active = self.activations[level]
            around = len(self.activations) - level
            for kind, variables in (
                (SOURCE, active.variables), (LOCAL, active.locals), (OPERAND, active.stack),
            ):  # fmt: skip
                for each in variables:
                    yield Held(kind, each, (kind, around, active.function, each.slot))
        for each in self.globals:
            yield Held(GLOBAL, each, (GLOBAL, 0, 0, each.slot))

    def values(self) -> dict[Key, str]:
        """Every value, as it is told."""
        return {
            each.key: each.variable.text
            for level in range(max(1, len(self.activations)))
            for each in self.held(level)
        }


NOWHERE = Interior()


def ask(debugger: Debugger) -> Future[Interior]:
    """Ask for the interior where the run stands."""
    found: Future[Interior] = Future()
    globals, active = debugger.inside.globals(), debugger.inside.activations()

    def told(_: object) -> None:
        """The plugins' thread answers in order: when it has told the second, the first is known."""
        error = active.exception() or globals.exception()
        if error is not None:
            found.set_exception(error)
        else:
            found.set_result(Interior(active.result(), globals.result()))

    active.add_done_callback(told)
    return found
