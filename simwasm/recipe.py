"""What a run is made of, as a person wrote it: the plugin's file, recordings, and options as on the command line.

It is read here, once, into the values that a session takes. A debugger's session file holds a recipe, so that what
was typed is written down and read again later. Rule: nothing here is read before it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwasm.abi.enums import LogLevel
from simwasm.answers import UNANSWERED, Clusters, parse_answer
from simwasm.chain import (
    MODULE,
    Chain,
    Read,
    begins_with,
    chain,
    check_module,
    deployment,
    file_of,
    is_configuration,
    module,
    replaced,
    wasm_of,
)
from simwasm.conversation import Conversation
from simwasm.debug_options import debug_infos, remaps
from simwasm.errors import InputError
from simwasm.exchange import Exchange
from simwasm.host.fault_text import parse_fault
from simwasm.host.faults import Fault
from simwasm.host.profile import ENVOY, Profile
from simwasm.plugin import Plugin, read_bytes
from simwasm.plugin_options import OPTIONS, pair, with_options
from simwasm.trace.text import printable
from simwasm.traffic.importer import read_source
from simwasm.traffic.notes import Notes
from simwasm.traffic.opening import Source, sources
from simwasm.wasm.rewrite import Limits

if TYPE_CHECKING:
    from simwasm.config.deployment import Deployed

Told = Callable[[str], None]

_PAGES_A_MIB = 16
MOST_WORKERS = 64


@dataclass(frozen=True, slots=True)
class Recipe:
    """A plugin, its traffic, and the options of plugin and host; the fields are named like the options."""

    plugin: str
    """The module, an image or an address of one, or the configuration of one plugin or several."""
    traffic: tuple[str, ...] = ()
    config: str = ""
    vm_config: str = ""
    name: str = ""
    root_id: str = ""
    vm_id: str = ""
    env: tuple[str, ...] = ()
    fail_policy: str = "closed"
    reload_after: int = 1000
    allow: tuple[str, ...] = ()
    engine: str | None = None
    callout: tuple[str, ...] = ()
    log_level: str = "info"
    fuel: int | None = None
    memory: int | None = None
    seed: int = 0
    together: bool = False
    module: tuple[str, ...] = ()
    """Modules that run in place of those that a configuration names: FILE, or NAME=FILE where there are several."""
    fault: tuple[str, ...] = ()
    buffer_limit: int | None = None
    concurrency: int = 1
    network: bool = False
    debug_file: str = ""
    """A file with the plugin's debug information, if it is in none of those that the plugin names itself."""
    source_map: tuple[str, ...] = ()
    """Folders of the build, and those that stand for them here."""
    listener: str = ""
    """Which listener of an Envoy's configuration, where several have plugins."""
    filter: str = ""
    """Which exchanges are meant, in the filter language."""
    limit: int | None = None
    """How many of them, at most."""


def _nobody(text: str) -> None:
    """Hear nothing."""


def plugins(recipe: Recipe, read: Read = read_bytes, told: Told = _nobody) -> tuple[Plugin, ...]:
    """The plugins that a recipe describes, in the order in which they run.

    Files with modules are read by that function; `told` hears what of a configuration is ignored or left out.
    """
    _in_their_order(recipe)
    known = is_configuration(recipe.plugin)
    found = _deployed(recipe, read, told) if known else (_from_module(recipe, read, told),)
    debugs = debug_infos(found, recipe.debug_file)
    folders = remaps(recipe.source_map)
    return tuple(
        replace(each, debug=debug, remaps=folders) for each, debug in zip(found, debugs, strict=True)
    )


def files(recipe: Recipe) -> tuple[str, ...]:
    """The files here that the plugins are read from: the configuration and its modules."""
    if not is_configuration(recipe.plugin):
        return (recipe.plugin,) if "://" not in recipe.plugin else ()
    try:
        found = _chain(recipe).plugins
        instead = replaced(found, recipe.module)
    except InputError:
        return (recipe.plugin,)  # it is told what is wrong with it when it is read
    beside = Path(recipe.plugin).parent
    modules = (instead.get(each.name) or file_of(each, beside) for each in found)
    return (recipe.plugin, *(path for path in modules if path and "://" not in path))


def plugin(recipe: Recipe, read: Read = read_bytes) -> Plugin:
    """The plugin that a recipe describes, for what can be done with one only."""
    found = plugins(recipe, read)
    if len(found) != 1:
        raise InputError(
            f"{recipe.plugin}: has {len(found)} plugins, and this is for one: choose by --name: {_named(found)}"
        )
    return found[0]


def _named(found: Iterable[Plugin]) -> str:
    return ", ".join(each.name for each in found)


def _from_module(recipe: Recipe, read: Read, told: Told) -> Plugin:
    """The plugin that a module is, with what the options say of it."""
    found = module(recipe.plugin, read, told)
    plain = Plugin(recipe.name or found.name, found.bytes, network=recipe.network, folder=found.folder)
    return with_options(plain, _given(recipe))


def _given(recipe: Recipe) -> dict[str, Any]:
    """The options of one plugin that are said."""
    values = {name: getattr(recipe, name) for name in OPTIONS}
    return {name: value for name, value in values.items() if value != getattr(_DEFAULT, name)}


def _chain(recipe: Recipe) -> Chain:
    """The plugins of a configuration that run."""
    return chain(recipe.plugin, recipe.name, network=recipe.network, listener=recipe.listener)


