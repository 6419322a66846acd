"""How expectations are looked at: what is not as expected of a request, or of a plugin as a whole, each with its row.

Rules: everything is looked at, also behind the first miss; a miss points at the line of the suite that it is about, and
at the row of the trace that shows it; a trap that nobody expects is a miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from simwasm.abi.enums import LogLevel
from simwasm.errors import Trap
from simwasm.exchange import to_text
from simwasm.suites.case import Miss
from simwasm.suites.expect import (
    Budget,
    CallRule,
    Expect,
    HeaderRules,
    MessageRule,
    Phase,
    ReplyRule,
    Statuses,
)  # fmt: skip
from simwasm.suites.rules import LogRule, NumberRule, Said, TextRule, shown
from simwasm.suites.tree import Place
from simwasm.testing.excerpt import around
from simwasm.testing.trace import Trace
from simwasm.trace.event import Entered, Left, Trapped
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from simwasm.testing import Cost, Logs, PluginUnderTest, Request, Result
    from simwasm.testing import Phase as Happened
    from simwasm.testing.phases import LocalReply
    from simwasm.testing.values import Headers

_MOST_LINES = 20


def misses(expect: Expect, plugin: PluginUnderTest, result: Result | None) -> Iterator[Miss]:
    """What is not as expected: of a request that has ended, otherwise of the plugin so far."""
    if result is not None:
        yield from _Look(expect, result).all()
    else:
        yield from _trapped(expect, _trap_in(plugin.trace), lambda: plugin.trace)
    about = result if result is not None else plugin
    if expect.logs is not None:
        yield from _logs(expect.logs, about.logs, expect.at("logs"))
    if expect.calls:
        yield from _calls(expect.calls, about.trace)
    if expect.cost is not None:
        yield from _cost(expect.cost, about.cost)
    if expect.problems is not None:
        yield from _problems(expect, about)
    yield from _kept(expect, plugin)


def refused(expect: Expect, error: str, plugin: PluginUnderTest) -> Iterator[Miss]:
    """What is not as expected of a plugin that does not start."""
    wanted = expect.starts
    if wanted is None or wanted is True:
        yield Miss(
            f"the plugin does not start: {printable(error)}",
            expect.at("starts").line,
            None,
            "\n".join(map(str, plugin.logs)),
        )
        return
    if isinstance(wanted, TextRule):
        for said in wanted.misses("the plugin is refused", error):
            yield Miss(said.message, wanted.at().line, None, said.details)
    yield from _logs(expect.logs, plugin.logs, expect.at("logs"))


def _miss(place: Place, said: Said, trace: Trace | None = None, seq: int = 0) -> Miss:
    """A miss with the callback around its event."""
    rows = trace.rows if trace is not None and seq else ()
    if trace is None or not rows:
        return Miss(said.message, place.line, None, said.details)
    row = rows[min(trace.rows.at(seq), len(rows) - 1)]
    told = around(trace.rows, row, trace.number)
    return Miss(said.message, place.line, trace.number(row), "\n".join(filter(None, (said.details, told))))


class _Look:
    """Looks at one result."""

    def __init__(self, expect: Expect, result: Result) -> None:
        self._expect = expect
        self._result = result

    def all(self) -> Iterator[Miss]:
        yield from _trapped(self._expect, self._result.trap, lambda: self._result.trace)
        yield from self._response()
        yield from self._ending()
        yield from self._upstream()
        yield from self._callouts()
        yield from self._actions()
        if self._expect.phases:
            yield from _Phases(self._result).all(self._expect.phases)

    def _told(
        self, key: str, said: Iterable[Said], seq: int = 0, place: Place | None = None
    ) -> Iterator[Miss]:
        at = place or self._expect.at(key)
        return (_miss(at, each, self._result.trace, seq) for each in said)

    def _response(self) -> Iterator[Miss]:
        expect, result = self._expect, self._result
        answer = result.answer
        wanted = [key for key in ("status", "headers", "trailers") if expect.wrote(key)]
        if answer is None:
            if wanted:
                why = result.reset or "the client received nothing"
                yield from self._told(wanted[0], [Said(f"there is no response: {why}")])
        else:
            status = answer.status
            seq = result.asked[-1].seq if result.asked else 0
            if expect.status is not None:
                yield from self._told("status", _status(expect.status, int(status)), seq)
            for what, found in (("headers", answer.message.headers), ("trailers", answer.message.trailers)):
                yield from self._headers(what, getattr(expect, what), found, seq)
        if expect.body is not None:
            yield from self._told("body", expect.body.body_misses("body", result.received))

    def _headers(
        self, what: str, rules: HeaderRules, found: Sequence[tuple[str, str]], seq: int = 0, of: str = ""
    ) -> Iterator[Miss]:
        for name, rule, said in header_misses(what, rules, found, of):
            yield _miss(rule, said, self._result.trace, _written(self._result.trace, name) or seq)

    def _ending(self) -> Iterator[Miss]:
        expect, result = self._expect, self._result
        if expect.local_reply is not None:
            yield from self._local_reply(expect.local_reply, result.local_reply)
        if expect.details is not None:
            yield from self._told("details", expect.details.misses("details", result.details))
        yield from self._told("reset", _whether("reset", expect.reset, result.reset))
        if expect.hung is not None and expect.hung is not bool(result.waiting):
            said = (
                f"hung: {printable(result.waiting)}" if result.waiting else "expected to hang, but it ended"
            )
            yield from self._told("hung", [Said(said)])
        if expect.took is not None:
            low, high = expect.took
            found = round(result.took * 1e9)
            if not low <= found <= high:
                bounds = f"{low / 1e9:g} s" if low == high else f"{low / 1e9:g} s to {high / 1e9:g} s"
                bounds = (
                    f"{high / 1e9:g} s or less"
                    if not low
                    else f"{low / 1e9:g} s or more"
                    if high > 1 << 61
                    else bounds
                )
                yield from self._told("took", [Said(f"took: expected {bounds}, came {found / 1e9:g} s")])

    def _local_reply(self, wanted: bool | ReplyRule, found: LocalReply | None) -> Iterator[Miss]:
        for place, said in reply_misses(wanted, found, self._expect.at("local_reply")):
            yield _miss(
                place, said, self._result.trace, _last(self._result.trace, "proxy_send_local_response")
            )

    def _upstream(self) -> Iterator[Miss]:
        rule, found = self._expect.upstream, self._result.upstream
        if rule is None:
            return
        if not found.called:
            if rule.called is not False:
                seq = _last(self._result.trace, "proxy_send_local_response")
                why = f" ({printable(self._result.details)})" if self._result.details else ""
                yield from self._told(
                    "upstream", [Said(f"upstream: expected to be called, but it is not{why}")], seq
                )
            return
        if rule.called is False:
            yield from self._told("upstream", [Said("upstream: expected not to be called, but it is")])
            return
        yield from self._message(rule, found.request, "upstream")

    def _message(self, rule: MessageRule, request: Request, what: str) -> Iterator[Miss]:
        trace = self._result.trace
        for key in ("method", "path", "host"):
            wanted: TextRule | None = getattr(rule, key)
            if wanted is not None:
                pseudo = {"method": ":method", "path": ":path", "host": ":authority"}[key]
                for said in wanted.misses(f"{what} {key}", getattr(request, key)):
                    yield _miss(rule.at(key), said, trace, _written(trace, pseudo))
        yield from self._headers("headers", rule.headers, request.message.headers, of=what)
        yield from self._headers("trailers", rule.trailers, request.message.trailers, of=what)
        if rule.body is not None:
            yield from self._told(
                "", rule.body.body_misses(f"{what} body", request.body), place=rule.at("body")
            )

    def _callouts(self) -> Iterator[Miss]:
        wanted = self._expect.callouts
        if wanted is None:
            return
        found = self._result.callouts
        seq = _last(self._result.trace, "proxy_http_call") or _last(self._result.trace, "proxy_grpc_call")
        if not wanted and found:
            names = ", ".join(printable(each.cluster) for each in found)
            yield from self._told(
                "callouts", [Said(f"callouts: expected none, came {len(found)} ({names})")], seq
            )
        for cluster, rule in wanted:
            asked = [each for each in found if each.cluster == cluster]
            if isinstance(rule, NumberRule):
                yield from self._told("", rule.misses(f"callouts of {cluster}", len(asked)), seq, rule.at())
                continue
            if len(asked) != len(rule):
                said = Said(f"callouts of {cluster}: expected {len(rule)}, came {len(asked)}")
                yield from self._told("callouts", [said], seq)
            for number, (each, one) in enumerate(zip(rule, asked, strict=False), 1):
                yield from self._message(each, one.request, f"callout {number} of {cluster}")

    def _actions(self) -> Iterator[Miss]:
        for callback, wanted in self._expect.actions:
            phases = [phase for phase in self._result.phases if phase.callback == callback]
            for number, action in enumerate(wanted):
                if number >= len(phases):
                    times = f" a {_nth(number)} time" if number else ""
                    said = Said(f"{callback}: expected {action.lower()}, but it did not happen{times}")
                    yield from self._told("actions", [said])
                    break
                said_ = _action(
                    action, phases[number], f" the {_nth(number)} time" if len(wanted) > 1 else ""
                )
                yield from self._told("actions", said_, phases[number].seq)


class _Phases:
    """Looks at the callbacks of one result."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def all(self, wanted: Sequence[Phase]) -> Iterator[Miss]:
        happened = self._result.phases
        at = 0
        for phase in wanted:
            found = next(
                (i for i in range(at, len(happened)) if happened[i].callback == phase.callback), None
            )
            if found is None:
                there = ", ".join(dict.fromkeys(each.callback for each in happened[at:])) or "nothing"
                after = f" after {happened[at - 1].callback}" if at else ""
                said = Said(
                    f"{phase.callback}: does not happen{after}; {there} {'does' if there == 'nothing' else 'do'}"
                )
                yield _miss(phase.at("callback"), said, self._result.trace, happened[at - 1].seq if at else 0)
                continue
            at = found + 1
            yield from self._one(phase, happened[found])

    def _one(self, wanted: Phase, found: Happened) -> Iterator[Miss]:
        trace = self._result.trace
        name = wanted.callback.removeprefix("proxy_on_")
        if wanted.action is not None:
            yield from self._told(wanted, "action", _action(wanted.action, found), found)
        if wanted.end_of_stream is not None and wanted.end_of_stream is not found.end_of_stream:
            ends = {True: "the end of the stream", False: "not the end of the stream"}
            said = f"{name}: expected {ends[wanted.end_of_stream]}, and it is {ends[found.end_of_stream]}"
            yield from self._told(wanted, "end_of_stream", [Said(said)], found)
        for what, rules, headers in (
            ("headers", wanted.headers, found.headers), ("trailers", wanted.trailers, found.trailers),
        ):  # fmt: skip
            for _, place, said_ in header_misses(what, rules, _pairs(headers), name):
                yield _miss(place, said_, trace, found.seq)
        if wanted.body is not None:
            yield from self._told(
                wanted, "body", wanted.body.body_misses(f"{name} body", found.body or b""), found
            )
        yield from _logs(wanted.logs, found.logs, wanted.at("logs"), f"{name} ")
        if wanted.local_reply is not None:
            for place, said_ in reply_misses(
                wanted.local_reply, found.local_reply, wanted.at("local_reply"), name
            ):
                yield _miss(place, said_, trace, found.seq)
        if wanted.instructions is not None:
            said__ = wanted.instructions.misses(f"{name} instructions", found.instructions)
            yield from self._told(wanted, "instructions", said__, found)
        if wanted.calls:
            yield from _calls(wanted.calls, _during(trace, found.seq), f"{name}: ")

    def _told(self, wanted: Phase, key: str, said: Iterable[Said], found: Happened) -> Iterator[Miss]:
        return (_miss(wanted.at(key), each, self._result.trace, found.seq) for each in said)


