"""Moments of a run that can be gone back to: between two pieces of its work, when no plugin is running.

A checkpoint holds the host's objects (`memento.py`), each guest's memory and globals (`engines/image.py`, pages shared
with the checkpoint before), and what fuel there was. Rules: there are never more than `MOST`, every second one goes
when there would be; a guest whose state cannot be read, or an engine that cannot, has none, and every way back
begins at the start.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from time import thread_time

from simwasm.debug.memento import Memento
from simwasm.debug.run import Run
from simwasm.engines.engine import Capturable
from simwasm.engines.fuel import FuelState
from simwasm.engines.image import CHUNK, Image, capture, restorable, restore
from simwasm.plugin import Plugin
from simwasm.session import Started

EVERY = 2_000
"""Events between two checkpoints, at first: what takes about 15 ms to run again."""

MOST = 256
HEAVIEST = 256 << 20
"""How many bytes of memory they may hold together, what they share counted once."""

_AN_EVENT_S = 0.000_03
"""What it takes to record an event. Checkpoints may take as long as the events between them, and no longer."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run as it was right after the event at a position."""

    position: int
    run: Run
    memento: Memento
    started: tuple[Started, ...]
    images: tuple[Image | None, ...]
    """Of each VM that was started; None for one that was not used any more."""
    fuel: tuple[FuelState, ...]

    @classmethod
    def take(cls, run: Run, position: int, previous: Checkpoint | None) -> Checkpoint:
        """Put down where a run is, which no plugin is running in."""
        related = previous is not None and previous.run is run
        images = dict(zip(previous.started, previous.images, strict=True)) if previous and related else {}
        started = tuple(run.session.started)
        return cls(
            position,
            run,
            Memento([run, run.session.proxy]),
            started,
            tuple(_captured(each, images.get(each)) for each in started),
            tuple(each.fuel.state() for each in started),
        )

    def restore(self) -> None:
        """Make the run go on from here."""
        session = self.run.session
        guests = [each.vm.guest for each in self.started]
        self.memento.restore()
        for each in session.started:
            if each not in self.started:
                each.close()
        session.started[:] = self.started
        for each, guest, image, fuel in zip(self.started, guests, self.images, self.fuel, strict=True):
            each.vm.guest = guest
            if image is None:
                each.close()
            elif each.instance is None or not restore(_capturable(each), image):
                session.linked(each)
                restore(_capturable(each), image)
            each.fuel.restore(fuel)
        assert session.wire is not None
        session.wire.rewind(self.position)


def _captured(started: Started, previous: Image | None) -> Image | None:
    return capture(_capturable(started), previous) if started.instance is not None else None


def _capturable(started: Started) -> Capturable:
    assert isinstance(started.instance, Capturable)
    return started.instance


class Checkpoints:
    """The checkpoints of a branch, in order."""

    def __init__(self, plugins: Sequence[Plugin], taken: Sequence[Checkpoint] = ()) -> None:
        self._plugins = plugins
        self._taken = list(taken)
        self._every = EVERY
        self._price = 0
        """How many events are recorded in the time that the last one took."""
        self._none = (0, 0)
        """Positions between which there is none to be taken: what was found the last time."""
        self._useless: str | None = None
        self.wanted = 0
        """Where to take one in any case, because somebody goes to and fro behind it."""

    def __len__(self) -> int:
        return len(self._taken)

    @property
    def useless(self) -> str:
        """Why there are none; empty if there are. Found out when it is asked for: all code is read for it."""
        if self._useless is None:
            self._useless = next(filter(None, (restorable(plugin.module) for plugin in self._plugins)), "")
        return self._useless

    def before(self, position: int) -> Checkpoints:
        """Those that a branch shares which leaves at a position."""
        found = Checkpoints(self._plugins, [taken for taken in self._taken if taken.position < position])
        found._useless = self._useless
        return found

    def positions(self) -> tuple[int, ...]:
        """Where they are."""
        return tuple(taken.position for taken in self._taken)

    def nearest(self, position: int) -> Checkpoint | None:
        """The last one from which the event at a position can be reached."""
        at = bisect_left(self._taken, position, key=_position)
        return self._taken[at - 1] if at else None

    def offer(self, run: Run, position: int) -> None:
        """Take one here, if there is none nearby."""
        first, end = self._none
        wanted = position == self.wanted
        if (first <= position < end and not wanted) or self.useless:
            return
        at = bisect_left(self._taken, position + 1, key=_position)
        previous = self._taken[at - 1] if at else None
        apart = 1 if wanted else max(self._every, self._price)
        if previous is not None and position - previous.position < apart:
            if not wanted:
                self._none = previous.position, previous.position + apart
            return
        running = [each.instance for each in run.session.started if each.instance is not None]
        if not all(isinstance(instance, Capturable) for instance in running):
            self._useless = "the engine cannot put a plugin back to an earlier moment"
            return
        started = thread_time()
        self._taken.insert(at, Checkpoint.take(run, position, previous))
        self._price = round((thread_time() - started) / _AN_EVENT_S)
        while len(self._taken) > MOST or (len(self._taken) > 1 and _weight(self._taken) > HEAVIEST):
            del self._taken[1::2]
            self._every *= 2

    def runs(self) -> set[Run]:
        """The runs that some checkpoint leads back to."""
        return {taken.run for taken in self._taken}


def _weight(taken: Sequence[Checkpoint]) -> int:
    """The bytes of memory that checkpoints hold; each chunk counts once, though chunks share pages."""
    chunks = {id(chunk) for each in taken for image in each.images if image for chunk in image.memory}
    return len(chunks) * CHUNK


_position = attrgetter("position")
