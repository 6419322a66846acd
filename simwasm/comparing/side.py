"""One of the two sides: a session to which exchanges are given one at a time, and all that happens with each.

Rules: what is random begins anew with each exchange, by its number, so that neither side's draws move the other's; what
happens between two exchanges belongs to the second one.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from simwasm.comparing.watcher import Kept, Watcher
from simwasm.exchange import Exchange
from simwasm.host.context import log_names
from simwasm.host.outcome import LogLine, Outcome
from simwasm.plugin import Plugin
from simwasm.replay.job import Job

Name = Callable[[str, str, int], str]
"""The name of what a VM knows by a number: of a metric or a queue, by the parameter, the VM and the number."""


Said = Callable[[str], str]
"""A line of the log without who wrote it; that of a trap without the frames, which lie elsewhere in another build."""
_FAILED = re.compile(r"Function: \w+ failed: [^\n]*")


class Step(NamedTuple):
    """What happened on one side: with an exchange, or without one at the start and at the end."""

    outcome: Outcome | None
    kept: list[Kept]
    logs: tuple[LogLine, ...]
    name: Name
    """Asks for the name of a metric or a queue."""
    said: Said
    """Asks what a line of the log says."""


class Side:
    """A session that goes from exchange to exchange."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._watcher = Watcher()
        self._logs: list[LogLine] = []
        self._given: deque[Exchange] = deque()
        self._said = _said_by(job.plugins)
        self.session = job.session([self._watcher], on_log=self._logs.append)
        self._outcomes = self.session.replay(self._feed())

    def _feed(self) -> Iterator[Exchange]:
        while self._given:
            yield self._given.popleft()

    @property
    def now(self) -> int:
        """The virtual time."""
        return self.session.proxy.clock.now

    def start(self) -> Step:
        """Start the plugins; one that does not start is a `PluginError`."""
        self.session.start()
        return self._step(None)

    def play(self, number: int, exchange: Exchange) -> Step:
        """Let an exchange through."""
        self.session.proxy.random.seed(f"{self._job.profile.seed} {number}")
        self._given.append(exchange)
        return self._step(next(self._outcomes))

    def end(self) -> Step:
        """Let all that is due happen, and stop the plugins."""
        for _ in self._outcomes:
            pass
        self.session.stop()
        return self._step(None)

    def _step(self, outcome: Outcome | None) -> Step:
        logs = tuple(self._logs)
        self._logs.clear()
        return Step(outcome, self._watcher.taken(), logs, self._name, self._said)

    def _name(self, what: str, vm: str, number: int) -> str:
        if what == "metric_id":
            metrics = next(
                (each.vm.metrics.all() for each in reversed(self.session.started) if each.vm.name == vm), []
            )
            return next((f"{metric.type.name} {metric.name}" for id, metric in metrics if id == number), "")
        queues = self.session.proxy.queues.all()
        return next((f"{vm_id}/{name}" for vm_id, name, queue in queues if queue.id == number), "")

    def close(self) -> None:
        """Let go of the guests."""
        self.session.close()


def _said_by(plugins: Sequence[Plugin]) -> Said:
    """What lines say that these plugins wrote; a plugin can write what looks like a name, or like a trap, itself."""
    names = {name for plugin in plugins for name in log_names(plugin)}
    named = re.compile("|".join(re.escape(f"{name}: ") for name in sorted(names, key=len, reverse=True)))

    def said(text: str) -> str:
        failed = _FAILED.match(text)
        return failed[0] if failed else named.sub("", text, 1) if named.match(text) else text

    return said
