"""Whether a step of two sides differs, and in what of all that is wanted.

Rules:
- Most exchanges are the same, and that is found out without looking at any call closely.
- No difference are contexts, what callouts are numbered with, the allocator, addresses, the plugin's name in the log,
  clocks (`HIDDEN`), and dates where the two clocks do not agree.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from simwasm.abi.kinds import Param
from simwasm.abi.table import HOST_FUNCTIONS
from simwasm.comparing.aspects import Aspect
from simwasm.comparing.deeds import of_effects, of_logs, of_traps
from simwasm.comparing.difference import Difference
from simwasm.comparing.outcomes import of_outcomes, same_outcomes
from simwasm.comparing.side import Name, Step
from simwasm.comparing.watcher import ENDS, Call, Kept, calls, events
from simwasm.errors import Trap
from simwasm.goldens.redactions import BUILT_IN, Redaction, What
from simwasm.goldens.redactor import Redactor
from simwasm.trace.align import align
from simwasm.trace.alignment import Alignment
from simwasm.trace.event import Event, Left
from simwasm.trace.event_rows import EventRows

_CLOCK = "what the clock says follows from what came before"
HIDDEN = tuple(
    Redaction(name, what, about, _CLOCK)
    for name, what, about in (
        ("time", What.CALL, "proxy_get_current_time_nanoseconds"),
        ("clock", What.CALL, "clock_time_get"),
        ("random", What.CALL, "random_get"),
        ("request.time", What.PROPERTY, "request.time"),
        ("request.duration", What.PROPERTY, "request.duration"),
        ("response.backend_latency", What.PROPERTY, "response.backend_latency"),
    )
)
"""What is never compared."""
_OF_CLOCKS = tuple(each for each in BUILT_IN if each.name in ("date", "x-envoy-upstream-service-time"))
_NUMBERS = ("metric_id", "queue_id")
_WITH_NUMBERS = frozenset(
    row for row in HOST_FUNCTIONS if any(param.name in _NUMBERS for param in row.params)
)


class Differences(NamedTuple):
    """All that differs in one step, and the calls of it side by side."""

    all: tuple[Difference, ...]
    events: tuple[Sequence[Event], Sequence[Event]] = ((), ())

    def calls(self) -> Alignment:
        """The calls of both sides side by side, for as long as somebody looks at them."""
        old, new = self.events
        return align(EventRows(old), EventRows(new))


_NONE = Differences(())


class Comparer:
    """Compares steps in the respects that are wanted, without what is to be ignored."""

    def __init__(self, wanted: frozenset[Aspect], ignored: Sequence[Redaction] = ()) -> None:
        self._wanted = wanted
        self._ignored = tuple(ignored)
        self._redactors: dict[bool, tuple[Redactor, Redactor]] = {}
        """One for each side, by whether the clocks agree."""

    def compare(self, old: Step, new: Step) -> Differences:
        """What differs between two steps."""
        same_calls = _same_calls(old, new)
        if same_calls and old.logs == new.logs and same_outcomes(old.outcome, new.outcome):
            return _NONE
        seen = [
            _Seen(step, redactor)
            for step, redactor in zip((old, new), self._redactors_for(old, new), strict=True)
        ]
        told = [each for each in _all(*seen) if each.aspect in self._wanted]
        found = Differences(tuple(told), (seen[0].events, seen[1].events))
        if Aspect.CALLS in self._wanted:
            found = found._replace(all=(*told, *_of_calls(found.calls())))
        return found if found.all else _NONE

    def _redactors_for(self, old: Step, new: Step) -> tuple[Redactor, Redactor]:
        ended = {step.outcome.ended_ns for step in (old, new) if step.outcome is not None}
        agree = len(ended) < 2
        if agree not in self._redactors:
            hidden = (*HIDDEN, *(() if agree else _OF_CLOCKS), *self._ignored)
            self._redactors[agree] = Redactor(hidden, 0), Redactor(hidden, 0)
        return self._redactors[agree]


def _same_calls(old: Step, new: Step) -> bool:
    """Whether two sides crossed the same, told quickly; what the host counts may make it no, and is looked at later."""
    if len(old.kept) != len(new.kept):
        return False
    for one, other in zip(old.kept, new.kept, strict=True):
        if isinstance(one, Trap) or isinstance(other, Trap):
            if _trap(one) != _trap(other):
                return False
        elif len(one) != len(other) or one[-2:] != other[-2:]:
            return False
        elif len(one) == ENDS:
            if one[0] != other[0]:
                return False
        elif one[3] in _WITH_NUMBERS and _names(one, old.name) != _names(other, new.name):
            return False
    return True


def _names(begun: tuple[Any, ...], name: Name) -> list[str]:
    """What those things are called that a crossing knows by a number: the same number may be another thing."""
    _, vm, _, function, args = begun
    return [
        name(param.name, vm, value)
        for param, value in zip(function.inputs, args, strict=False)
        if param.name in _NUMBERS
    ]


def _trap(kept: Kept) -> Hashable:
    return (kept.kind, kept.detail) if isinstance(kept, Trap) else None


class _Seen:
    """A step as it is compared."""

    def __init__(self, step: Step, redactor: Redactor) -> None:
        self.outcome = step.outcome
        self.events: list[Event] = events(step.kept, redactor)
        self.calls = [_named(call, step.name) for call in calls(self.events)]
        outcome = step.outcome
        self.response = redactor.message(outcome.response) if outcome else None
        self.upstream = redactor.message(outcome.request) if outcome else None
        self.logs = [(line.level, redactor.text(step.said(line.text))) for line in step.logs]


def _named(call: Call, name: Name) -> Call:
    """A call with names in the place of numbers that the host gives."""
    entered, ended = call
    function = entered.function
    if function not in _WITH_NUMBERS:
        return call

    def told(params: Sequence[Param], values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            name(param.name, entered.vm, value) or value if param.name in _NUMBERS else value
            for param, value in zip(params, values, strict=False)
        )

    if isinstance(ended, Left):
        ended = ended._replace(values=told(function.outputs, ended.values))
    return Call(entered._replace(args=told(function.inputs, entered.args)), ended)


def _all(old: _Seen, new: _Seen) -> Iterator[Difference]:
    if old.outcome is not None and new.outcome is not None:
        upstreams, responses = (old.upstream, new.upstream), (old.response, new.response)
        yield from of_outcomes(old.outcome, new.outcome, upstreams, responses)
    yield from of_traps(old.calls, new.calls)
    yield from of_logs(old.logs, new.logs)
    yield from of_effects(old.calls, new.calls)


def _of_calls(calls: Alignment) -> Iterator[Difference]:
    """The first call that differs stands for all."""
    at = next(calls.changes(), None)
    if at is None:
        return
    row = next(row for row in calls.rows(calls[at]) if row is not None)
    rows = sum(1 for _ in calls.changes())
    yield Difference(
        Aspect.CALLS, f"calls, first {row.entered.function.name}", f"{rows:,} rows of calls differ"
    )
