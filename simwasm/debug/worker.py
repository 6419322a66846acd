"""The thread in which the plugins run, and the orders it carries out one after the other.

An order is a plan, made in that thread while the run stands still: it gives a motion, which brings the run elsewhere,
or none. Rules:

- `stop` is set before an order's future has its result, and is None while the run moves or is about to, because
  another order that moves it waits;
- a motion that goes forward lets the plugin's call go on, any other leaves the call and runs again from before;
- whatever goes wrong ends as a stop or in a future, and the thread waits for the next order.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from simwasm.debug.branch import Branch
from simwasm.debug.instant import Moment
from simwasm.debug.lens import Lens
from simwasm.debug.machine import Arrived, Machine, Probe, Request, Unwound
from simwasm.debug.stop import Stop, Why
from simwasm.errors import InputError, SimwasmError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Motion:
    """Where the run is to be brought."""

    target: int = 0
    """A position on tape; 0 is beyond the last one."""
    why: Why = Why.GOTO
    """Why it stands still at the target."""
    note: str = ""
    arrived: Arrived | None = None
    """Decides at each new event whether to stand still there."""
    probe: Probe | None = None
    """Decides at every event, new or not."""
    again: int = 0
    """Run again from before this position, even if the target is ahead."""
    then: Callable[[], Motion | None] | None = None
    """Asked where it stands: another motion goes on at once."""
    lens: Lens | None = None
    """What is looked for inside of callbacks; where it stands, that is the target."""
    pause_at: Request | None = None
    """Where to stand still while a plugin computes."""
    leaving: Callable[[Unwound], None] | None = None
    """Told of the plugin's call that was left for this motion."""
    busy: str = ""
    """What the run does meanwhile, in words."""


Plan = Callable[[], Motion | Stop | None]
"""Gives a motion; a stop where the run is already, for another reason; or None to stay."""


@dataclass(frozen=True, slots=True)
class _Order:
    future: Future[Any]
    plan: Plan | None = None
    question: Callable[[], Any] | None = None


