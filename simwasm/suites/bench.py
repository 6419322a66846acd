"""What cases are played on: plugins loaded as a case and the command line say, kept until the case is judged.

Rule: what the command line says comes before what a case says: the engine, and the module in place of the suite's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from simwasm.testing import PluginUnderTest
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
        loaded = load_plugin(self.options.plugin or plugin, **settings)
        self.plugins.append(loaded)
        return loaded

    def close(self) -> None:
        """Let go of the plugins."""
        for plugin in self.plugins:
            plugin.close()
        self.plugins.clear()
