"""How a plugin gets into a test: from a module or a configuration, with the options that `simwasm run` has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from simwasm import recipe as recipes
from simwasm.abi.enums import LogLevel
from simwasm.engines.engine import Engine
from simwasm.errors import BadModule, InputError
from simwasm.host.profile import Profile
from simwasm.keeping import keeper
from simwasm.plugin import Plugin
from simwasm.recipe import Recipe
from simwasm.session import DEFAULT_FUEL
from simwasm.testing import shared
from simwasm.testing.given import as_json
from simwasm.testing.life import Setup
from simwasm.testing.plugin_under_test import PluginUnderTest

Config = str | bytes | Mapping[str, Any] | Sequence[Any]
"""A text, `@` and the name of a file, bytes, or a value that is written as JSON."""
Texts = str | Sequence[str]
_OF_TRAFFIC = ("plugin", "traffic", "together", "filter", "limit")
_OPTIONS = tuple(each.name for each in fields(Recipe) if each.name not in _OF_TRAFFIC)


def load_plugin(
    path: str | Path,
    *,
    config: Config = "",
    vm_config: Config = "",
    engine: str | None = None,
    name: str = "",
    root_id: str = "",
    vm_id: str = "",
    env: Mapping[str, str] | Texts = (),
    fail_policy: str = "closed",
    reload_after: int = 1000,
    allow: Texts = (),
    callout: Mapping[str, str | int] | Texts = (),
    log_level: str = "info",
    fuel: int | None = None,
    memory: int | None = None,
    buffer_limit: int | None = None,
    seed: int = 0,
    concurrency: int = 1,
    network: bool = False,
    fault: Texts = (),
    module: Mapping[str, str] | Texts = (),
    debug_file: str = "",
    source_map: Texts = (),
    listener: str = "",
    **unknown: NoReturn,
) -> PluginUnderTest:
    """Load a plugin, a module or a configuration with its chain; the keywords are the options of `simwasm run`.

    A configuration is a text, `@` and a file, or a value that is written as JSON. Nothing runs before the plugin is
    used for the first time.

    Example:
        >>> plugin = load_plugin("samples/config_loading/plugin.wasm", config={"header": "x-by", "value": "me"})
        >>> plugin.send("GET", "/").response.headers["x-by"]
        'me'
    """
    for slip in unknown:
        raise InputError(f"load_plugin: there is no option `{slip}`; {_near(slip)}")
    made = Recipe(
        plugin=str(path), config=_text(config), vm_config=_text(vm_config), engine=engine, name=name,
        root_id=root_id, vm_id=vm_id, env=_pairs(env), fail_policy=fail_policy, reload_after=reload_after,
        allow=_texts(allow), callout=_pairs(callout), log_level=log_level, fuel=fuel, memory=memory,
        buffer_limit=buffer_limit, seed=seed, concurrency=concurrency, network=network, fault=_texts(fault),
        module=_pairs(module), debug_file=debug_file, source_map=_texts(source_map), listener=listener,
    )  # fmt: skip
    _check(made)
    return PluginUnderTest(_setup(made, _bytes(config), _bytes(vm_config)))


def _setup(made: Recipe, config: bytes | None, vm_config: bytes | None) -> Setup:
    """What a recipe means, with configurations that are bytes."""
    plugins = recipes.plugins(made, shared.read)
    if config is not None or vm_config is not None:
        plugins = (_configured(plugins, made.plugin, config, vm_config),)
    plugins = tuple(_parsed(plugin, made.plugin) for plugin in plugins)
    return Setup(
        plugins,
        _engine(plugins, made.engine),
        _profile(made),
        recipes.limits(made),
        made.fuel if made.fuel is not None else DEFAULT_FUEL,
        recipes.concurrency(made),
        recipes.faults(made),
        recipes.clusters(made),
        recipe=made,
    )


def _configured(
    plugins: tuple[Plugin, ...], path: str, config: bytes | None, vm_config: bytes | None
) -> Plugin:
    """The one plugin, with configurations that are bytes."""
    plugin, *others = plugins
    if others:
        raise InputError(
            f"{path}: load_plugin: config: of which plugin? There are several: choose one by name=…"
        )
    return replace(plugin, config=config or plugin.config, vm_config=vm_config or plugin.vm_config)


def _check(made: Recipe) -> None:
    """Refuse an option of another type than it has on the command line."""
    for each in fields(Recipe):
        value, default = getattr(made, each.name), each.default
        if value is None and default is None:
            continue
        wanted = int if default is None and each.name != "engine" else type(default)
        if wanted in _WORDS and type(value) is not wanted:
            raise InputError(f"load_plugin: {each.name}={value!r} is no {_WORDS[wanted]}")


_WORDS: dict[type, str] = {int: "number", str: "text", bool: "True or False"}


def _near(slip: str) -> str:
    near = get_close_matches(slip, _OPTIONS, 1)
    return f"did you mean `{near[0]}`?" if near else f"known are {', '.join(_OPTIONS)}"


def _engine(plugins: tuple[Plugin, ...], name: str | None) -> Engine:
    """The engine of that name, or what whoever runs the test has in its place."""
    plain, kept = shared.engine(name), keeper.get()
    if kept is None:
        return plain
    return [kept.engine(plugin, plain) for plugin in plugins][-1]  # it is one engine, which is told of each


def _parsed(plugin: Plugin, path: str) -> Plugin:
    """The plugin with its module read; what is wrong with that is said of its file."""
    try:
        found = shared.known(plugin)
        found.abi  # noqa: B018  # a module that has none is no plugin
    except BadModule as error:
        raise BadModule(f"{path}: {error}") from None
    return found


def _texts(given: Texts) -> tuple[str, ...]:
    """What may be said several times; a text alone is one of one."""
    return (given,) if isinstance(given, str) else tuple(given)


def _pairs(given: Mapping[str, str | int] | Mapping[str, str] | Texts) -> tuple[str, ...]:
    """Names with values, as the command line has them."""
    if isinstance(given, Mapping):
        return tuple(f"{name}={value}" for name, value in given.items())
    return _texts(given)


def _text(config: Config) -> str:
    """A configuration as the command line has it; nothing for one that is bytes."""
    if isinstance(config, bytes):
        return ""
    return config if isinstance(config, str) else as_json(config).decode("utf-8", "surrogateescape")


def _bytes(config: Config) -> bytes | None:
    return config if isinstance(config, bytes) else None


def _profile(made: Recipe) -> Profile:
    if made.log_level.upper() not in LogLevel.__members__:
        known = ", ".join(level.name.lower() for level in LogLevel)
        raise InputError(f"log_level: `{made.log_level}` is none of {known}")
    return recipes.profile(made)
