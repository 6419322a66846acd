"""How the instructions of a callback become known.

It is run once where it was recorded, to see how it ends, and once under a lens that keeps what it runs; both ends are
compared. Rule: who cannot come to its end comes back to where one stood, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from simwasm.debug.instants import Instants, Marks
from simwasm.debug.lens import Lens
from simwasm.debug.stop import Stop, Why
from simwasm.debug.tape import Tape
from simwasm.debug.visit import Visit
from simwasm.debug.window import Window
from simwasm.debug.worker import Motion, Worker
from simwasm.engines.image import Image, difference
from simwasm.errors import InputError

BUSY = "looking into the callback"

Onward = Callable[[Instants], Motion | Stop]
"""What to do once the instructions of a callback are known."""


class Learning:
    """How the instructions of a callback become known, and what comes after."""

    def __init__(
        self,
        worker: Worker,
        callback: int,
        end: int,
        way_back: Motion,
        keep: Callable[[Instants], object],
        onward: Onward,
    ) -> None:
        self._worker = worker
        self._callback = callback
        self._end = end
        """0 for one that has not ended, as a loop without end."""
        self._way_back = way_back
        self._keep = keep
        self._onward = onward
        self._ends: list[Image] = []
        """The guest at the end of the callback: where it was recorded, and under the lens."""
        self._window = Window(worker.here.moment)
        self._visit: Visit | None = None

    def begin(self) -> Motion:
        """Run it to its end as it was recorded."""
        zoom = self._worker.machine.zoom
        if not self._end or zoom.in_place(self._tape.entered(self._callback).vm):
            return self._looking()
        return Motion(
            self._end, again=self._callback, probe=self._probe, then=self._then(self._looking), busy=BUSY
        )

    @property
    def _tape(self) -> Tape:
        return self._worker.machine.branch.tape

    def _looking(self) -> Motion:
        lens = Lens(range(self._callback, self._callback + 1), keep=self._window)
        return Motion(
            self._end,
            again=self._callback,
            lens=lens,
            probe=self._probe,
            then=self._then(self._done),
            busy=BUSY,
        )

    def _then(self, following: Callable[[], Motion | None]) -> Callable[[], Motion | None]:
        """Go on if the run came to the end of the callback; otherwise back, and say why not."""

        def then() -> Motion | None:
            here = self._worker.here
            if here.why is Why.GOTO and (here.position == self._end or self._window.full):
                return following()
            return _noted(self._way_back, f"cannot look into this callback: {here.note or here.why.value}")

        return then

    def _probe(self, position: int) -> None:
        zoom = self._worker.machine.zoom
        if position == self._callback and zoom.visit is not None:
            self._visit = zoom.visit
        if position == self._end:
            self._ends.append(zoom.image(self._tape.entered(self._callback).vm))

    def _done(self) -> Motion | None:
        visit = self._visit
        assert visit is not None
        nested = tuple(_nested(self._tape, visit.marks, self._callback, self._end or len(self._tape)))
        differs = "" if len(self._ends) < 2 else difference(*self._ends)
        if differs:
            differs = f"the callback ended otherwise than where it was recorded: {differs}"
        window = self._window
        instants = Instants(
            visit.code, visit.vm, visit.marks, window.offsets, nested=nested, skipped=window.skipped,
            around=window.frames, complete=not window.full, differs=differs,
        )  # fmt: skip
        self._keep(instants)
        try:
            found = self._onward(instants)
        except InputError as error:
            return _noted(self._way_back, str(error))
        return found if isinstance(found, Motion) else Motion(found.position, found.why, found.note)


def _noted(way: Motion, note: str) -> Motion:
    return replace(way, note=note)


def _nested(tape: Tape, marks: Marks, callback: int, end: int) -> Iterator[tuple[int, int]]:
    """The callbacks amid host calls, by how many instructions come before the first and up to the last of each."""
    for position in range(callback + 1, end):
        if tape.is_callback(position) and marks.has(tape.end_of(position) or -1):
            yield marks.until(position), marks.until(tape.end_of(position))
