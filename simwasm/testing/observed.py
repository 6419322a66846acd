"""What is known of a plugin under test: what it logged, cost, kept and did wrong, from its start on."""

from __future__ import annotations

from simwasm.host.proxy import Proxy
from simwasm.lints.lint import Problem
from simwasm.testing.doing import Cost, cost
from simwasm.testing.life import Life
from simwasm.testing.logs import Logs
from simwasm.testing.result import Result
from simwasm.testing.stock import Metrics, Queue, SharedData
from simwasm.testing.trace import Trace


class Observed:
    """A plugin, as far as one looks at it."""

    def __init__(self, life: Life) -> None:
        self._life = life

    @property
    def name(self) -> str:
        """The plugin's name; of a chain, all names in their order."""
        return self._life.setup.name

    @property
    def engine(self) -> str:
        """The name of the engine that runs it."""
        return self._life.setup.engine.name

    def __repr__(self) -> str:
        return f"<plugin {self.name} on {self.engine}>"

    @property
    def results(self) -> tuple[Result, ...]:
        """What became of everything that has ended so far, in that order."""
        return tuple(self._life.ended)

    @property
    def logs(self) -> Logs:
        """Everything that was logged."""
        return self._life.logs(self._life.record.lines)

    @property
    def cost(self) -> Cost:
        """What everything has cost, the start included."""
        return cost(
            self._life, [visit for visit in self._life.record.visits if visit.outer and visit.end >= 0]
        )

    @property
    def trace(self) -> Trace:
        """Everything that has crossed the ABI, the start included."""
        return self._life.trace(self._life.record.entries())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the lints say of everything so far: warnings and worse, as `simwasm run` tells them."""
        return self._life.problems.all()

    @property
    def metrics(self) -> Metrics:
        """Its metrics by name."""
        return Metrics(self._proxy)

    @property
    def shared_data(self) -> SharedData:
        """The data that it shares with others of its vm_id, by key."""
        return SharedData(self._proxy, self._life.setup.vm_id("shared_data"))

    def queue(self, name: str) -> Queue:
        """A queue that it has registered."""
        return Queue(self._proxy, self._life.setup.vm_id("queue"), name, self._life.settle)

    @property
    def time(self) -> float:
        """How many seconds of virtual time have passed."""
        life = self._life
        return (life.session.proxy.clock.now - life.started_ns) / 1e9 if life.begun else 0.0

    def _proxy(self) -> Proxy:
        return self._life.session.proxy
