"""Inside of a callback: what one sees and does where the next thing to happen is one instruction of the plugin.

    debugger.unit = Unit.INSTRUCTION
    stop = debugger.step().result()            # stop.instant: function, offset, line of source
    debugger.inside.activations().result()[0].locals
    debugger.inside.run_to("src/lib.rs:48")

The run was recorded at full speed, so for this a callback is entered again, on an engine that can be stepped, with the
host going on as it did. Rules: everything gives a `Future`, because it is found out in the plugins' thread; what cannot
be told has a reason in words.
"""

from __future__ import annotations

from concurrent.futures import Future

from simwasm.debug.activations import Activation, Variable
from simwasm.debug.byte_writers import ByteWriters, MemoryWrite
from simwasm.debug.code_plans import CodePlans
from simwasm.debug.hand import Hand
from simwasm.debug.instant import Moment
from simwasm.debug.instants import Instants
from simwasm.debug.once import once
from simwasm.debug.stop import Stop
from simwasm.debug.survey import Stretch
from simwasm.debug.worker import Worker


class Inside:
    """What can be seen and done inside of callbacks."""

    def __init__(self, worker: Worker, plans: CodePlans, writers: ByteWriters) -> None:
        self._worker = worker
        self._plans = plans
        self._hand = Hand(worker, plans)
        self._writers = writers

    # What is there.

    def activations(self) -> Future[tuple[Activation, ...]]:
        """The active functions of the plugin, innermost first; none where the run does not stand at an instant."""
        return self._worker.ask(self._hand.activations)

    def globals(self) -> Future[tuple[Variable, ...]]:
        """The globals that can change, of the plugin whose call this is."""
        return self._worker.ask(self._hand.globals)

    def instants(self) -> Future[Instants]:
        """Every instruction of the callback that the run stands in, or at the begin or end of: to count and to draw.

        The run moves for a moment if they are not known yet, and stands there again.
        """
        found: list[Instants] = []
        return once(self._worker.go(lambda: self._plans.learn(found.append)), lambda: found[0])

    def written_by(self, at: int, size: int, vm: str = "", *, most: int = 1_000) -> Future[list[MemoryWrite]]:
        """Who wrote these bytes of a plugin's memory up to here, instructions and host calls; newest first.

        Looks at the last `most` changes that are found between events, in at most `MOST` callbacks.
        """
        found: list[list[MemoryWrite]] = []
        stretch = Stretch(vm, at, size)
        moved = self._worker.go(lambda: self._writers.plan(stretch, most, found.append))
        return once(moved, lambda: found[0])

    # Going somewhere.

    def goto(self, moment: Moment) -> Future[Stop]:
        """Go to any moment of the timeline."""
        return self._worker.go(lambda: self._plans.goto(moment))

    # Going another way.

    def assign(self, slot: str, text: str, *, level: int = 0) -> Future[Stop]:
        """Give a local (`l3`), an operand (`s0`) or a global (`g1`) another value, on a branch of its own.

        `level` counts functions outwards from the innermost. The run stands at the same instant of the new branch.
        """
        return self._worker.go(lambda: self._plans.edit(self._hand.assigned(slot, text, level)))

    def write(self, at: int, data: bytes) -> Future[Stop]:
        """Put bytes into the plugin's memory, on a branch of its own."""
        return self._worker.go(lambda: self._plans.edit(self._hand.written(at, data)))
