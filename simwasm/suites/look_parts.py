"""What results, single callbacks and whole plugins have in common: headers, answers, traps, log lines, calls, costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simwasm.abi.enums import LogLevel
from simwasm.config.tree import Place
from simwasm.exchange import to_text
from simwasm.suites.call_rule import CallRule
from simwasm.suites.case import Miss
from simwasm.suites.expect import (
    Budget,
    Expect,
    HeaderRules,
    ReplyRule,
    Statuses,
)
from simwasm.suites.log_rule import LogRule
from simwasm.suites.look_rows import missed
from simwasm.suites.rules import NumberRule, Said, TextRule, shown
from simwasm.testing.trace import Trace
from simwasm.trace.event import Trapped
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from simwasm.testing import Cost, Logs, PluginUnderTest, Result, Verdict
    from simwasm.testing import Phase as Happened
    from simwasm.testing.phases import LocalReply
    from simwasm.testing.values import Headers

_MOST_LINES = 20
_LONGEST_LINE = 400


def status_misses(wanted: Statuses, found: int) -> Iterator[Said]:
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
        for said in status_misses(wanted.status, found.status):
            yield wanted.at("status"), Said(f"{what} {said.message}")
    for _, at, said in header_misses("headers", wanted.headers, pairs_of(found.headers), what):
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


def pairs_of(headers: Headers | None) -> Sequence[tuple[str, str]]:
    return () if headers is None else headers.pairs


def action_misses(wanted: str, phase: Happened, times: str = "") -> Iterator[Said]:
    came = phase.action.name if phase.action is not None else None
    if came != wanted:
        told = came.lower() if came else f"a trap ({phase.trapped})" if phase.trapped else "no action"
        yield Said(f"{phase.callback}{times}: expected {wanted.lower()}, came {printable(told)}")


def nth(number: int) -> str:
    return ("first", "second", "third")[number] if number < 3 else f"{number + 1}th"


def whether(what: str, wanted: bool | TextRule | None, found: str) -> Iterator[Said]:
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


def trap_misses(expect: Expect, trace: Trace, since: int = 0) -> Iterator[Miss]:
    """Whether a trap is as expected; where nobody expects any, those until an event were looked at before."""
    wanted = False if expect.trapped is None else expect.trapped
    least = since if expect.trapped is None else 0
    event = next((each for each in trace.rows.events if isinstance(each, Trapped) and each.seq > least), None)
    if event is None and wanted is False:
        return
    trap, seq = (event.trap, event.seq) if event is not None else (None, 0)
    frames = "" if trap is None else "\n".join(f"    at {printable(str(frame))}" for frame in trap.frames)
    for said in whether("trap", wanted, "" if trap is None else str(trap)):
        yield missed(expect.at("trapped"), Said(said.message, frames), trace, seq)


def log_misses(rules: Sequence[LogRule] | None, found: Logs, place: Place, of: str = "") -> Iterator[Miss]:
    if rules is None:
        return
    lines = [*found[:_MOST_LINES]]
    there = "\n".join(f"  {line}"[:_LONGEST_LINE] for line in lines) + (
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


def call_misses(rules: Sequence[CallRule], trace: Trace, of: str = "") -> Iterator[Miss]:
    for rule in rules:
        if rule.count is not None:
            count = trace.count(rule.count)
            said = next(rule.number.misses(f"{of}calls like `{rule.count}`", count), None)
            if said is None:
                continue
            rows = trace.filter(rule.count)
            yield missed(rule.at("count"), said, trace, rows[-1].position if rows else 0)
            continue
        key, verdict = _verdict(rule, trace)
        if not verdict:
            first, _, more = verdict.text.partition("\n")
            row = None
            if verdict.position and len(trace.rows):
                row = trace.number(trace.rows[min(trace.rows.at(verdict.position), len(trace.rows) - 1)])
            yield Miss(f"{of}{first}", rule.at(key).line, row, more)


def _verdict(rule: CallRule, trace: Trace) -> tuple[str, Verdict]:
    """What is asked, by its key, and the answer."""
    if rule.has is not None:
        return "has", trace.has(rule.has)
    if rule.never is not None:
        return "never", trace.never(rule.never)
    if rule.in_order is not None:
        return "in_order", trace.in_order(*rule.in_order)
    assert rule.before is not None
    return "before", trace.before(*rule.before)


def cost_misses(budget: Budget, cost: Cost) -> Iterator[Miss]:
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


def problem_misses(expect: Expect, about: Result | PluginUnderTest) -> Iterator[Miss]:
    wanted = expect.problems or ()
    there = [problem.lint for problem in about.problems]
    for problem in about.problems:
        if problem.lint not in wanted:
            seq = problem.position
            yield missed(
                expect.at("problems"),
                Said(f"problem {problem.lint}: {printable(problem.title)}", printable(problem.text)),
                about.trace,
                seq,
            )
    for lint in wanted:
        if lint not in there:
            yield Miss(f"problem {lint}: expected, but there is none", expect.at("problems").line)


def kept_misses(expect: Expect, plugin: PluginUnderTest) -> Iterator[Miss]:
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