def _deployed(recipe: Recipe, read: Read, told: Told) -> tuple[Plugin, ...]:
    """The plugins of a configuration; of one alone, options say otherwise where they are given."""
    found = _chain(recipe)
    for text in found.told:
        told(text)
    instead = replaced(found.plugins, recipe.module)
    beside = Path(recipe.plugin).parent
    made = []
    for each in found.plugins:
        file = instead.get(each.name)
        wasm = module(file, read, told) if file else wasm_of(each, beside, read, told)
        check_module(wasm.bytes, each)
        made.append(each.plugin(wasm.bytes, wasm.folder))
        _tell_unset(each, recipe.env, told)
    given = _given(recipe)
    if len(made) == 1:
        return (with_options(made[0], given),)
    for name in given:
        raise InputError(
            f"--{name.replace('_', '-')}: of which plugin? There are {_named(made)}: choose one by --name, or "
            f"write it into {recipe.plugin}"
        )
    return tuple(made)


def _tell_unset(deployed: Deployed, said: Iterable[str], told: Told) -> None:
    """Tell which variables a proxy would have, and nobody has here."""
    given = {text.partition("=")[0] for text in said}
    unset = [name for name in deployed.host_env if name not in os.environ and name not in given]
    if unset:
        names = ", ".join(printable(name[:_LONGEST_NAME]) for name in unset)
        told(
            f"{deployed.place}: {deployed.name}: not set here, and the plugin has it from the proxy's environment: "
            f"{names} (export it, or --env NAME=VALUE)"
        )


_DEFAULT = Recipe("")
_LONGEST_NAME = 60


def concurrency(recipe: Recipe) -> int:
    """How many workers the proxy has."""
    if not 1 <= recipe.concurrency <= MOST_WORKERS:
        raise InputError(f"--concurrency: {recipe.concurrency} is not a number from 1 to {MOST_WORKERS}")
    return recipe.concurrency


def _in_their_order(recipe: Recipe) -> None:
    """See that the plugin is not among the recordings, which are easily swapped."""
    if not os.path.isfile(recipe.plugin) or begins_with(recipe.plugin).startswith(MODULE):
        return
    for path in recipe.traffic:
        if begins_with(path).startswith(MODULE):
            raise InputError(
                f"{recipe.plugin} is no plugin, but {path} is one: did you swap plugin and traffic?"
            )


def is_network(recipe: Recipe) -> bool:
    """Whether the plugins stand in the way of TCP connections, not of HTTP."""
    if recipe.network or not is_configuration(recipe.plugin):
        return recipe.network
    return _chain(recipe).network


def _ignored(source: Source) -> None:
    """Nobody wants to know."""


def exchanges(
    recipe: Recipe,
    notes: Notes = Notes(),  # noqa: B008  # it is frozen
    opened: Callable[[Source], None] = _ignored,
) -> Iterator[Exchange]:
    """The exchanges of all recordings, in their order.

    `notes` hears of entries that are left out, `opened` of every file that is begun.
    """
    network = is_network(recipe)
    for source in sources(recipe.traffic, notes):
        opened(source)
        fits = misfits = 0
        for exchange in read_source(source, notes):
            if isinstance(exchange, Conversation) is network:
                fits += 1
                yield exchange
            else:
                misfits += 1
        if misfits and not fits and not source.found:
            raise InputError(_MISFITS[network].format(path=source.name))
        if misfits:
            notes.left_out(f"{_MISFITS[network].format(path=source.name)}; left out ({misfits})")


def selected(recipe: Recipe, notes: Notes = Notes()) -> Iterator[Exchange]:  # noqa: B008  # it is frozen
    """Those of the exchanges that the recipe's filter means, up to its limit."""
    found = exchanges(recipe, notes)
    if not recipe.filter and recipe.limit is None:
        return found
    from simwasm.traffic.selection import selection  # few choose

    return selection(recipe.filter, recipe.limit).of(found)


_MISFITS = {
    True: "{path}: has an HTTP exchange, and the plugin is for TCP connections (by --network, or its configuration)",
    False: "{path}: has a TCP connection, which an HTTP plugin never meets; add --network if it is for those",
}


def profile(recipe: Recipe) -> Profile:
    """Envoy's rules, as loud and as random as the recipe says."""
    limit = ENVOY.buffer_limit if recipe.buffer_limit is None else recipe.buffer_limit
    if limit < 1:
        raise InputError(f"--buffer-limit: {limit} is not a positive number of bytes")
    return replace(ENVOY, log_level=LogLevel[recipe.log_level.upper()], seed=recipe.seed, buffer_limit=limit)


def faults(recipe: Recipe) -> tuple[Fault, ...]:
    """What is to go wrong."""
    return tuple(map(parse_fault, recipe.fault))


def clusters(recipe: Recipe, in_vain: Told = _nobody) -> Clusters:
    """Who answers the plugins' callouts; clusters of a configuration are there, with or without an answer."""
    pairs = [pair(text, "--callout") for text in recipe.callout]
    said = {name: parse_answer(answer, f"--callout {name}") for name, answer in pairs}
    known = deployment(recipe.plugin, recipe.listener).clusters if is_configuration(recipe.plugin) else ()
    return Clusters(dict.fromkeys((each.name for each in known), UNANSWERED) | said, in_vain)


def limits(recipe: Recipe) -> Limits:
    """How much a plugin may use."""
    for option, value in (("--memory", recipe.memory), ("--fuel", recipe.fuel)):
        if value is not None and value < 1:
            raise InputError(f"{option}: {value} is not a positive number")
    return Limits(pages=min(recipe.memory * _PAGES_A_MIB, 65536)) if recipe.memory else Limits()
