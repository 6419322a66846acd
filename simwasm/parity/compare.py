"""Two accounts of one scenario, compared: what simwasm tells and what the real Envoy tells.

    for difference in verify(Scenario((plugin,), exchanges), engine):
        print(difference)

A difference names the exchange and what differs in it, then shows both sides as one text, like `diff -u`: lines of
simwasm only begin with `-`, lines of Envoy only with `+`. No difference, no line.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    number: int = 0
    """The number of the exchange, from 1; 0 for the start and the stop."""

    def __str__(self) -> str:
        head = f"{f'#{self.number} ' * bool(self.number)}{self.where}: {self.what} (- simwasm, + Envoy)"
        return "\n".join((head, *(f"    {line}" for line in self.lines)))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scenario as both hosts tell it."""

    simwasm: Account
    envoy: Account
    differences: tuple[Difference, ...]
    """What is otherwise each time."""


def both(scenario: Scenario, engine: Engine, ignored: frozenset[str] = frozenset()) -> Comparison:
    """Run a scenario through both hosts, once more if they disagree; `ignored` headers may have any value."""
    found: tuple[Difference, ...] = ()
    for _ in range(ATTEMPTS):
        envoy = judge(scenario)
        simwasm = simulate(as_played(scenario, envoy), engine)
        again = compare(simwasm, envoy, ignored)
        found = tuple(difference for difference in again if not found or _is_among(difference, found))
        if not found:
            break
    return Comparison(simwasm, envoy, found)


def verify(scenario: Scenario, engine: Engine) -> tuple[Difference, ...]:
    """Run a scenario through both hosts and say where simwasm is wrong each time."""
    return both(scenario, engine).differences


def _is_among(difference: Difference, others: tuple[Difference, ...]) -> bool:
    return any(_place(difference) == _place(other) for other in others)


def _place(difference: Difference) -> tuple[int, str, str]:
    return difference.number, difference.where, difference.what


def compare(
    simwasm: Account, envoy: Account, ignored: frozenset[str] = frozenset()
) -> tuple[Difference, ...]:
    """Say where two accounts of a scenario differ; nothing if they agree."""
    return tuple(
        Difference(where, what, diff, number)
        for (number, where, what, ours), (_, _, _, theirs) in zip(
            _told(simwasm, ignored), _told(envoy, ignored), strict=True
        )
        if (diff := _diff(ours, theirs))
    )


def _diff(simwasm: Lines, envoy: Lines) -> Lines:
    lines = tuple(unified_diff(simwasm, envoy, lineterm="", n=_CONTEXT))[_FILE_NAMES:]
    return tuple("…" if line.startswith("@@") else line for line in lines[1:])


def _told(account: Account, ignored: frozenset[str]) -> Iterator[tuple[int, str, str, Lines]]:
    """An account as text, part by part; both sides have the same parts."""
    yield from ((0, "start", what, lines) for what, lines in _inside(account.start))
    for number, seen in enumerate(account.exchanges, 1):
        yield from ((number, seen.exchange.label, what, lines) for what, lines in _seen(seen, ignored))
    yield from ((0, "stop", what, lines) for what, lines in _inside(account.stop))
    yield 0, "stop", "statistics", tuple(f"{name}: {by:+}" for name, by in account.counted.items())


def _seen(seen: Seen, ignored: frozenset[str]) -> Aspects:
    yield "client response", (*_message(seen.client, ignored), f"ended: {seen.end.value}")
    yield "upstream request", tuple(line for asked in seen.upstream for line in _message(asked, ignored))
    called = sorted(seen.callouts, key=lambda call: call[0])
    yield (
        "callouts",
        tuple(line for name, asked in called for line in (f"to {name}:", *_message(asked, ignored))),
    )
    yield from _inside(seen.inside)
    yield "access log", (seen.logged,)


def _inside(inside: Inside) -> Aspects:
    yield "log", tuple(f"{line.level} [{line.source}] {line.text}" for line in inside.logs)
    yield "crossings", tuple(str(crossing) for crossing in inside.crossings if is_compared(crossing))


def _message(message: Message | None, ignored: frozenset[str]) -> Lines:
    if message is None:
        return ("nothing",)
    shown = redacted(message, ignored)
    body = (f"body: {to_text(message.data)!r}",) if message.data else ()
    trailers = tuple(f"trailer {name}: {value}" for name, value in shown.trailers)
    return (*(f"{name}: {value}" for name, value in shown.headers), *body, *trailers)
