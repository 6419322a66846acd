"""How a plugin gets into a test: from a module or a WasmPlugin, with the options that `simwasm run` has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from simwasm import recipe as recipes
from simwasm.abi.enums import LogLevel
from simwasm.engines.engine import Engine
from simwasm.errors import BadModule, InputError
from simwasm.keeping import keeper
from simwasm.plugin import Plugin
from simwasm.recipe import Recipe
from simwasm.session import DEFAULT_FUEL
from simwasm.testing import given, shared
from simwasm.testing.life import Setup
from simwasm.testing.plugin_under_test import PluginUnderTest

_SEVERAL = frozenset(each.name for each in fields(Recipe) if each.default == ())
_FIELDS = tuple(each.name for each in fields(Recipe) if each.name not in ("plugin", "traffic", "together"))


def load_plugin(
    path: str | Path,
    *,
    config: str | bytes | Mapping[str, Any] | list[Any] = "",
    vm_config: str | bytes | Mapping[str, Any] | list[Any] = "",
    engine: str | None = None,
    env: Mapping[str, str] | tuple[str, ...] = (),
    **options: Any,
) -> PluginUnderTest:
    """Load a plugin, a module or a WasmPlugin in YAML; the other keywords are those of `simwasm run`.

    A configuration is a text, `@` and a file, or a value that is written as JSON. Nothing runs before the plugin is
    used for the first time.

    Example:
        >>> plugin = load_plugin("samples/config_loading/plugin.wasm", config={"header": "x-by", "value": "me"})
        >>> plugin.send("GET", "/").response.headers["x-by"]
        'me'
    """
    unknown = next((name for name in options if name not in _FIELDS), None)
    if unknown is not None:
        near = get_close_matches(unknown, _FIELDS, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(_FIELDS)}"
        raise InputError(f"load_plugin: there is no option `{unknown}`; {hint}")
    said = {name: _option(name, each) for name, each in options.items()}
    made = Recipe(str(path), env=_env(env), engine=engine, **said)
    made = replace(made, config=_text(config), vm_config=_text(vm_config))
    plugin = recipes.plugin(made, shared.read)
    if isinstance(config, bytes):
        plugin = replace(plugin, config=config)
    plugin = _parsed(plugin, made.plugin)
    setup = Setup(
        plugin,
        _engine(plugin, engine),
        _profile(made),
        recipes.limits(made),
        made.fuel if made.fuel is not None else DEFAULT_FUEL,
        recipes.workers(made),
        recipes.faults(made),
        recipes.clusters(made),
    )
    return PluginUnderTest(setup)


def _engine(plugin: Plugin, name: str | None) -> Engine:
    """The engine of that name, or what whoever runs the test has in its place."""
    found, kept = shared.engine(name), keeper.get()
    return found if kept is None else kept.engine(plugin, found)


def _parsed(plugin: Plugin, path: str) -> Plugin:
    """The plugin with its module read; what is wrong with that is said of its file."""
    try:
        return shared.known(plugin)
    except BadModule as error:
        raise BadModule(f"{path}: {error}") from None


def _option(name: str, value: Any) -> Any:
    """Options that may be said several times are tuples; a text alone is one of one."""
    if name not in _SEVERAL:
        return value
    return (value,) if isinstance(value, str) else tuple(value)


def _text(config: str | bytes | Mapping[str, Any] | list[Any]) -> str:
    if isinstance(config, str):
        return config
    if isinstance(config, bytes):
        return config.decode("utf-8", "surrogateescape")
    return given.as_json(config).decode("utf-8", "surrogateescape")


def _env(env: Mapping[str, str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in env.items()) if isinstance(env, Mapping) else tuple(env)


def _profile(made: Recipe) -> Any:
    if made.log_level.upper() not in LogLevel.__members__:
        known = ", ".join(level.name.lower() for level in LogLevel)
        raise InputError(f"log_level: `{made.log_level}` is none of {known}")
    return recipes.profile(made)
