"""Making plugins under test for one test, of what the test, its marks and pytest's configuration say.

Rules: what is said nearer to the test counts: the call, then the mark of the function, of its class, of its module,
then the configuration; a file is looked for beside the test's file, then in the rootdir.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from simwasm.errors import SimwasmError
from simwasm.pytest_plugin import options
from simwasm.testing import load_plugin

if TYPE_CHECKING:
    from simwasm.testing import PluginUnderTest

_TEXTS_OR_FILES = ("config", "vm_config")
"""Options whose text names a file behind an `@`."""
_FILES = ("debug_file",)
_PAIRS = {"callout": os.path.isfile, "source_map": os.path.isdir, "module": os.path.exists}
"""Options that have names, and behind them files, if something like that is there."""


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
        said = {name: self._found(name, value) for name, value in said.items()}
        return load_plugin(found(self._item, path), **said)

    def _found(self, name: str, value: Any) -> Any:
        """An option, with files where they are."""
        there = _PAIRS.get(name)
        if there is not None and isinstance(value, Mapping):
            return {key: self._there(text, there) for key, text in value.items()}
        if there is not None and isinstance(value, (list, tuple)):
            return [self._found(name, text) for text in value]
        if not isinstance(value, str):
            return value
        if there is not None:
            key, equals, text = value.partition("=")
            return f"{key}={self._there(text, there)}" if equals else self._there(value, there)
        if name in _TEXTS_OR_FILES and value.startswith("@"):
            return "@" + found(self._item, value[1:])
        return found(self._item, value) if value and name in _FILES else value

    def _there(self, text: Any, there: Callable[[str], bool]) -> Any:
        """A file where it is, if there is one; otherwise it is something else."""
        path = found(self._item, text) if isinstance(text, str) and text else ""
        return path if there(path) else text

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

    def __repr__(self) -> str:
        return "<makes plugins under test>"

    def close(self) -> None:
        """Let go of the plugins."""
        for plugin in self._made:
            plugin.close()


def found(item: pytest.Item, path: str) -> str:
    """Where a file is that a test names; beside the test's file if it is nowhere. An address is one everywhere."""
    if "://" in path:
        return path
    beside = item.path.parent / path
    places = (beside, item.config.rootpath / path)
    there = next((place for place in places if place.exists()), None)
    return str(there) if there is not None else os.path.relpath(beside)