# Parts that results, phases and plugins share.


def _status(wanted: Statuses, found: int) -> Iterator[Said]:
    if not any(low <= found <= high for low, high in wanted.ranges):
        yield Said(f"status: expected {wanted}, came {found}")


def header_misses(
    what: str, rules: HeaderRules, found: Sequence[tuple[str, str]], of: str = ""
) -> Iterator[tuple[str, Place, Said]]:
    """What is not as expected of headers: the name of each, where that was expected, and what is wrong."""
    kind = "trailer" if what == "trailers" else "header"
    for name, rule in rules:
        values = [value for key, value in found if key == name]
        for said in rule.header_misses(f"{of} {kind} {printable(name)}".lstrip(), values):
            there = ", ".join(dict.fromkeys(printable(key) for key, _ in found)) or "none"
            more = "" if values else f"{what} that are there: {there}"
            yield name, rule.at(), Said(said.message, "\n".join(filter(None, (said.details, more))))


def reply_misses(
    wanted: bool | ReplyRule, found: LocalReply | None, place: Place, of: str = ""
) -> Iterator[tuple[Place, Said]]:
    """What is not as expected of an answer in the upstream's place."""
    what = f"{of} local reply".lstrip()
    if found is None or wanted is False:
        if wanted is False and found is not None:
            yield place, Said(f"{what}: expected none, came {found.status} ({printable(found.details)})")
        elif wanted is not False:
            yield place, Said(f"{what}: expected one, but there is none")
        return
    if isinstance(wanted, bool):
        return
    if wanted.status is not None:
        for said in _status(wanted.status, found.status):
            yield wanted.at("status"), Said(f"{what} {said.message}")
    for _, at, said in header_misses("headers", wanted.headers, _pairs(found.headers), what):
        yield at, said
    if wanted.body is not None:
        yield from ((wanted.at("body"), said) for said in wanted.body.body_misses(f"{what} body", found.body))
    if wanted.details is not None:
        yield from (
            (wanted.at("details"), said) for said in wanted.details.misses(f"{what} details", found.details)
        )
    if wanted.grpc_status is not None and wanted.grpc_status != found.grpc_status:
        said = Said(f"{what} grpc_status: expected {wanted.grpc_status}, came {found.grpc_status}")
        yield wanted.at("grpc_status"), said


