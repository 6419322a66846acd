"""Making plugins under test for one test, of what the test, its marks and pytest's configuration say.

Rules: what is said nearer to the test counts: the call, then the mark of the function, of its class, of its module,
then the configuration; a file is looked for beside the test's file, then in the rootdir.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simwasm.errors import SimwasmError
from simwasm.pytest_plugin import options
from simwasm.testing import load_plugin

if TYPE_CHECKING:
    from simwasm.testing import PluginUnderTest

_FILES = ("config", "vm_config")
"""Options whose text names a file behind an `@`."""


class Loading:
    """The factory of one test."""

    def __init__(self, request: pytest.FixtureRequest, engine: str | None) -> None:
        self._item: pytest.Item = request.node
        self._engine = engine
        self._made: list[PluginUnderTest] = []

    def __call__(self, path: str | os.PathLike[str] | None = None, **said: Any) -> PluginUnderTest:
        __tracebackhide__ = True
        marked, chosen = self._marked()
        path = path or marked or self._item.config.getini(options.PLUGIN)
        if not path:
            pytest.fail(
                f"{self._item.nodeid}: which plugin? Say it in one of these places:\n"
                '  @pytest.mark.simwasm("plugin.wasm")          a mark of the test, its class or its module\n'
                "  simwasm_plugin = plugin.wasm                 pytest's configuration\n"
                '  simwasm_plugin("plugin.wasm")                in a fixture of yours called `plugin`',
                pytrace=False,
            )
        plugin, wrong = self._tried(os.fspath(path), {"engine": self._engine, **chosen, **said})
        if plugin is None:
            pytest.fail(f"{self._item.nodeid}: {wrong}", pytrace=False)
        self._made.append(plugin)
        return plugin

    def _tried(self, path: str, said: dict[str, Any]) -> tuple[PluginUnderTest | None, str]:
        """The plugin, or why it cannot be loaded."""
        try:
            return self._load(path, said), ""
        except SimwasmError as error:
            return None, str(error)

    def _load(self, path: str, said: dict[str, Any]) -> PluginUnderTest:
        for name in _FILES:
            text = said.get(name)
            if isinstance(text, str) and text.startswith("@"):
                said[name] = "@" + found(self._item, text[1:])
        return load_plugin(found(self._item, path), **said)

    def _marked(self) -> tuple[str, dict[str, Any]]:
        """The plugin and the options that marks say, the nearest counting."""
        path = ""
        chosen: dict[str, Any] = {}
        for mark in self._item.iter_markers("simwasm"):
            if len(mark.args) > 1 or any(not isinstance(each, (str, os.PathLike)) for each in mark.args):
                pytest.fail(
                    f"{self._item.nodeid}: @pytest.mark.simwasm takes one path, and options by name: "
                    '@pytest.mark.simwasm("plugin.wasm", config="…")',
                    pytrace=False,
                )
            path = path or (os.fspath(mark.args[0]) if mark.args else "")
            chosen = {**mark.kwargs, **chosen}
        return path, chosen

    def close(self) -> None:
        """Let go of the plugins."""
        for plugin in self._made:
            plugin.close()


def found(item: pytest.Item, path: str) -> str:
    """Where a file is that a test names; beside the test's file if it is nowhere."""
    beside = item.path.parent / path
    places = (beside, item.config.rootpath / path)
    return str(next((place for place in places if place.exists()), Path(os.path.relpath(beside))))
