"""All that it takes to replay: plugins, host and what is to be told, as a value that another process can be sent.

Rule: nothing in it names a file that has to be there where the job is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from simwasm import recipe as recipes
from simwasm.answers import Clusters
from simwasm.engines.engine import Engine
from simwasm.engines.find import engine as find_engine
from simwasm.host.faults import Fault
from simwasm.host.outcome import LogLine
from simwasm.host.profile import ENVOY, Profile
from simwasm.plugin import Plugin
from simwasm.recipe import Recipe
from simwasm.session import DEFAULT_FUEL, Session
from simwasm.trace.event import Observer
from simwasm.wasm.rewrite import Limits

if TYPE_CHECKING:
    from simwasm.replay.shard import Part


class Style(str, Enum):
    """What is printed of exchanges."""

    ARROWS = "arrows"
    """Every crossing as an arrow, then a line."""
    ENVOY = "envoy"
    """Every crossing as Envoy's log has it, then a line."""
    QUIET = "quiet"
    """A line."""
    JSON = "json"
    """An object."""
    NOTHING = "nothing"

    @property
    def has_crossings(self) -> bool:
        """Whether crossings are printed, and with them the log."""
        return self in (Style.ARROWS, Style.ENVOY)


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of each exchange, and how."""

    style: Style = Style.QUIET
    painted: bool = False
    """In a terminal's colours."""
    access_log: bool = False
    expect: int | None = None
    """The status that every client should get."""
    costs: bool = False


@dataclass(frozen=True)
class Job:
    """Plugins and their host."""

    plugins: tuple[Plugin, ...]
    clusters: Clusters
    engine: str
    """Its name."""
    profile: Profile = ENVOY
    limits: Limits = Limits()  # noqa: RUF009  # it is frozen
    fuel: int = DEFAULT_FUEL
    faults: tuple[Fault, ...] = ()
    concurrency: int = 1
    together: bool = False
    in_time: bool = False
    """Whether exchanges come when they are due by a real clock, so that none can be read before."""
    now_ns: int = 0
    """When the virtual clock begins."""
    telling: Telling = Telling()
    coverage: bool = False
    """Whether it is noted what of the plugins is run."""
    rounds: bool = False
    """Whether the traffic comes several times."""
    worker: int = 0
    """Which of several processes does it, from 1; 0 if there is one."""

    def session(
        self,
        observers: Sequence[Observer],
        *,
        on_log: Callable[[LogLine], None] | None = None,
        covering: Callable[[Engine], Engine] | None = None,
    ) -> Session:
        """The session to replay in, not started yet."""
        engine = find_engine(self.engine)
        return Session(
            self.plugins,
            engine=engine if covering is None else covering(engine),
            workers=self.concurrency,
            observers=observers,
            clusters=self.clusters.names,
            ask_cluster=self.clusters.ask,
            profile=self.profile,
            now_ns=self.now_ns,
            on_log=on_log,
            limits=self.limits,
            fuel=self.fuel,
            faults=self.faults,
        )

    def part(self) -> Part:
        """What one process does of it."""
        from simwasm.replay.shard import Part  # which has to know what a job is

        return Part(self)

    def of_worker(self, number: int) -> Job:
        """The same for one of several processes, from 1."""
        return replace(self, worker=number)

    def portable(self) -> Job:
        """The same without what every process finds out by itself, which may be large."""
        return replace(self, plugins=tuple(replace(plugin) for plugin in self.plugins))


def job_of(
    wanted: Recipe, plugins: tuple[Plugin, ...], now_ns: int, in_vain: Callable[[str], None], **more: Any
) -> Job:
    """The job that a recipe describes; `more` is what of it no recipe knows."""
    return Job(
        plugins,
        recipes.clusters(wanted, in_vain),
        find_engine(wanted.engine).name,
        profile=recipes.profile(wanted),
        limits=recipes.limits(wanted),
        fuel=wanted.fuel or DEFAULT_FUEL,
        faults=recipes.faults(wanted),
        concurrency=recipes.concurrency(wanted),
        now_ns=now_ns,
        **more,
    )
