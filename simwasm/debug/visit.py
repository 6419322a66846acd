"""One callback that runs under a lens: counts its instructions, and stands still where that is wanted.

Rules: the hook that counts is told of an instruction before it happens; where one stands in it, another lens may be put
on, and the same call goes on under that; edits are made when their moment has come, before anybody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from simwasm.debug.code import Code
from simwasm.debug.edits import Edit
from simwasm.debug.instant import Instant, Moment
from simwasm.debug.instants import Instants, Marks, instant_at
from simwasm.debug.lens import Lens
from simwasm.debug.stop import Why
from simwasm.errors import Divergence

if TYPE_CHECKING:
    from simwasm.engines.engine import Hook, Steppable

_NEVER = -1


class Visit:
    """A callback that runs."""

    def __init__(
        self,
        lens: Lens,
        callback: int,
        vm: str,
        code: Code,
        instance: Steppable,
        edits: Sequence[Edit],
        stand: Callable[[Why], None],
    ) -> None:
        self.callback = callback
        """The position where it begins."""
        self.vm = vm
        self.code = code
        self.instance = instance
        self.marks = Marks(callback)
        self.offset = 0
        """Of the instruction before which it stands."""
        self.standing = False
        """Whether it stands before an instruction."""
        self._edits = sorted(edits, key=lambda edit: edit.moment)
        self._stand = stand
        self._lens = lens
        self._offsets: frozenset[int] = frozenset()
        self.hook, self.count, self._aim = self._counting(lens)
        self.put_on(lens)

    def put_on(self, lens: Lens) -> None:
        """Look for something else from here on."""
        self._lens, self._offsets = lens, lens.offsets(self)
        self._aim(self._alarm(), self._offsets)

    def moment(self) -> Moment:
        """Where it is on the timeline; amid an instruction, at that."""
        count, position = self.count(), self.marks.last
        return (
            self.marks.moment(count)
            if self.standing
            else Moment(position, count - self.marks.until(position))
        )

    @property
    def turns(self) -> bool:
        """Whether another lens can be put on amid the callback."""
        return self._lens.keep is None and self._lens.each is None

    def instant(self, known: Instants | None) -> Instant | None:
        """The instruction before which it stands; more of it if the callback is on an instruction tape."""
        if not self.standing:
            return None
        total = known.total if known is not None else 0
        moment, depth = self.moment(), self.instance.depth()
        return instant_at(self.code, self.vm, self.offset, moment, self.count(), total, depth)

    def told(self, position: int) -> None:
        """An event is told."""
        wanted = self._lens.stand
        if (
            wanted is not None
            and wanted.position < position
            and wanted.ticks
            and wanted.position >= self.callback
        ):
            raise Divergence(f"no instruction {wanted.ticks:,} follows event {wanted.position:,} any more")
        self.marks.add(position, self.count())
        for edit in self._edits:
            if edit.moment == (position, 0):
                edit.make(self.code, self.instance)
        if self._lens.told is not None:
            self._lens.told(self, position)
        self._aim(self._alarm(), self._offsets)

    def edited(self, moment: Moment) -> bool:
        """Whether memory is changed by hand at a moment."""
        return any(edit.moment == moment and edit.slot == "memory" for edit in self._edits)

    def enough(self) -> bool:
        """Whether nobody wants to see more of the callback; asked whenever the guest asks for fuel."""
        lens = self._lens
        if lens.keep is not None:
            return lens.keep.look(self)
        return 0 < lens.most < self.count()

    def _alarm(self) -> int:
        """The number of the next instruction at which there is something to do."""
        known = self.marks
        wanted = [self._lens.stand] if self._lens.stand is not None else []
        moments = [*wanted, *(edit.moment for edit in self._edits)]
        counts = [known.count(each) for each in moments if each.ticks and known.has(each.position)]
        return min((count for count in counts if count > self.count()), default=_NEVER)

    def _met(self, count: int, offset: int) -> None:
        """An instruction comes at which there is something to do."""
        self.offset, here = offset, self.marks.moment(count)
        self.standing = True
        try:
            for edit in self._edits:
                if edit.moment == here:
                    edit.make(self.code, self.instance)
            why = Why.GOTO if here == self._lens.stand else None
            if offset in self._offsets:
                why = self._lens.met(self) or why
            if why is not None:
                self._stand(why)
        finally:
            self.standing = False
        self._aim(self._alarm(), self._offsets)

    def _counting(self, lens: Lens) -> tuple[Hook, Callable[[], int], Callable[[int, frozenset[int]], None]]:
        """A hook, what says how many instructions it was told of, and what sets when it has something to do."""
        if lens.keep is not None and not self._edits:
            return lens.keep.offsets.append, lens.keep.count, lambda alarm, wanted: None
        each = lens.each
        if lens.keep is not None:
            keep = lens.keep.offsets.append
            each = lambda visit, offset: keep(offset)  # noqa: E731
        return _looking(self, each, self._met) if each is not None else _ticking(self._met)


def _ticking(
    met: Callable[[int, int], None],
) -> tuple[Hook, Callable[[], int], Callable[[int, frozenset[int]], None]]:
    count, alarm, wanted = 0, _NEVER, frozenset[int]()

    def tick(offset: int) -> None:
        nonlocal count
        count += 1
        if count == alarm or offset in wanted:
            met(count, offset)

    def aim(at: int, offsets: frozenset[int]) -> None:
        nonlocal alarm, wanted
        alarm, wanted = at, offsets

    return tick, lambda: count, aim


def _looking(
    visit: Visit, each: Callable[[Visit, int], None], met: Callable[[int, int], None]
) -> tuple[Hook, Callable[[], int], Callable[[int, frozenset[int]], None]]:
    count, alarm = 0, _NEVER

    def tick(offset: int) -> None:
        nonlocal count
        count += 1
        each(visit, offset)
        if count == alarm:
            met(count, offset)

    def aim(at: int, offsets: frozenset[int]) -> None:
        nonlocal alarm
        alarm = at

    return tick, lambda: count, aim
