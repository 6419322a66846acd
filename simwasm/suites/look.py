"""How expectations are looked at: what is not as expected of a request, or of a plugin as a whole, each with its row.

Rules: everything is looked at, also behind the first miss; a miss points at the line of the suite that it is about, and
at the row of the trace that shows it; a trap that nobody expects is a miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from simwasm.config.tree import Place
from simwasm.suites.case import Miss
from simwasm.suites.expect import (
    Expect,
    HeaderRules,
    MessageRule,
    ReplyRule,
)
from simwasm.suites.look_parts import (
    action_misses,
    call_misses,
    cost_misses,
    header_misses,
    kept_misses,
    log_misses,
    nth,
    problem_misses,
    reply_misses,
    status_misses,
    trap_misses,
    whether,
)
from simwasm.suites.look_phases import phase_misses
from simwasm.suites.look_rows import last_call, last_written, missed
from simwasm.suites.rules import NumberRule, Said, TextRule
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from simwasm.testing import PluginUnderTest, Request, Result
    from simwasm.testing.phases import LocalReply


def misses(expect: Expect, plugin: PluginUnderTest, result: Result | None, since: int = 0) -> Iterator[Miss]:
    """What is not as expected: of a request that has ended, otherwise of the plugin so far.

    Traps of a plugin were looked at until the event `since`, as those of single requests.
    """
    if result is not None:
        yield from _Look(expect, result).all()
    else:
        yield from trap_misses(expect, plugin.trace, since)
    about = result if result is not None else plugin
    if expect.logs is not None:
        yield from log_misses(expect.logs, about.logs, expect.at("logs"))
    if expect.calls:
        yield from call_misses(expect.calls, about.trace)
    if expect.cost is not None:
        yield from cost_misses(expect.cost, about.cost)
    if expect.problems is not None:
        yield from problem_misses(expect, about)
    yield from kept_misses(expect, plugin)


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
    if expect.trapped is not None:
        yield from trap_misses(expect, plugin.trace)
    yield from log_misses(expect.logs, plugin.logs, expect.at("logs"))


class _Look:
    """Looks at one result."""

    def __init__(self, expect: Expect, result: Result) -> None:
        self._expect = expect
        self._result = result

    def all(self) -> Iterator[Miss]:
        if self._result.trap is not None or self._expect.trapped is not None:
            yield from trap_misses(self._expect, self._result.trace)
        yield from self._response()
        yield from self._ending()
        yield from self._upstream()
        yield from self._callouts()
        yield from self._actions()
        if self._expect.phases:
            yield from phase_misses(self._result, self._expect.phases)

    def _told(
        self, key: str, said: Iterable[Said], seq: int = 0, place: Place | None = None
    ) -> Iterator[Miss]:
        at = place or self._expect.at(key)
        return (missed(at, each, self._result.trace, seq) for each in said)

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
                yield from self._told("status", status_misses(expect.status, int(status)), seq)
            for what, found in (("headers", answer.message.headers), ("trailers", answer.message.trailers)):
                yield from self._headers(what, getattr(expect, what), found, seq)
        if expect.body is not None:
            yield from self._told("body", expect.body.body_misses("body", result.received))

    def _headers(
        self, what: str, rules: HeaderRules, found: Sequence[tuple[str, str]], seq: int = 0, of: str = ""
    ) -> Iterator[Miss]:
        for name, rule, said in header_misses(what, rules, found, of):
            yield missed(rule, said, self._result.trace, last_written(self._result.trace, name) or seq)

    def _ending(self) -> Iterator[Miss]:
        expect, result = self._expect, self._result
        if expect.local_reply is not None:
            yield from self._local_reply(expect.local_reply, result.local_reply)
        if expect.details is not None:
            yield from self._told("details", expect.details.misses("details", result.details))
        yield from self._told("reset", whether("reset", expect.reset, result.reset))
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
            yield missed(
                place, said, self._result.trace, last_call(self._result.trace, "proxy_send_local_response")
            )

    def _upstream(self) -> Iterator[Miss]:
        rule, found = self._expect.upstream, self._result.upstream
        if rule is None:
            return
        if not found.called:
            if rule.called is not False:
                seq = last_call(self._result.trace, "proxy_send_local_response")
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
                    yield missed(rule.at(key), said, trace, last_written(trace, pseudo))
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
        seq = last_call(self._result.trace, "proxy_http_call") or last_call(
            self._result.trace, "proxy_grpc_call"
        )
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
                    times = f" a {nth(number)} time" if number else ""
                    said = Said(f"{callback}: expected {action.lower()}, but it did not happen{times}")
                    yield from self._told("actions", [said])
                    break
                said_ = action_misses(
                    action, phases[number], f" the {nth(number)} time" if len(wanted) > 1 else ""
                )
                yield from self._told("actions", said_, phases[number].seq)
