"""What went wrong in a run, found on its tape.

Rules: each event is looked at once, as the tape grows, and an exchange when it has ended; whatever a rule wants to know
of earlier events is remembered for it here.
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import Any

from simwasm.abi.enums import Status
from simwasm.abi.table import ALLOCATORS, Side
from simwasm.debug.problem_rules import (
    BEGINS,
    ENDS,
    EXCHANGES,
    GET_HEADER,
    REPLY,
    STREAM,
    Ended,
    Memory,
    Problem,
    asks_for_status,
)
from simwasm.debug.tape import Span, Tape
from simwasm.trace.event import Entered, Left, Trapped, shown
from simwasm.trace.query.grades import Grade

__all__ = ["Grade", "Problem", "Problems"]


MOST = 1_000
"""How many are kept that are of one severity and were found by one rule."""


class Problems:
    """The problems of a tape, as far as it was looked at."""

    def __init__(self, tape: Tape) -> None:
        self.until = 0
        """The last position that was looked at."""
        self.left_off = 0
        """How many more there are that are not kept, being like many others."""
        self._counts: Counter[tuple[str, Grade]] = Counter()
        self._memory = Memory(tape)
        self._found: list[Problem] = []
        self._spans = 0
        self._open: list[Span] = []

    def grow(self, until: int | None = None) -> None:
        """Look at the tape up to a position; without, as far as it is known in full."""
        tape = self._memory.tape
        if until is None:
            until = len(tape) if tape.complete else len(tape) - 1
        events: list[Any] = tape.events
        for position in range(self.until + 1, min(until, len(events)) + 1):
            event = events[position - 1]
            if event.__class__ is Entered:
                if event.function.side is _PLUGIN:
                    self._begins(position, event)
            else:
                entered = events[event.opened - 1]
                if _matters(entered, event):
                    self._ends(Ended(position, event.opened, entered, event))
        self.until = max(self.until, min(until, len(events)))
        self._exchanges()

    def all(self) -> tuple[Problem, ...]:
        """Those that were found, in the order of their positions."""
        return tuple(sorted(self._found, key=attrgetter("position")))

    def __len__(self) -> int:
        return len(self._found)

    def _begins(self, position: int, entered: Entered) -> None:
        for rule in BEGINS:
            self._note(rule.__name__, rule(position, entered, self._memory))

    def _ends(self, ended: Ended) -> None:
        _remember(ended, self._memory)
        for rule in ENDS:
            self._note(rule.__name__, rule(ended, self._memory))

    def _note(self, rule: str, problem: Problem | None) -> None:
        """Keep what was found, unless very many are alike."""
        if problem is not None:
            kind = rule, problem.severity
            self._counts[kind] += 1
            if self._counts[kind] <= MOST:
                self._found.append(problem)
            else:
                self.left_off += 1

    def _exchanges(self) -> None:
        """Look at the exchanges that have ended since."""
        memory = self._memory
        begun = memory.tape.spans[self._spans :]
        self._spans += len(begun)
        self._open += begun
        still = []
        for span in self._open:
            if span.outcome is None or span.last > self.until:
                still.append(span)
                continue
            for rule in EXCHANGES:
                self._note(rule.__name__, rule(span, span.outcome, memory))
        self._open = still


_PLUGIN = Side.PLUGIN


def _matters(entered: Entered, event: Left | Trapped) -> bool:
    """Whether a rule may have something to say; most calls simply went well."""
    name = entered.function.name
    return (
        event.__class__ is Trapped
        or name in _NOTED
        or asks_for_status(entered)
        or (entered.function.side is not _PLUGIN and bool(event.result))  # type: ignore[union-attr]
    )


_LOGGED = ("proxy_log", "fd_write", "fd_pwrite")
_CONTINUES = {
    "proxy_continue_request": "request",
    "proxy_continue_response": "response",
    "proxy_continue_stream": "",
}
_SET_BODY = "proxy_set_buffer_bytes"
_NOTED = frozenset({*_LOGGED, *_CONTINUES, *STREAM, REPLY, _SET_BODY})


def _remember(ended: Ended, memory: Memory) -> None:
    """Keep what later rules ask for."""
    entered, event, name = ended.entered, ended.event, ended.entered.function.name
    if isinstance(event, Trapped):
        if name not in ALLOCATORS and entered.function.side is _PLUGIN:
            memory.traps.setdefault(memory.span(entered), ended.position)
    elif name == REPLY and not event.reason:
        callback, span = memory.outermost(ended.opened), memory.span(entered)
        memory.replied[callback] = memory.replies[span] = ended.opened
        memory.replied_after[span] = memory.missed[1] if memory.missed[0] == callback else ""
    elif name == GET_HEADER:
        if event.result is Status.NOT_FOUND:
            memory.missed = memory.outermost(ended.opened), entered.args[1]
    elif name == _SET_BODY:
        if not event.result:
            memory.set_bodies[memory.span(entered), entered.args[0]] = ended.opened
    elif name in _CONTINUES:
        direction = _CONTINUES[name] or str(shown(entered.args[0])).lower().removeprefix("http_")
        memory.paused.pop((entered.vm, entered.context, direction), None)
    elif name in STREAM and event.result:
        memory.paused[entered.vm, entered.context, STREAM[name]] = ended.position
        memory.pauses[memory.span(entered)] = ended.position
