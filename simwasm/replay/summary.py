"""What a run of any length comes to: a value that grows with the kinds of what happened, never with how often it did.

Parts of a run, played by several processes or machines, are merged into the summary of the whole. Rules that live here:
everything is a sum, an extreme, or one of a fixed number of places; what depends on the machine (`real_ns`, what
callbacks took) is told apart from what every run of the same traffic gives again.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappush, heapreplace
from typing import Any, NamedTuple

from simwasm.conversation import Conversation
from simwasm.host.outcome import LogLine, Outcome
from simwasm.replay.course import Course
from simwasm.replay.histogram import Histogram
from simwasm.replay.problems import Problems, problem_json
from simwasm.replay.tally import Tally

SLOWEST = 10
"""How many callbacks are told of one by one."""
LISTED = 5
"""How many notes on the traffic are listed."""
_LABEL = 200

Change = tuple[str, str]
"""The status that the recording has, and the one that the client got; empty for none, or `reset`."""


class Slow(NamedTuple):
    """One call of a callback."""

    figure: int
    """Instructions, or nanoseconds."""
    exchange: int
    """The number of the exchange, from 1; 0 for none."""
    vm: str
    callback: str
    label: str = ""
    """The exchange, in words."""

    def json(self, unit: str) -> dict[str, Any]:
        """It as an object."""
        found = {unit: self.figure, "callback": self.callback, "vm": self.vm}
        return found | ({"exchange": self.exchange, "name": self.label} if self.exchange else {})


class Slowest:
    """The calls with the largest figures."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Slow]] = []
        """Behind the figure stands what makes the earlier of two alike the larger."""
        self._noted = 0
        self.least = -1
        """Only what is above this has a place."""

    def note(self, slow: Slow) -> None:
        """Keep a call whose figure is above the least."""
        self._noted += 1
        entry = slow.figure, -self._noted, slow
        if len(self._heap) < SLOWEST:
            heappush(self._heap, entry)
        else:
            heapreplace(self._heap, entry)
        if len(self._heap) == SLOWEST:
            self.least = self._heap[0][0]

    def name(self, exchange: int, label: str) -> None:
        """Say what the exchange is whose calls were noted since the one before."""
        self._heap = [
            (figure, order, slow._replace(label=label[:_LABEL]) if slow.exchange == exchange else slow)
            for figure, order, slow in self._heap
        ]

    def merge(self, other: Slowest) -> None:
        """Keep the largest of both."""
        for slow in other.largest_first():
            if slow.figure > self.least:
                self.note(slow)

    def largest_first(self) -> list[Slow]:
        """The calls; of those alike, the one that came first."""
        return [slow for _, _, slow in sorted(self._heap, reverse=True)]


class Callback:
    """What the calls of one callback came to."""

    __slots__ = ("calls", "instructions", "most", "took_ns", "longest_ns")

    def __init__(self) -> None:
        self.calls = self.instructions = self.most = self.took_ns = self.longest_ns = 0

    def merge(self, other: Callback) -> None:
        """Add the calls of another part of the run."""
        self.calls += other.calls
        self.instructions += other.instructions
        self.took_ns += other.took_ns
        self.most = max(self.most, other.most)
        self.longest_ns = max(self.longest_ns, other.longest_ns)

    def json(self) -> dict[str, int]:
        """It as an object."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __getstate__(self) -> tuple[int, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setstate__(self, state: tuple[int, ...]) -> None:
        for name, value in zip(self.__slots__, state, strict=True):
            setattr(self, name, value)


class Grown(NamedTuple):
    """The memory of a VM, in bytes: when it was started, and last."""

    first: int
    last: int


class Places:
    """Notes on the traffic: the first of them, and how many there were."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.count = 0

    def add(self, text: str) -> None:
        """Note one."""
        if len(self.first) < LISTED:
            self.first.append(text)
        self.count += 1

    def merge(self, other: Places) -> None:
        """Add the notes of another part."""
        self.first += other.first[: LISTED - len(self.first)]
        self.count += other.count


