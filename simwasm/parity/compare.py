"""Two accounts of one scenario, compared: what simwasm tells and what the real Envoy tells.

    for difference in verify(Scenario((plugin,), exchanges), engine):
        print(difference)

A difference names the exchange and what differs in it, then shows both sides as one text, like `diff -u`: lines of
simwasm only begin with `-`, lines of Envoy only with `+`. No difference, no line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff

from simwasm.engines.engine import Engine
from simwasm.exchange import Message, to_text
from simwasm.parity.account import Account, Inside, Scenario, Seen, as_played
from simwasm.parity.real import judge
from simwasm.parity.redactions import is_compared, redacted
from simwasm.parity.simulated import simulate

ATTEMPTS = 2
"""A busy machine may merge two pieces of a body, or be late with one; what is really different is so again."""

_CONTEXT = 3
_FILE_NAMES = 2

Lines = tuple[str, ...]
Aspects = Iterator[tuple[str, Lines]]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something the two hosts disagree about."""

    where: str
    """The exchange, or the start or stop of the plugin."""
    what: str
    """What differs in it: `client response`, `crossings`, …"""
    lines: Lines

    def __str__(self) -> str:
        head = f"{self.where}: {self.what} (- simwasm, + Envoy)"
        return "\n".join((head, *(f"    {line}" for line in self.lines)))


def verify(scenario: Scenario, engine: Engine) -> tuple[Difference, ...]:
    """Run a scenario through both hosts and say where simwasm is wrong each time."""
    found: tuple[Difference, ...] = ()
    for _ in range(ATTEMPTS):
        envoy = judge(scenario)
        again = compare(simulate(as_played(scenario, envoy), engine), envoy)
        found = tuple(difference for difference in again if not found or _is_among(difference, found))
        if not found:
            break
    return found


def _is_among(difference: Difference, others: tuple[Difference, ...]) -> bool:
    return any((difference.where, difference.what) == (other.where, other.what) for other in others)


def compare(simwasm: Account, envoy: Account) -> tuple[Difference, ...]:
    """Say where two accounts of a scenario differ; nothing if they agree."""
    return tuple(
        Difference(where, what, diff)
        for (where, what, ours), (_, _, theirs) in zip(_told(simwasm), _told(envoy), strict=True)
        if (diff := _diff(ours, theirs))
    )


def _diff(simwasm: Lines, envoy: Lines) -> Lines:
    lines = tuple(unified_diff(simwasm, envoy, lineterm="", n=_CONTEXT))[_FILE_NAMES:]
    return tuple("…" if line.startswith("@@") else line for line in lines[1:])


def _told(account: Account) -> Iterator[tuple[str, str, Lines]]:
    """An account as text, part by part; both sides have the same parts."""
    yield from (("start", what, lines) for what, lines in _inside(account.start))
    for seen in account.exchanges:
        yield from ((seen.exchange.label, what, lines) for what, lines in _seen(seen))
    yield from (("stop", what, lines) for what, lines in _inside(account.stop))


def _seen(seen: Seen) -> Aspects:
    yield "client response", (*_message(seen.client), f"ended: {seen.end.value}")
    yield "upstream request", tuple(_messages(seen.upstream))
    called = sorted(seen.callouts, key=lambda call: call[0])
    yield "callouts", tuple(line for name, asked in called for line in (f"to {name}:", *_message(asked)))
    yield from _inside(seen.inside)


def _inside(inside: Inside) -> Aspects:
    yield "log", tuple(f"{line.level} [{line.source}] {line.text}" for line in inside.logs)
    yield "crossings", tuple(str(crossing) for crossing in inside.crossings if is_compared(crossing))


def _messages(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        yield from _message(message)


def _message(message: Message | None) -> Lines:
    if message is None:
        return ("nothing",)
    shown = redacted(message)
    body = (f"body: {to_text(message.data)!r}",) if message.data else ()
    trailers = tuple(f"trailer {name}: {value}" for name, value in shown.trailers)
    return (*(f"{name}: {value}" for name, value in shown.headers), *body, *trailers)