def _pairs(headers: Headers | None) -> Sequence[tuple[str, str]]:
    return () if headers is None else headers.pairs


def _action(wanted: str, phase: Happened, times: str = "") -> Iterator[Said]:
    came = phase.action.name if phase.action is not None else None
    if came != wanted:
        told = came.lower() if came else f"a trap ({phase.trapped})" if phase.trapped else "no action"
        yield Said(f"{phase.callback}{times}: expected {wanted.lower()}, came {printable(told)}")


def _nth(number: int) -> str:
    return ("first", "second", "third")[number] if number < 3 else f"{number + 1}th"


def _whether(what: str, wanted: bool | TextRule | None, found: str) -> Iterator[Said]:
    """Whether there is something, or what it says."""
    if wanted is None:
        return
    if isinstance(wanted, bool):
        if wanted is not bool(found):
            yield Said(
                f"{what}: expected none, came {shown(found)}"
                if found
                else f"{what}: expected, but there is none"
            )
    elif not found:
        yield Said(f"{what}: expected, but there is none")
    else:
        yield from wanted.misses(what, found)


def _trap_in(trace: Trace) -> Trap | None:
    return next((event.trap for event in trace.rows.events if isinstance(event, Trapped)), None)


def _trapped(expect: Expect, trap: Trap | None, whole: Callable[[], Trace]) -> Iterator[Miss]:
    wanted = False if expect.trapped is None else expect.trapped
    if trap is None and wanted is False:
        return
    trace = whole()
    seq = next((event.seq for event in trace.rows.events if isinstance(event, Trapped)), 0)
    frames = "" if trap is None else "\n".join(f"    at {printable(str(frame))}" for frame in trap.frames)
    for said in _whether("trap", wanted, "" if trap is None else str(trap)):
        yield _miss(expect.at("trapped"), Said(said.message, frames), trace, seq)