class Summary:
    """What happened in a run, or in a part of one."""

    def __init__(self, *, each_problem: bool = False) -> None:
        self.exchanges = 0
        self.changes: Tally[Change] = Tally()
        self.connections = 0
        """How many of the exchanges were TCP connections, which have no status."""
        self.local_replies = 0
        self.not_asked = 0
        """Exchanges of which the upstream heard nothing."""
        self.pauses = 0
        self.hung = 0
        self.resets = 0
        self.traps = 0
        self.partial = 0
        """Exchanges of which the recording does not have all."""
        self.bytes_received = self.bytes_sent = 0
        self.callouts: Tally[tuple[str, str]] = Tally()
        """By cluster and answer."""
        self.logs: Tally[str] = Tally()
        self.problems = Problems(all=each_problem)
        self.callbacks: dict[tuple[str, str], Callback] = {}
        """By VM and callback."""
        self.dearest = Slowest()
        """By instructions: the same in every run."""
        self.longest = Slowest()
        """By real time, in nanoseconds."""
        self.instructions = Histogram()
        """Of an exchange, all its callbacks together."""
        self.durations = Histogram()
        """Of an exchange, in nanoseconds of virtual time."""
        self.course = Course()
        """How it went on, exchange by exchange."""
        self.memory: dict[str, Grown] = {}
        """By VM."""
        self.left_out = Places()
        self.broken = Places()
        self.lost = 0
        """Exchanges that a worker took with it when it died."""
        self.first_ns = self.last_ns = 0
        """Virtual time: when the first exchange began, and when the last one ended."""
        self.real_ns = 0
        self.workers = 1

    def add(self, number: int, outcome: Outcome, instructions: int) -> None:
        """Count an exchange that has ended, the so-manieth of the run."""
        if not self.exchanges or outcome.started_ns < self.first_ns:
            self.first_ns = outcome.started_ns
        self.last_ns = max(self.last_ns, outcome.ended_ns)
        self.exchanges += 1
        exchange = outcome.exchange
        if isinstance(exchange, Conversation):
            self.connections += 1
            self.course.add(number, "", "", instructions)
        else:
            changed = change(outcome)
            self.changes.add(changed)
            self.course.add(number, *changed, instructions)
        self.local_replies += outcome.local_reply
        self.not_asked += outcome.request is None
        self.hung += bool(outcome.waiting)
        self.resets += bool(outcome.reset)
        self.partial += exchange.partial
        self.pauses += pauses(outcome)
        self.bytes_received += outcome.bytes_received
        self.bytes_sent += outcome.bytes_sent
        self.instructions.add(instructions)
        self.durations.add(max(outcome.ended_ns - outcome.started_ns, 0))

    def logged(self, line: LogLine) -> None:
        """Count a line of the proxy's log."""
        self.logs.add(line.level._name_)

    def merge(self, other: Summary) -> None:
        """Add another part of the run, which belongs behind this one."""
        if other.exchanges:
            self.first_ns = min(self.first_ns, other.first_ns) if self.exchanges else other.first_ns
        self.last_ns = max(self.last_ns, other.last_ns)
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _MERGED:
            getattr(self, name).merge(getattr(other, name))
        for key, callback in other.callbacks.items():
            self.callbacks.setdefault(key, Callback()).merge(callback)
        self.memory.update(other.memory)
        self.real_ns = max(self.real_ns, other.real_ns)

    @property
    def rate(self) -> float:
        """Exchanges in a second of real time; 0 if it is not known."""
        return self.exchanges * 1e9 / self.real_ns if self.real_ns else 0.0

    def json(self) -> dict[str, Any]:
        """All of it as an object; what did not happen is left out."""
        found: dict[str, Any] = {
            "exchanges": self.exchanges,
            "statuses": _listed(("before", "after"), self.changes),
            **{name: getattr(self, name) for name in _COUNTS},
            "callouts": _listed(("cluster", "answer"), self.callouts),
            "logs": dict(self.logs.most_first()),
            "problems": [
                problem_json(problem) | {"times": times} | _numbered(problem.exchange)
                for problem, times in self.problems.worst_first()
            ],
            "callbacks": [
                {"vm": vm, "callback": name} | found.json() for (vm, name), found in self.callbacks.items()
            ],
            "slowest": [slow.json("instructions") for slow in self.dearest.largest_first()],
            "longest": [slow.json("took_ns") for slow in self.longest.largest_first()],
            "instructions": self.instructions.json() if self.instructions.total else {},
            "duration_ns": self.durations.json() if self.durations.total else {},
            "memory": {vm: grown._asdict() for vm, grown in self.memory.items()},
            "left_out": _noted(self.left_out),
            "broken": _noted(self.broken),
            "virtual_ns": max(self.last_ns - self.first_ns, 0),
            "real_ns": self.real_ns,
            "exchanges_per_second": round(self.rate, 1),
            "workers": self.workers,
        }
        return {name: value for name, value in found.items() if value or name in ("exchanges", "real_ns")}


_COUNTS = ("connections", "local_replies", "not_asked", "pauses", "hung", "resets", "traps", "partial", "lost",
           "bytes_received", "bytes_sent")  # fmt: skip
_SUMS = ("exchanges", *_COUNTS)
_MERGED = ("changes", "course", "callouts", "logs", "problems", "dearest", "longest", "instructions", "durations",
           "left_out", "broken")  # fmt: skip


def change(outcome: Outcome) -> Change:
    """The status of an exchange as it was recorded, and as its client got it."""
    recorded = outcome.exchange.response
    before = recorded.header(":status") if recorded is not None else None
    after = "reset" if outcome.response is None else outcome.response.header(":status")
    return (before or "")[:_LABEL], (after or "?")[:_LABEL]


def pauses(outcome: Outcome) -> int:
    """How often a callback of an exchange has returned Pause."""
    return sum(getattr(taken[2], "_name_", "") == "PAUSE" for taken in outcome.actions)


def _listed(names: tuple[str, str], found: Tally[tuple[str, str]]) -> list[dict[str, Any]]:
    rows: Iterable[tuple[tuple[str, str], int]] = found.most_first()
    listed: list[dict[str, Any]] = [
        {name: part for name, part in zip(names, kind, strict=True) if part} | {"count": times}
        for kind, times in rows
    ]
    return [*listed, {"count": found.others}] if found.others else listed


def _numbered(exchange: int) -> dict[str, int]:
    return {"exchange": exchange} if exchange else {}


def _noted(found: Places) -> dict[str, Any]:
    return {"count": found.count, "first": found.first} if found.count else {}
