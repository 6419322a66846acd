"""How what happened on two sides differs, in words: what client, upstream and log saw, and calls that have effects.

Rules:
- Most exchanges are the same, and that is found out without looking at any call closely.
- A difference belongs to a kind, of which there are few however many exchanges differ: `status 200 → 403`.
- No difference are contexts, what callouts are numbered with, the allocator, addresses, the plugin's name in the log,
  clocks (`HIDDEN`), and dates where the two clocks do not agree.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from simwasm.abi.enums import LogLevel
from simwasm.abi.kinds import Param
from simwasm.abi.table import HOST_FUNCTIONS
from simwasm.abi.table import Side as Of
from simwasm.comparing.aspects import EFFECTS, Aspect
from simwasm.comparing.side import Name, Step
from simwasm.comparing.watcher import ENDS, Call, Kept, calls, events
from simwasm.errors import Trap
from simwasm.exchange import Headers, Message
from simwasm.goldens.redactions import BUILT_IN, Redaction, What
from simwasm.goldens.redactor import Redactor
from simwasm.host.outcome import Outcome
from simwasm.trace.align import align
from simwasm.trace.alignment import Alignment
from simwasm.trace.alike import compared, names_of
from simwasm.trace.event import Event, Left, Trapped
from simwasm.trace.event_rows import EventRows
from simwasm.trace.explain import change, explain, one_line
from simwasm.trace.matching import together
from simwasm.trace.rows import Kind, Row
from simwasm.trace.text import call_text, result_text, value_text

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
_MOST = 20
"""So many differences of one aspect are told of one exchange."""
_SHORT = 80


class Difference(NamedTuple):
    """One thing that differs."""

    aspect: Aspect
    kind: str
    """What it is counted as."""
    text: str


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
        if same_calls and old.logs == new.logs and _same_outcomes(old.outcome, new.outcome):
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


def _same_outcomes(old: Outcome | None, new: Outcome | None) -> bool:
    if old is None or new is None:
        return old is new
    return _facts(old) == _facts(new)


def _facts(outcome: Outcome) -> tuple[Any, ...]:
    """What of an outcome can differ."""
    return (
        *(
            message and (message.headers, message.data, message.trailers)
            for message in (outcome.request, outcome.response)
        ),
        outcome.reset,
        outcome.details,
        outcome.local_reply,
        outcome.waiting,
        outcome.code,
        _paused(outcome),
    )


def _paused(outcome: Outcome) -> tuple[tuple[str, Any], ...]:
    """Callbacks that did not let the stream go on; one that is not there does."""
    return tuple(
        (taken.callback, taken.action)
        for taken in outcome.actions
        if getattr(taken.action, "name", "") != "CONTINUE" and taken.action is not True
    )


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
        yield from _response(old, new, old.outcome, new.outcome)
        yield from _upstream(old.upstream, new.upstream)
        yield from _reply(old.outcome, new.outcome)
        yield from _actions(old.outcome, new.outcome)
    yield from _traps(old.calls, new.calls)
    yield from _logs(old.logs, new.logs)
    for aspect, names in EFFECTS.items():
        yield from _effects(aspect, *(_those(side.calls, aspect, names) for side in (old, new)))


def _response(old: _Seen, new: _Seen, before: Outcome, after: Outcome) -> Iterator[Difference]:
    statuses = tuple("reset" if each.response is None else str(each.status) for each in (before, after))
    if statuses[0] != statuses[1]:
        text = "status {} → {}".format(*statuses)
        yield Difference(Aspect.RESPONSE, text, text)
    for name in ("reset", "waiting"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            what = "the stream was cut off" if name == "reset" else "it hung"
            yield Difference(Aspect.RESPONSE, what, f"{what}: {_or_not(one)} → {_or_not(other)}")
    yield from _messages(Aspect.RESPONSE, "response", old.response, new.response, (":status",))


def _or_not(text: str) -> str:
    return one_line(text) if text else "not"


def _upstream(old: Message | None, new: Message | None) -> Iterator[Difference]:
    if old is None or new is None:
        if old is not new:
            text = f"the upstream is {'not asked any more' if new is None else 'asked, and was not before'}"
            yield Difference(Aspect.UPSTREAM, text, text)
        return
    yield from _messages(Aspect.UPSTREAM, "upstream's request", old, new)


def _messages(
    aspect: Aspect, name: str, old: Message | None, new: Message | None, apart: tuple[str, ...] = ()
) -> Iterator[Difference]:
    if old is None or new is None:
        return
    yield from _headers(aspect, f"{name} header", old.headers, new.headers, apart)
    if old.data != new.data:
        yield from (
            Difference(aspect, f"{name} body", text) for text in change(f"{name} body", old.data, new.data)
        )
    yield from _headers(aspect, f"{name} trailer", old.trailers, new.trailers)


def _headers(
    aspect: Aspect, what: str, old: Headers, new: Headers, apart: tuple[str, ...] = ()
) -> Iterator[Difference]:
    """Header by header; that only the order of names is another counts too."""
    if old == new:
        return
    one, other = _by_name(old), _by_name(new)
    found = False
    for name in dict.fromkeys((*one, *other)):
        before, after = one.get(name), other.get(name)
        if before == after:
            continue
        found = True
        if name not in apart:
            quiet = value_text(name, _SHORT)[1:-1]
            yield Difference(
                aspect, f"{what} {quiet}", f"{what} {quiet}: {_values(before)} → {_values(after)}"
            )
    if not found:
        text = f"{what}s: the order is another"
        yield Difference(aspect, text, text)


def _by_name(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return found


def _values(values: list[str] | None) -> str:
    return "none" if values is None else ", ".join(value_text(value, _SHORT) for value in values)


def _reply(old: Outcome, new: Outcome) -> Iterator[Difference]:
    who = tuple("a local reply" if each.local_reply else "the upstream" for each in (old, new))
    if who[0] != who[1]:
        yield Difference(
            Aspect.REPLY, "{} answers, then {}".format(*who), "{} answered, now {} does".format(*who)
        )
    if old.details != new.details:
        text = f"details {_or_not(old.details)} → {_or_not(new.details)}"
        yield Difference(Aspect.REPLY, text if len(text) <= _SHORT else "details", text)
    if old.code != new.code and old.status == new.status:
        text = f"the access log's status {old.code} → {new.code}"
        yield Difference(Aspect.REPLY, text, text)


def _actions(old: Outcome, new: Outcome) -> Iterator[Difference]:
    for one, other in _pairs(_paused(old), _paused(new), (_whole, _first)):
        if one != other:
            callback = (one or other or ("",))[0]
            text = f"{callback}: {_taken(one)} → {_taken(other)}"
            yield Difference(Aspect.ACTION, text, text)


def _taken(pair: tuple[str, Any] | None) -> str:
    if pair is None:
        return "CONTINUE, or none"
    return "trapped" if pair[1] is None else value_text(pair[1])


def _whole(item: Hashable) -> Hashable:
    return item


def _first(item: tuple[Hashable, ...]) -> Hashable:
    return item[0]


def _traps(old: list[Call], new: list[Call]) -> Iterator[Difference]:
    for one, other in _pairs(list(_traps_of(old)), list(_traps_of(new)), (_whole, _first)):
        if one != other:
            callback = (one or other or ("",))[0]
            text = f"{callback}: {_told_trap(one)} → {_told_trap(other)}"
            yield Difference(Aspect.TRAP, f"{callback} traps otherwise" if one and other else text, text)


def _traps_of(side: list[Call]) -> Iterator[tuple[str, str]]:
    for call in side:
        if call.entered.function.side is Of.PLUGIN and isinstance(call.ended, Trapped):
            yield (
                call.entered.function.name,
                one_line(f"{call.ended.trap.kind.value} {call.ended.trap.detail}"),
            )


def _told_trap(pair: tuple[str, str] | None) -> str:
    return "no trap" if pair is None else f"trap {pair[1].strip()}"


def _logs(old: list[tuple[LogLevel, str]], new: list[tuple[LogLevel, str]]) -> Iterator[Difference]:
    for one, other in _pairs(old, new, (_whole, _first)):
        if one is None or other is None:
            line = one or other
            assert line is not None
            where = "only before" if other is None else "only now"
            text = f"log, {where}: {line[0].name} {value_text(line[1])}"
            yield Difference(Aspect.LOGS, f"log lines {where}", text)
        else:
            told = change(f"log, {one[0].name}", one[1], other[1])
            yield from (Difference(Aspect.LOGS, "log lines otherwise", text) for text in told)


def _those(side: list[Call], aspect: Aspect, names: tuple[str, ...]) -> list[Call]:
    """Calls with effects of one kind; in which order metrics are touched is no effect."""
    found = [call for call in side if call.entered.function.name in names]
    return sorted(found, key=_metric) if aspect is Aspect.METRIC else found


def _metric(call: Call) -> str:
    entered = call.entered
    if entered.function.name != "proxy_define_metric":
        return str(entered.args[0])
    kind, name = entered.args
    return f"{getattr(kind, 'name', kind)} {name}"


def _effects(aspect: Aspect, old: list[Call], new: list[Call]) -> Iterator[Difference]:
    for one, other in _pairs(old, new, (_content, _about, _name)):
        if one is None or other is None:
            call = one or other
            assert call is not None
            where = "only before" if other is None else "only now"
            name = call.entered.function.name
            yield Difference(aspect, f"{name} {where}", f"{where}: {_told_call(call)}")
        elif _content(one) != _content(other):
            name = one.entered.function.name
            rows = (Row(0, 0, Kind.HOST_CALL, 1, call.entered, call.ended, 0) for call in (one, other))
            yield Difference(aspect, f"{name} otherwise", f"{name}, {explain(*rows)}")


def _content(call: Call) -> Hashable:
    entered, ended = call.entered, call.ended
    args = [repr(entered.args[at]) for at in compared(entered.function.inputs) if at < len(entered.args)]
    result: Any = ended.trap.kind if isinstance(ended, Trapped) else ended and ended.result
    values = ended.values if isinstance(ended, Left) else ()
    gave = [repr(values[at]) for at in compared(entered.function.outputs) if at < len(values)]
    return entered.function.name, tuple(args), result, tuple(gave)


def _about(call: Call) -> Hashable:
    entered = call.entered
    return entered.function.name, tuple(repr(entered.args[at]) for at in names_of(entered.function))


def _name(call: Call) -> Hashable:
    return call.entered.function.name


def _told_call(call: Call) -> str:
    function, ended = call.entered.function, call.ended
    told = call_text(function, call.entered.args)
    return one_line(f"{told} = {result_text(function, ended)}" if isinstance(ended, Left) else told)


def _pairs(
    old: Sequence[Any], new: Sequence[Any], keys: Sequence[Callable[[Any], Hashable]]
) -> Iterator[tuple[Any, Any]]:
    """What belongs together, as far as it differs and is told."""
    differing = (
        (one, other)
        for one, other in together(old, new, keys)
        if one is None or other is None or keys[0](one) != keys[0](other)
    )
    return islice(differing, _MOST)


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