class Worker:
    """One thread, one machine."""

    def __init__(
        self, branch: Branch, changed: Callable[[], None], stopped_by: Callable[[int, Why], tuple[int, ...]]
    ) -> None:
        self.stop: Stop | None = None
        self.here = Stop(0, -1, Why.BEGIN)
        """Where the run stood last; what plans go by."""
        self.busy = ""
        self.machine = Machine(branch, self._halt, changed)
        self.exhausted = True
        """The run has nothing more to do, or has not begun: to go anywhere it has to begin again."""
        self._changed = changed
        self._stopped_by = stopped_by
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._moves = 0
        """Orders that wait to move the run."""
        self._publishing = Lock()
        self._order: _Order | None = None
        self._motion: Motion | None = None
        self._closed = False
        self._thread = Thread(target=self._work, name="simwasm plugins", daemon=True)

    def start(self) -> None:
        """Begin to carry out orders."""
        # A thread that waits inside a plugin's call may not outlive the interpreter.
        atexit.register(self.close)
        self._thread.start()

    def close(self) -> None:
        """End the thread, and what a plugin computes with it."""
        atexit.unregister(self.close)
        self._orders.put(None)
        if self._thread.ident is not None:
            self.machine.attention = True
            self._thread.join()
        self._closed = True
        self._refuse_all()

    def go(self, plan: Plan) -> Future[Stop]:
        """Have the run brought somewhere."""
        with self._publishing:
            self._moves += 1
            self.stop = None  # from now on it moves, as far as anybody can tell
        return self._ordered(_Order(Future(), plan=plan))

    def ask(self, question: Callable[[], T]) -> Future[T]:
        """Have something asked in this thread while the run stands still."""
        return self._ordered(_Order(Future(), question=question))

    def _ordered(self, order: _Order) -> Future[Any]:
        self._orders.put(order)
        if self._closed:
            self._refuse_all()
        return order.future

    def _refuse_all(self) -> None:
        """Answer whoever waits, now that nobody carries out orders any more."""
        while not self._orders.empty():
            order = self._orders.get()
            if order is not None and order.future.set_running_or_notify_cancel():
                order.future.set_exception(InputError("the debugger is closed"))

    # In the thread.

    def _work(self) -> None:
        motion = self._wait()
        while motion is not None:
            motion = self._moved(motion)
        self.machine.close()

    def _moved(self, motion: Motion) -> Motion | None:
        """Bring the run to where a motion leads, and give the next one."""
        machine = self.machine
        try:
            if not self._is_ahead(motion):
                machine.rewind(motion.again or self._setting_out(motion))
            self.exhausted = False
            self._set(motion)
            machine.go()
        except Unwound as left:
            if self._motion is not None and self._motion.leaving is not None:
                self._motion.leaving(left)
            return self._motion
        except SimwasmError as error:
            return self._over(Why.FAILED, str(error))
        except Exception as error:  # a front door: the thread must live, and what went wrong be seen
            return self._over(Why.FAILED, f"simwasm itself failed: {type(error).__name__}: {error}")
        machine.branch.tape.complete = True
        return self._over(Why.END, "")

    def _over(self, why: Why, note: str) -> Motion | None:
        self.exhausted = True
        return self._next(why, note)

    def _halt(self, why: Why) -> None:
        """Stand still inside a plugin's call, until it may go on; otherwise it is left."""
        motion = self._motion
        at_target = motion is not None and why is Why.GOTO
        of_motion = (
            motion.note if motion and why is not Why.BREAKPOINT else ""
        )  # which was to say why it came there
        note, self.machine.note = self.machine.note or of_motion, ""
        self._motion = self._next(motion.why if motion and at_target else why, note)
        if self._motion is None or not self._is_ahead(self._motion):
            raise Unwound
        self._set(self._motion)

    def _is_ahead(self, motion: Motion) -> bool:
        """Whether the run comes there by going on, and no checkpoint is much nearer."""
        machine = self.machine
        if self.exhausted or machine.run is None or motion.again:
            return False
        begin, lens = self._setting_out(motion), motion.lens
        nearest = machine.branch.checkpoints.nearest(begin)
        skips = nearest is not None and nearest.position > machine.at and motion.probe is None
        visit = machine.zoom.visit
        if (
            lens is not None
            and (visit is None or not visit.turns)
            and self._open_callback() in lens.callbacks
        ):
            return False  # it was entered without a lens, or with one that cannot be changed
        target = Moment(motion.target) if lens is None or lens.stand is None else lens.stand
        return (target > machine.moment or not target.position) and not skips

    def _setting_out(self, motion: Motion) -> int:
        """The first position at which there is something to do."""
        machine = self.machine
        target = motion.target or len(machine.branch.tape) + 1
        return target if motion.lens is None else min(motion.lens.first, target)

    def _open_callback(self) -> int:
        """The position of the host's callback that the run stands in, or is about to call; 0 for none."""
        tape, at = self.machine.branch.tape, self.machine.at
        outermost = next(iter(tape.calls_at(at)), 0)
        return 0 if tape.end_of(outermost or 1) == at else outermost

    def _set(self, motion: Motion) -> None:
        machine = self.machine
        machine.target, machine.arrived, machine.probe = motion.target, motion.arrived, motion.probe
        machine.pause_at = motion.pause_at
        machine.zoom.put_on(motion.lens)
        self._motion = motion

    def _next(self, why: Why, note: str) -> Motion | None:
        """The run stands still: tell who waits for it, unless it goes on at once; then wait for the next order."""
        here = self.here = self.standing(why, note)
        self.machine.attention = self.machine.kill = False
        motion, order = self._motion, self._order
        try:
            following = motion.then() if motion is not None and motion.then is not None else None
        except SimwasmError as error:
            self._settle(order, error)
        else:
            if following is not None:
                self.busy = following.busy or self.busy
                return following
            if order is not None:
                self._publish(here)
                order.future.set_result(here)
        return self._wait()

    def _wait(self) -> Motion | None:
        """The next order that moves the run; None when there will be none."""
        while True:
            order = self._orders.get()
            if order is None:
                return None
            if order.plan is not None:
                with self._publishing:
                    self._moves -= 1
            if not order.future.set_running_or_notify_cancel():
                self._publish(self.here)
                continue
            try:
                if order.question is not None:
                    order.future.set_result(order.question())
                    continue
                assert order.plan is not None
                found = order.plan()
            except Exception as error:  # a front door: whoever asked gets it
                self._settle(order, error)
                continue
            if isinstance(found, Motion):
                self._order = order
                self._publish(None, found.busy)
                return found
            self.here = found or self.here
            self._publish(self.here)
            order.future.set_result(self.here)

    def standing(self, why: Why, note: str = "") -> Stop:
        """A stop at the position where the run is."""
        machine = self.machine
        rows = machine.branch.tape.rows
        serial = self.here.serial + 1
        breakpoints = self._stopped_by(machine.at, why)
        return Stop(machine.at, rows.at(machine.at), why, note, breakpoints, serial, machine.instant())

    def _settle(self, order: _Order | None, error: Exception) -> None:
        self._publish(self.here)
        if order is not None:
            order.future.set_exception(error)

    def _publish(self, stop: Stop | None, busy: str = "") -> None:
        with self._publishing:
            self.stop, self.busy = (None if self._moves else stop), busy
        self._changed()
