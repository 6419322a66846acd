"""From words to a session: the words become a recipe, and a recipe is read and run."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from simwasm import recipe as recipes
from simwasm.cli import output
from simwasm.engines.find import engine as find_engine
from simwasm.host.outcome import LogLine
from simwasm.host.ports import AskUpstream
from simwasm.host.profile import Profile
from simwasm.plugin import Plugin
from simwasm.recipe import Recipe
from simwasm.session import DEFAULT_FUEL, Session, recorded
from simwasm.trace.event import Observer

if TYPE_CHECKING:
    from simwasm.coverage.collector import Collector


def recipe(words: Namespace) -> Recipe:
    """What the words say of plugin, traffic and host; what a command has no option for is as by default."""
    known: dict[str, Any] = {}
    for field in fields(Recipe):
        value = getattr(words, field.name, None)
        if value is not None:
            known[field.name] = tuple(value) if isinstance(value, list) else value
    return Recipe(**known)


def plugins(words: Namespace) -> tuple[Plugin, ...]:
    """The plugins that the words describe, in their order; what is ignored or left out is told."""
    return recipes.plugins(recipe(words), told=output.tell)


def profile(words: Namespace) -> Profile:
    """Envoy's rules, as loud and as random as the words say."""
    return recipes.profile(recipe(words))


def session(
    words: Namespace,
    plugins: Sequence[Plugin],
    *,
    observers: Sequence[Observer],
    now_ns: int,
    on_log: Callable[[LogLine], None] | None = None,
    ask_upstream: AskUpstream = recorded,
    collector: Collector | None = None,
) -> Session:
    """A session for a chain of plugins, not started yet."""
    engine = find_engine(words.engine)
    wanted = recipe(words)
    answering = recipes.clusters(wanted, output.in_vain)
    return Session(
        plugins,
        engine=engine if collector is None else collector.covering(engine),
        workers=recipes.concurrency(wanted),
        observers=observers,
        clusters=answering.names,
        ask_upstream=ask_upstream,
        ask_cluster=answering.ask,
        profile=recipes.profile(wanted),
        now_ns=now_ns,
        on_log=on_log,
        limits=recipes.limits(wanted),
        fuel=words.fuel or DEFAULT_FUEL,
        faults=recipes.faults(wanted),
    )
