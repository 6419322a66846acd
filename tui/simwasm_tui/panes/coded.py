"""What the panes about code have in common: they show a frame of the call stack, that of the stop or one chosen.

At a stop they show at once what the tape tells, and the real call stack when it is known, which is asked for only when
the run has stood for a moment: whoever steps fast is not held up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import zip_longest
from typing import Protocol, TypeVar, runtime_checkable

from textual.timer import Timer

from simwasm.debug.instant import Moment
from simwasm.debug.tape import Tape
from simwasm.errors import Frame
from simwasm.wasm.lines import Place
from simwasm_tui.binaries import Binary, Spot, acting
from simwasm_tui.interior import NOWHERE, Interior
from simwasm_tui.messages import ShowCode
from simwasm_tui.model import View
from simwasm_tui.panes.pane import Pane

T = TypeVar("T")
_MOMENT = 0.15
_INSTANT = 0.03
"""At an instruction nothing has to be run for it."""


@runtime_checkable
class Placed(Protocol):
    """A pane whose cursor is on a place in code."""

    @property
    def place_here(self) -> str: ...


class Coded(Pane):
    """A pane that shows frames."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.spots: tuple[Spot, ...] = ()
        """The call stack, innermost first."""
        self.chosen = 0
        """Which of its frames is shown."""
        self.vm = ""
        self.interior = NOWHERE
        """What the functions hold, at an instant."""
        self._place: tuple[Tape, Moment] | None = None
        """Where the call stack is that of."""
        self._wish: tuple[Tape, Moment, Frame] | None = None
        """The frame that somebody wants to see, and where that was."""
        self._asking: Timer | None = None

    def draw(self, view: View, before: View | None) -> None:
        place = (view.tape, view.moment)
        if view.stop is None or (self._place is not None and self._same(place)):
            return
        self._place = place
        self.vm, self.chosen, self.interior = acting(view), 0, NOWHERE
        if self._asking is not None:
            self._asking.stop()
        if view.binaries is None:
            return
        place_of = view.instant.place if view.instant is not None else None
        self.take_frames(view.binaries.known(view), (place_of,))
        self._asking = self.set_timer(_MOMENT if view.instant is None else _INSTANT, self._ask)

    def _same(self, place: tuple[Tape, Moment]) -> bool:
        return self._place is not None and self._place[0] is place[0] and self._place[1] == place[1]

    def _ask(self) -> None:
        """Ask for the real call stack."""
        view = self.view
        if not self.display:
            self._place = None  # it is asked for when it is seen again
        if view is None or view.binaries is None or not self.display:
            return
        place = (view.tape, view.moment)

        def arrived(frames: tuple[Frame, ...]) -> None:
            if frames and self.is_attached and self._same(place):
                self.take_frames(frames)

        def entered(found: Interior) -> None:
            if found.activations and self.is_attached and self._same(place):
                self.interior = found
                self.take_frames(found.frames, [each.place for each in found.activations])

        self._once(view.binaries.stack(view), arrived)
        self._once(view.binaries.interior(view), entered)

    def _once(self, future: Future[T] | None, arrived: Callable[[T], None]) -> None:
        """Go on here with an answer."""

        def answered(ended: Future[T]) -> None:
            if not ended.cancelled() and ended.exception() is None and not self.app._exit:
                self.app.call_later(arrived, ended.result())

        if future is not None:
            future.add_done_callback(answered)

    def take_frames(self, frames: tuple[Frame, ...], places: Sequence[Place | None] = ()) -> None:
        """Show a call stack, its lines at once if they are known, otherwise as soon as they are found."""
        self.chosen = (
            frames.index(self._wish[2]) if self.wished and self._wish and self._wish[2] in frames else 0
        )
        self.spots = tuple(Spot(frame, place) for frame, place in zip_longest(frames, places[: len(frames)]))
        self.show_spots()
        if self.spots and all(spot.place is not None for spot in self.spots):
            return
        binary = self.binary
        if binary is not None and binary.lines.there and frames:
            found = partial(self._find_lines, binary, frames)
            self.run_worker(found, exclusive=True, group="lines")  # type: ignore[arg-type]  # of a union

    async def _find_lines(self, binary: Binary, frames: tuple[Frame, ...]) -> None:
        spots = await asyncio.to_thread(binary.spots, frames)
        if tuple(spot.frame for spot in self.spots) == frames:
            self.spots = spots
            self.show_spots()

    @property
    def binary(self) -> Binary | None:
        """The code of the plugin whose frames these are."""
        view = self.view
        return view.binaries.of(view, self.vm) if view is not None and view.binaries is not None else None

    def show_spots(self) -> None:
        """Show the call stack, or the frame of it that is chosen."""

    def show_code(self, frame: Frame, vm: str) -> None:
        if self.view is None:
            return
        self._wish = (self.view.tape, self.view.moment, frame)
        frames = [spot.frame for spot in self.spots]
        if self.wished and vm == self.vm and frame in frames:
            self.chosen = frames.index(frame)
            self.show_spots()

    @property
    def wished(self) -> bool:
        """Whether somebody wants to see a certain frame of this call stack."""
        return self._wish is not None and self._same(self._wish[:2])

    def forget_wish(self) -> None:
        """Show what is best at this stop."""
        self._wish, self.chosen = None, 0
        self.show_spots()

    def choose(self, index: int, open: str = "") -> None:
        """Have all panes about code show a frame."""
        if 0 <= index < len(self.spots):
            self.post_message(ShowCode(self.spots[index].frame, self.vm, open=open))
