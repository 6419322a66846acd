"""Plays a recipe and gives the golden of it.

Rules: nothing of the machine gets into it, neither clock nor engine; a file that many goldens name is read, parsed and
compiled once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simwasm import recipe as recipes
from simwasm.engines.engine import Engine, Program
from simwasm.engines.load import load
from simwasm.exchange import Exchange
from simwasm.goldens.writing import GoldenWriter, header_of
from simwasm.plugin import Plugin, read_bytes
from simwasm.recipe import Recipe
from simwasm.session import DEFAULT_FUEL, Session
from simwasm.trace.event import Observer
from simwasm.wasm.rewrite import Limits

_MOST_RECORDINGS = 8
"""More are not kept: they may be large."""


class Player:
    """Plays one recipe after the other on an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._files: dict[Path, bytes] = {}
        self._plugins: dict[bytes, Plugin] = {}
        self._programs: dict[tuple[bytes, Limits], Program] = {}
        self._recordings: dict[Recipe, tuple[Exchange, ...]] = {}

    def play(
        self,
        recipe: Recipe,
        told: Mapping[str, Any],
        own: tuple[str, ...] = (),
        also: Sequence[Observer] = (),
    ) -> str:
        """The golden of a recipe, which is told so in the header; `own` are redactions that the user wants.

        The observers in `also` are told of the run, too.
        """
        plugins = recipes.plugins(recipe, self._read)
        for plugin in plugins:
            plugin.like(self._plugins.setdefault(plugin.wasm, plugin))
        exchanges = self._exchanges(recipe)
        now_ns = exchanges[0].started_ns if exchanges else 0
        header = header_of(plugins, profile=recipes.profile(recipe), now_ns=now_ns, recipe=told)
        writer = GoldenWriter(header, own)
        self._run(recipe, plugins, exchanges, now_ns, writer, also)
        return writer.text()

    def _run(
        self,
        recipe: Recipe,
        plugins: tuple[Plugin, ...],
        exchanges: tuple[Exchange, ...],
        now_ns: int,
        writer: GoldenWriter,
        also: Sequence[Observer],
    ) -> None:
        answering = recipes.clusters(recipe)
        with Session(
            plugins,
            engine=self.engine,
            workers=recipes.concurrency(recipe),
            observers=[writer, *also],
            clusters=answering.names,
            ask_cluster=answering.ask,
            profile=recipes.profile(recipe),
            now_ns=now_ns,
            limits=recipes.limits(recipe),
            fuel=recipe.fuel or DEFAULT_FUEL,
            faults=recipes.faults(recipe),
            programs=self._program,
        ) as session:
            for outcome in session.replay(exchanges, together=recipe.together):
                writer.finished(outcome)

    def _exchanges(self, recipe: Recipe) -> tuple[Exchange, ...]:
        key = Recipe(
            recipe.plugin, recipe.traffic, name=recipe.name, network=recipe.network, filter=recipe.filter,
            limit=recipe.limit, listener=recipe.listener,
        )  # fmt: skip
        if key not in self._recordings:
            if len(self._recordings) == _MOST_RECORDINGS:
                del self._recordings[next(iter(self._recordings))]
            self._recordings[key] = tuple(recipes.selected(recipe))
        return self._recordings[key]

    def _read(self, path: Path) -> bytes:
        if path not in self._files:
            self._files[path] = read_bytes(path)
        return self._files[path]

    def _program(self, engine: Engine, wasm: bytes, limits: Limits) -> Program:
        key = wasm, limits
        if key not in self._programs:
            self._programs[key] = load(engine, wasm, limits)
        return self._programs[key]
