"""Collects what plugins reach in any number of sessions, on any engine.

    collector = Collector([plugin])
    with Session([plugin], engine=collector.covering(engine("wasmtime"))) as session:
        ...
    collector.save("plugin.cov")

Rules that live here: a VM is counted when it ends, and whenever somebody asks; nothing is read of a plugin's debug
information before that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from simwasm.coverage.file import write
from simwasm.coverage.ground import ground
from simwasm.coverage.values import Covered, Ground
from simwasm.engines.covering import CoveredInstance, CoveringEngine
from simwasm.engines.engine import Engine
from simwasm.plugin import Plugin


class _Sum:
    """What the VMs of one module reached."""

    def __init__(self) -> None:
        self.reached = 0
        self.callbacks: Counter[str] = Counter()
        self.host_calls: Counter[str] = Counter()

    def add(self, instance: CoveredInstance) -> None:
        """Count a VM in."""
        self.reached |= instance.reached()
        self.callbacks += instance.callbacks
        self.host_calls += instance.host_calls

    def plus(self, instances: Iterable[CoveredInstance]) -> _Sum:
        """The same with these counted in."""
        found = _Sum()
        found.reached, found.callbacks, found.host_calls = self.reached, +self.callbacks, +self.host_calls
        for instance in instances:
            found.add(instance)
        return found


class Collector:
    """Adds up what plugins reach."""

    def __init__(self, plugins: Iterable[Plugin] = ()) -> None:
        self._plugins: dict[str, Plugin] = {}
        self._sums: dict[bytes, _Sum] = {}
        self._open: dict[int, CoveredInstance] = {}
        self._grounds: dict[str, Ground] = {}
        self._engines: dict[str, CoveringEngine] = {}
        for plugin in plugins:
            self.add(plugin)

    def add(self, plugin: Plugin) -> None:
        """Tell of a plugin, without which nobody can say what its code is; the same one again is fine."""
        self._plugins.setdefault(plugin.sha256, plugin)

    def covering(self, engine: Engine) -> CoveringEngine:
        """The engine to run plugins on; programs of it may be shared, and only by its sessions."""
        return CoveringEngine(engine, self)

    def engine(self, plugin: Plugin, engine: Engine) -> CoveringEngine:
        """The engine to run a plugin on; one of each name, for those whose programs are shared."""
        self.add(plugin)
        if engine.name not in self._engines:
            self._engines[engine.name] = self.covering(engine)
        return self._engines[engine.name]

    def covered(self) -> tuple[Covered, ...]:
        """What was reached until now, by plugin, in the order in which they were told of."""
        return tuple(map(self._covered, self._plugins.values()))

    def save(self, path: str | Path) -> None:
        """Write that to a file, for `simwasm coverage`."""
        write(path, self.covered())

    def started(self, instance: CoveredInstance) -> None:
        """A VM begins."""
        self._open[id(instance)] = instance

    def closed(self, instance: CoveredInstance) -> None:
        """A VM ends."""
        if self._open.pop(id(instance), None) is not None:
            self._sums.setdefault(instance.digest, _Sum()).add(instance)

    def _covered(self, plugin: Plugin) -> Covered:
        digest = bytes.fromhex(plugin.sha256)
        found = self._sums.get(digest, _Sum()).plus(
            each for each in self._open.values() if each.digest == digest
        )
        known = self._grounds.get(plugin.sha256)
        if known is None:
            known = self._grounds[plugin.sha256] = ground(plugin)
        return Covered(
            plugin.name,
            plugin.sha256,
            known,
            found.reached,
            {name: found.callbacks[name] for name in known.callbacks},
            {name: found.host_calls[name] for name in known.host_calls},
        )
