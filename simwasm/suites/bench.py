"""What cases are played on: plugins loaded as a case and the command line say, kept until the case is judged.

Rules: what the command line says comes before what a case says: the engine, and the module in place of the suite's;
where coverage is collected, every plugin runs on an engine that tells what it reaches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from simwasm.errors import InputError
from simwasm.keeping import keeper

if TYPE_CHECKING:
    from simwasm.coverage.collector import Collector
    from simwasm.engines.engine import Engine
    from simwasm.plugin import Plugin
    from simwasm.testing import PluginUnderTest, Verdict
    from simwasm.testing.trace import Trace


class Played(Protocol):
    """What a case was played with: a `PluginUnderTest`, or whoever drives a plugin in another way."""

    @property
    def trace(self) -> Trace: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about all cases."""

    engine: str | None = None
    plugin: str = ""
    """The module, whatever the suite names."""
    update: bool = False
    """Write goldens anew."""
    config: str = ""
    """The plugin's configuration, whatever the suite says: a text, or `@` and a file."""
    collector: Collector | None = None


@dataclass(slots=True)
class Bench:
    """Where one case is played."""

    options: Options = Options()
    plugins: list[Played] = field(default_factory=list)
    """Those that were loaded, in their order."""

    def load(self, plugin: str, **settings: Any) -> PluginUnderTest:
        """Load a plugin as `simwasm.testing.load_plugin` does; the command line has the last word."""
        from simwasm.testing import load_plugin

        if self.options.engine is not None:
            settings["engine"] = self.options.engine
        if self.options.config:
            settings["config"] = self.options.config
        token = keeper.set(_Keeping(self))
        try:
            return load_plugin(self.options.plugin or plugin, **settings)
        finally:
            keeper.reset(token)

    def engine(self, plugin: Plugin, name: str | None = None) -> Engine:
        """The engine that a plugin is to run on."""
        from simwasm.testing import shared

        return self.covered(plugin, shared.engine(self.options.engine or name))

    def covered(self, plugin: Plugin, engine: Engine) -> Engine:
        """An engine, made to tell what the plugin reaches if anybody wants to know."""
        collector = self.options.collector
        return engine if collector is None else collector.engine(plugin, engine)

    def close(self) -> None:
        """Let go of the plugins."""
        for plugin in self.plugins:
            plugin.close()
        self.plugins.clear()


class _Keeping:
    """Hears of what is loaded for a bench."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def engine(self, plugin: Plugin, engine: Engine) -> Engine:
        return self._bench.covered(plugin, engine)

    def file(self, path: str) -> str:
        return path

    def loaded(self, plugin: Any) -> None:
        self._bench.plugins.append(plugin)

    def explained(self, verdict: Verdict) -> None:
        """Suites tell of what is not as expected by themselves."""

    def golden(self, trace: Trace, name: str | None) -> Verdict:
        raise InputError("goldens of cases are named in their suite: golden: FILE")
