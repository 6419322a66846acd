"""One life of the plugins: a session and the traffic through it, one piece of work after the other.

Between two pieces no plugin is running, so that is when everything there is can be put down in a checkpoint.
Rules: the pieces are those of `Proxy.run`, in the same order; all that decides which piece comes next is in plain
attributes, because a checkpoint puts them back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from simwasm.debug.inputs import Inputs
from simwasm.exchange import Exchange, Message
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.ports import Answer, Callout, Service
from simwasm.session import Between
from simwasm.trace.event import Observer

Asked = TypeVar("Asked")


class Answers:
    """What upstreams and clusters said, so that they say the same when they are asked again."""

    def __init__(self) -> None:
        self.known: list[tuple[int, Any]] = []
        """Each answer with the position at which it was asked for."""

    def before(self, position: int) -> Answers:
        """The answers that were given before a position."""
        found = Answers()
        found.known = [entry for entry in self.known if entry[0] < position]
        return found


class Witness(Protocol):
    """Who is told what happens to exchanges and what is logged."""

    at: int

    @property
    def answers(self) -> Answers: ...
    def began(self, number: int, exchange: Exchange, /) -> None: ...
    def ended(self, outcome: Outcome, /) -> None: ...
    def logged(self, number: int, line: LogLine, /) -> None: ...


class Run:
    """A session that can be advanced piece by piece."""

    def __init__(self, inputs: Inputs, observer: Observer, witness: Witness, between: Between) -> None:
        self._inputs = inputs
        self._witness = witness
        self._started = False
        self._next = 0
        self._until: int | None = None
        self._stopped = False
        self._asked = 0
        self._lines = 0
        self.session = inputs.session(
            observers=[observer],
            between=between,
            ask_upstream=self._ask_upstream,
            ask_cluster=self._ask_cluster,
            on_log=self._log,
        )

    def advance(self) -> bool:
        """Do the next piece of work; False when there is none any more."""
        proxy = self.session.proxy
        if not self._started:
            self._started = True
            self.session.start()
        elif proxy.open_streams:
            proxy.step()
            for outcome in proxy.ended_now():
                self._witness.ended(outcome)
        elif self._next < len(self._inputs.exchanges):
            self._open()
        elif not self._idle():
            if self._stopped:
                return False
            self._stopped = True
            self.session.stop()
        return True

    def _open(self) -> None:
        """Begin the next exchange, or all of them."""
        last = len(self._inputs.exchanges) if self._inputs.together else self._next + 1
        while self._next < last:
            exchange = self._inputs.exchanges[self._next]
            self._witness.began(self._next, exchange)
            self._next += 1
            self.session.proxy.open(exchange)

    def _idle(self) -> bool:
        """Do what is still due once all exchanges have ended."""
        proxy = self.session.proxy
        clock = proxy.clock
        if self._until is None:
            self._until = clock.now + proxy.profile.idle_timeout_ns
        return bool(clock.busy and clock.now <= self._until and proxy.step())

    def _ask_upstream(self, exchange: Exchange, request: Message) -> Answer:
        return self._remembered(lambda: self._inputs.ask_upstream(exchange, request))

    def _ask_cluster(self, callout: Callout) -> Answer | Service:
        return self._remembered(lambda: self._inputs.ask_cluster(callout))

    def _remembered(self, ask: Callable[[], Asked]) -> Asked:
        known = self._witness.answers.known
        self._asked += 1
        if len(known) < self._asked:
            known.append((self._witness.at, ask()))
        found: Asked = known[self._asked - 1][1]
        return found

    def _log(self, line: LogLine) -> None:
        self._lines += 1
        self._witness.logged(self._lines, line)

    def close(self) -> None:
        """Let go of the guests."""
        self.session.close()