def _logs(rules: Sequence[LogRule] | None, found: Logs, place: Place, of: str = "") -> Iterator[Miss]:
    if rules is None:
        return
    lines = [*found[:_MOST_LINES]]
    there = "\n".join(f"  {line}" for line in lines) + (
        f"\n  … {len(found) - len(lines)} more" if len(found) > len(lines) else ""
    )
    logged = f"logged is:\n{there}" if len(found) else "nothing is logged"
    if not rules and len(found):
        yield Miss(f"{of}logs: expected none, came {len(found)}", place.line, None, logged)
    for rule in rules:
        fitting = sum(rule.fits(LogLevel[line.level.upper()], line.text, line.whole) for line in found)
        where = rule.at().line or place.line
        if rule.never:
            if fitting:
                yield Miss(f"{of}logs: a line {rule}, which never should", where, None, logged)
        elif rule.count is not None:
            for said in rule.count.misses(f"{of}logs: lines of which each {rule}", fitting):
                yield Miss(said.message, where, None, logged)
        elif not fitting:
            yield Miss(f"{of}logs: no line {rule}", where, None, logged)


def _calls(rules: Sequence[CallRule], trace: Trace, of: str = "") -> Iterator[Miss]:
    for rule in rules:
        if rule.count is not None:
            count = trace.count(rule.count)
            said = next(rule.number.misses(f"{of}calls like `{rule.count}`", count), None)
            if said is None:
                continue
            rows = trace.filter(rule.count)
            yield _miss(rule.at("count"), said, trace, rows[-1].position if rows else 0)
            continue
        key, verdict = _verdict(rule, trace)
        if not verdict:
            first, _, more = verdict.text.partition("\n")
            row = None
            if verdict.position and len(trace.rows):
                row = trace.number(trace.rows[min(trace.rows.at(verdict.position), len(trace.rows) - 1)])
            yield Miss(f"{of}{first}", rule.at(key).line, row, more)


