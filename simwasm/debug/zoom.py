"""Callbacks entered again on an engine that can be stepped, in place of the one that recorded them.

The run is deterministic and a guest's state is a value (`engines/image.py`). So when a callback begins that somebody
wants to look into, the guest is put down, put up in the other engine, and called there, while the host goes on as if
nothing had happened; what it sees is checked against the tape. When the callback has returned the guest is put back.

Rules: only callbacks of the host are entered, not those amid a host call; a guest whose state cannot be put down can
only be stepped in the engine that it was recorded with; an engine that can be stepped itself steps in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simwasm.debug.activations import Guest
from simwasm.debug.code import Code
from simwasm.debug.instant import Moment
from simwasm.debug.lens import Lens
from simwasm.debug.stop import Why
from simwasm.debug.visit import Visit
from simwasm.engines import find
from simwasm.engines.engine import Capturable, Steppable
from simwasm.engines.image import Image, capture, restorable, restore
from simwasm.errors import InputError, Trap
from simwasm.host.vm import Vm
from simwasm.plugin import Plugin
from simwasm.session import Session, Started, Twin

if TYPE_CHECKING:
    from simwasm.debug.branch import Branch

ENGINE = "python"
"""The engine that callbacks are entered in."""
_IMAGES = 8


class Zoom:
    """Enters callbacks of a run."""

    def __init__(
        self, branch: Callable[[], Branch], session: Callable[[], Session], stand: Callable[[Why], None]
    ) -> None:
        self.lens: Lens | None = None
        self.visit: Visit | None = None
        """The callback that runs under a lens now."""
        self._branch = branch
        self._session = session
        self._stand = stand
        self._twin_instance: Steppable | None = None
        """The one that a callback was entered in last."""
        self._codes: dict[int, Code] = {}
        self._images: dict[tuple[int, int], Image] = {}

    def put_on(self, lens: Lens | None) -> None:
        """Look for something else from here on; with None for nothing."""
        self.lens = lens
        if self.visit is not None:
            self.visit.put_on(lens or Lens(range(0)))

    def code(self, plugin: Plugin) -> Code:
        """A plugin's code."""
        if id(plugin) not in self._codes:
            self._codes[id(plugin)] = Code(plugin)  # holds the plugin, so the number stays its own
        return self._codes[id(plugin)]

    def moment(self, position: int) -> Moment:
        """Where the run is on the timeline."""
        return self.visit.moment() if self.visit is not None else Moment(position)

    def why_not(self, started: Started) -> str:
        """Why the callbacks of a VM cannot be entered; empty if they can."""
        if isinstance(started.instance, Steppable):
            return ""
        reason = restorable(started.vm.plugin.module)
        if reason:
            advice = f"record with `--engine {ENGINE}` to step inside"
            return f"{reason}, which cannot be carried to another engine: {advice}"
        return ""

    @property
    def elsewhere(self) -> str:
        """The engine that a callback runs in now, if that is another one than the run's."""
        visit = self.visit
        return ENGINE if visit is not None and visit.instance is self._twin_instance else ""

    def in_place(self, vm: str) -> bool:
        """Whether the callbacks of a VM can be stepped in the engine they were recorded in."""
        return isinstance(self._named(vm).instance, Steppable)

    def guest(self, vm: str) -> Guest:
        """A VM's guest, as it stands."""
        started = self._named(vm)
        assert started.instance is not None
        return Guest(self.code(started.vm.plugin), started.instance)

    def image(self, vm: str) -> Image:
        """A guest as it is, when none of its callbacks runs."""
        return capture(_capturable(self._named(vm)), next(reversed(self._images.values()), None))

    def _named(self, vm: str) -> Started:
        running = [each for each in self._session().started if each.instance is not None]
        found = next((each for each in running if each.vm.name == vm), None)
        if found is None:
            raise InputError(f"no plugin {vm} is running here")
        return found

    # Entering.

    def call(
        self, vm: Vm, opened: int, name: str, callback: Callable[..., Any], args: tuple[Any, ...]
    ) -> Any:
        """Call a guest's callback, which begins at a position, under the lens if it is wanted there."""
        edits = self._branch().edits.get(opened, ())
        lens = self.lens
        if lens is None or opened not in lens.callbacks:
            lens = None
        if self.visit is not None or (lens is None and not edits):
            return callback(*args)
        started = self._running(vm)
        if isinstance(started.instance, Steppable):
            try:
                return self._visited(lens or Lens(range(0)), started.instance, vm, opened, callback, args)
            finally:
                started.instance.watch(None)
        with _Exchanged(self, started, opened) as twin:
            assert isinstance(twin.instance, Steppable)
            self._twin_instance = twin.instance
            return self._visited(lens or Lens(range(0)), twin.instance, vm, opened, twin.calls[name], args)

    def _visited(
        self,
        lens: Lens,
        instance: Steppable,
        vm: Vm,
        opened: int,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> Any:
        edits = self._branch().edits.get(opened, ())
        self.visit = Visit(lens, opened, vm.name, self.code(vm.plugin), instance, edits, self._stand)
        instance.watch(self.visit.hook)
        try:
            return callback(*args)
        finally:
            self.visit = None

    def _running(self, vm: Vm) -> Started:
        return next(each for each in self._session().started if each.vm is vm and each.instance is not None)

    def twin(self, started: Started, position: int) -> tuple[Twin, Image]:
        """The guest of a VM in the other engine, as it is when a callback is about to begin at a position."""
        image = self._image(started, position)
        twin = started.twin
        if twin is None or not restore(_capturable(twin), image):
            if twin is not None:
                twin.close()
            twin = started.twin = self._session().twin(started, find.engine(ENGINE))
            restore(_capturable(twin), image)
        return twin, image

    def _image(self, started: Started, position: int) -> Image:
        """The guest as it is; a position of a branch is always the same, so it is put down once."""
        key = id(self._branch().tape), position
        if key not in self._images:
            if len(self._images) >= _IMAGES:
                del self._images[next(iter(self._images))]
            newest = next(reversed(self._images.values()), None)
            self._images[key] = capture(_capturable(started), newest)
        return self._images[key]


class _Exchanged:
    """A guest's place is taken by its twin, as long as one callback takes."""

    def __init__(self, zoom: Zoom, started: Started, position: int) -> None:
        self._started = started
        self._twin, self._image = zoom.twin(started, position)
        self._instance, self._gate, self._guest = started.instance, started.vm.gate, started.vm.guest

    def __enter__(self) -> Twin:
        started, vm, twin = self._started, self._started.vm, self._twin
        started.instance, vm.gate, vm.guest = twin.instance, twin.gate, twin.guest
        return twin

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        started, vm = self._started, self._started.vm
        started.instance, vm.gate, vm.guest = self._instance, self._gate, self._guest
        if kind is None or issubclass(kind, Trap):
            now = capture(_capturable(self._twin), self._image)
            if not restore(_capturable(started), now):
                raise InputError("the plugin's memory shrank in the other engine, which cannot be")


def _capturable(started: Started) -> Capturable:
    assert isinstance(started.instance, Capturable)
    return started.instance