def _verdict(rule: CallRule, trace: Trace):  # type: ignore[no-untyped-def]
    if rule.has is not None:
        return "has", trace.has(rule.has)
    if rule.never is not None:
        return "never", trace.never(rule.never)
    if rule.in_order is not None:
        return "in_order", trace.in_order(*rule.in_order)
    assert rule.before is not None
    return "before", trace.before(rule.before[0], rule.before[1])


def _cost(budget: Budget, cost: Cost) -> Iterator[Miss]:
    by_callback = "\n".join(
        f"  {count:>12,}  {name}" for name, count in sorted(cost.callbacks.items(), key=lambda each: -each[1])
    )
    for what in ("instructions", "host_calls", "allocated", "memory_growth"):
        rule: NumberRule | None = getattr(budget, what)
        if rule is not None:
            for said in rule.misses(what, getattr(cost, what)):
                details = f"instructions by callback:\n{by_callback}" if what == "instructions" else ""
                yield Miss(said.message, budget.at(what).line, None, details)
    for callback, rule in budget.callbacks:
        if callback not in cost.callbacks:
            yield Miss(f"{callback}: does not happen, so it costs nothing", rule.at().line)
            continue
        for said in rule.misses(f"instructions of {callback}", cost.callbacks[callback]):
            yield Miss(said.message, rule.at().line)


def _problems(expect: Expect, about: Result | PluginUnderTest) -> Iterator[Miss]:
    wanted = expect.problems or ()
    there = [problem.lint for problem in about.problems]
    for problem in about.problems:
        if problem.lint not in wanted:
            seq = problem.position
            yield _miss(
                expect.at("problems"),
                Said(f"problem {problem.lint}: {printable(problem.title)}", printable(problem.text)),
                about.trace,
                seq,
            )
    for lint in wanted:
        if lint not in there:
            yield Miss(f"problem {lint}: expected, but there is none", expect.at("problems").line)


def _kept(expect: Expect, plugin: PluginUnderTest) -> Iterator[Miss]:
    """What plugins keep: metrics, shared data, queues."""
    for name, number in expect.metrics:
        if name not in plugin.metrics:
            there = ", ".join(map(printable, plugin.metrics)) or "none"
            yield Miss(
                f"metric {printable(name)}: is not defined",
                number.at().line,
                None,
                f"metrics that are there: {there}",
            )
            continue
        for said in number.misses(f"metric {printable(name)}", plugin.metrics[name]):
            yield Miss(said.message, number.at().line)
    for key, body in expect.shared_data:
        if key not in plugin.shared_data:
            there = ", ".join(map(printable, plugin.shared_data)) or "none"
            yield Miss(
                f"shared data {printable(key)}: is not there",
                body.at().line,
                None,
                f"keys that are there: {there}",
            )
            continue
        for said in body.body_misses(f"shared data {printable(key)}", plugin.shared_data[key]):
            yield Miss(said.message, body.at().line, None, said.details)
    for name, items in expect.queues:
        found = tuple(map(to_text, plugin.queue(name).items))
        if found != items:
            told = ", ".join(map(shown, found)) or "nothing"
            wanted = ", ".join(map(shown, items)) or "nothing"
            yield Miss(f"queue {printable(name)}: expected {wanted}, came {told}", expect.at("queues").line)


# Rows.


def _last(trace: Trace, function: str) -> int:
    """The last event at which a function is called; 0 if it never is."""
    return next((event.seq for event in reversed(trace.rows.events)
                 if isinstance(event, Entered) and event.function.name == function), 0)  # fmt: skip


def _written(trace: Trace, header: str) -> int:
    """The last event at which a header is written; 0 if it never is."""
    for event in reversed(trace.rows.events):
        if isinstance(event, Entered) and "_header_map_" in event.function.name:
            name = event.function.name
            if not name.startswith("proxy_get") and any(
                isinstance(arg, str) and arg.lower() == header for arg in event.args
            ):
                return event.seq
    return 0


def _during(trace: Trace, seq: int) -> Trace:
    """The part of a trace that is one callback: the one that returned at an event."""
    events = trace.rows.events
    end = next((number for number, event in enumerate(events) if event.seq == seq), None)
    if end is None:
        return Trace((), trace.setting)
    ended = events[end]
    opened = ended.opened if isinstance(ended, (Left, Trapped)) else ended.seq
    begin = next(number for number, event in enumerate(events) if event.seq == opened)
    return Trace(events[begin : end + 1], trace.setting)
