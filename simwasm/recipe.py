"""What a run is made of, as a person wrote it: the plugin's file, recordings, and options as on the command line.

It is read here, once, into the values that a session takes. A debugger's session file holds a recipe, so that what
was typed is written down and read again later. Rule: nothing here is read before it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from simwasm.abi.enums import LogLevel
from simwasm.abi.table import Abi, callbacks, host_functions
from simwasm.answers import Clusters, parse_answer
from simwasm.conversation import Conversation
from simwasm.errors import InputError
from simwasm.exchange import Exchange
from simwasm.host.fault_text import parse_fault
from simwasm.host.faults import Fault
from simwasm.host.profile import ENVOY, Profile
from simwasm.plugin import FailPolicy, Plugin, read_bytes
from simwasm.sources import Remap, remap
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.notes import Notes
from simwasm.wasm.rewrite import Limits

if TYPE_CHECKING:
    from simwasm.wasm.companions import Told
    from simwasm.wasm.module import Module

_PAGES_A_MIB = 16
_MODULE = b"\0asm"
MOST_WORKERS = 64
CAPABILITIES = frozenset(name for version in Abi for _, name in host_functions(version)) | frozenset(
    name for version in Abi for name in callbacks(version)
)
"""What a plugin can be restricted to."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A plugin, its traffic, and the options of plugin and host; the fields are named like the options."""

    plugin: str
    """The module, or a WasmPlugin in YAML that names it."""
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
    module: str = ""
    """The module, where a WasmPlugin names an image."""
    fault: tuple[str, ...] = ()
    buffer_limit: int | None = None
    concurrency: int = 1
    network: bool = False
    debug_file: str = ""
    """A file with the plugin's debug information, if it is in none of those that the plugin names itself."""
    source_map: tuple[str, ...] = ()
    """Folders of the build, and those that stand for them here."""


FAIL_POLICIES = {
    "closed": FailPolicy.FAIL_CLOSED,
    "open": FailPolicy.FAIL_OPEN,
    "reload": FailPolicy.FAIL_RELOAD,
    "open-at-once": FailPolicy.FAIL_OPEN_AT_ONCE,
}


def plugin(recipe: Recipe, read: Callable[[Path], bytes] = read_bytes) -> Plugin:
    """The plugin that a recipe describes; modules are read by that function."""
    path = Path(recipe.plugin)
    yaml = path.suffix in (".yaml", ".yml")
    found = _from_yaml(recipe, path, read) if yaml else _from_module(recipe, path, read)
    debug = debug_file(found.module, recipe.debug_file) if recipe.debug_file else None
    return replace(found, debug=debug, remaps=remaps(recipe.source_map))


def debug_file(module: Module, file: str) -> Told:
    """The debug information in a file that the user has named, which has to be this module's."""
    from simwasm.wasm.companions import told_by  # for those who have such a file

    found = told_by(module, read_bytes(file), file)
    if found.problem:
        raise InputError(f"--debug-file: {found.problem}")
    return found


def remaps(texts: Iterable[str]) -> tuple[Remap, ...]:
    """The folders that `--source-map` was said with."""
    return tuple(map(_remap, texts))


def _remap(text: str) -> Remap:
    try:
        return remap(text)
    except InputError as error:
        raise InputError(f"--source-map {text}: {error}") from None


def _from_module(recipe: Recipe, path: Path, read: Callable[[Path], bytes]) -> Plugin:
    """The plugin that a module is, with what the options say of it."""
    wasm = read(path)
    _in_their_order(recipe, wasm)
    return Plugin(
        name=recipe.name or default_name(path),
        wasm=wasm,
        config=text_or_file(recipe.config),
        vm_config=text_or_file(recipe.vm_config),
        root_id=recipe.root_id,
        vm_id=recipe.vm_id,
        fail_policy=_fail_policy(recipe.fail_policy),
        reload_after_ms=recipe.reload_after,
        env=dict(_pair(text, "--env") for text in recipe.env),
        allowed=frozenset(map(_capability, recipe.allow)),
        network=recipe.network,
        folder=path.parent,
    )


def _from_yaml(recipe: Recipe, path: Path, read: Callable[[Path], bytes]) -> Plugin:
    """The plugin that a WasmPlugin describes; options say otherwise where they are given."""
    from simwasm.config.wasm_plugin import read_wasm_plugins  # for those who have such a file

    found = [each for each in read_wasm_plugins(path) if recipe.name in ("", each.name)]
    if len(found) != 1:
        names = ", ".join(each.name for each in found or read_wasm_plugins(path))
        raise InputError(f"{path}: choose one of its WasmPlugins by --name, in the order they run: {names}")
    (which,) = found
    module = Path(recipe.module or which.module(path))
    plain = which.plugin(read(module))
    policy = _fail_policy(recipe.fail_policy)
    return replace(
        plain,
        config=text_or_file(recipe.config) or plain.config,
        vm_config=text_or_file(recipe.vm_config),
        root_id=recipe.root_id or plain.root_id,
        vm_id=recipe.vm_id,
        fail_policy=policy if policy is not FailPolicy.FAIL_CLOSED else plain.fail_policy,
        reload_after_ms=recipe.reload_after,
        env={**plain.env, **dict(_pair(text, "--env") for text in recipe.env)},
        allowed=frozenset(map(_capability, recipe.allow)),
        network=recipe.network or plain.network,
        folder=module.parent,
    )


def _fail_policy(name: str) -> FailPolicy:
    if name not in FAIL_POLICIES:
        raise InputError(f"--fail-policy: `{name}` is none; it can be {', '.join(FAIL_POLICIES)}")
    return FAIL_POLICIES[name]


def _capability(name: str) -> str:
    if name not in CAPABILITIES:
        near = get_close_matches(name, CAPABILITIES, 1)
        hint = f"; did you mean {near[0]}?" if near else " that the ABI has (`simwasm abi` lists them)"
        raise InputError(f"--allow: `{name}` is no function or callback{hint}")
    return name


def concurrency(recipe: Recipe) -> int:
    """How many workers the proxy has."""
    if not 1 <= recipe.concurrency <= MOST_WORKERS:
        raise InputError(f"--concurrency: {recipe.concurrency} is not a number from 1 to {MOST_WORKERS}")
    return recipe.concurrency


def _in_their_order(recipe: Recipe, wasm: bytes) -> None:
    """See that the plugin is not among the recordings, which are easily swapped."""
    if wasm.startswith(_MODULE):
        return
    for path in recipe.traffic:
        if _begins_like_a_module(path):
            raise InputError(
                f"{recipe.plugin} is no plugin, but {path} is one: did you swap plugin and traffic?"
            )


def _begins_like_a_module(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_MODULE)) == _MODULE
    except (OSError, ValueError):
        return False  # it is told what is wrong with it when it is read


def exchanges(recipe: Recipe, notes: Notes = Notes()) -> Iterator[Exchange]:  # noqa: B008  # it is frozen
    """The exchanges of all recordings, in their order; `notes` hears of entries that are left out."""
    for path in recipe.traffic:
        for exchange in read_traffic(path, notes):
            if isinstance(exchange, Conversation) is not recipe.network:
                raise InputError(_MISFITS[recipe.network].format(path=path))
            yield exchange


_MISFITS = {
    True: "{path}: has an HTTP exchange, and a plugin with --network stands in the way of TCP connections",
    False: "{path}: has a TCP connection, which an HTTP plugin never meets; add --network if it is for those",
}


def default_name(path: Path) -> str:
    """A name for a plugin: its file's, or its folder's where the file is called plugin.wasm."""
    stem = path.name.partition(".")[0]
    return path.resolve().parent.name if stem == "plugin" else stem


def text_or_file(text: str) -> bytes:
    """Text as it is, or the content of a file after `@`; `@-` is standard input."""
    if text == "@-":
        return sys.stdin.buffer.read()
    return read_bytes(text[1:]) if text.startswith("@") else text.encode("utf-8", "surrogateescape")


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InputError(f"{option}: `{text}` is not NAME=VALUE")
    return name, value


def profile(recipe: Recipe) -> Profile:
    """Envoy's rules, as loud and as random as the recipe says."""
    limit = ENVOY.buffer_limit if recipe.buffer_limit is None else recipe.buffer_limit
    if limit < 1:
        raise InputError(f"--buffer-limit: {limit} is not a positive number of bytes")
    return replace(ENVOY, log_level=LogLevel[recipe.log_level.upper()], seed=recipe.seed, buffer_limit=limit)


def faults(recipe: Recipe) -> tuple[Fault, ...]:
    """What is to go wrong."""
    return tuple(map(parse_fault, recipe.fault))


def clusters(recipe: Recipe) -> Clusters:
    """Who answers the plugin's callouts."""
    pairs = [_pair(text, "--callout") for text in recipe.callout]
    return Clusters({name: parse_answer(answer, f"--callout {name}") for name, answer in pairs})


def limits(recipe: Recipe) -> Limits:
    """How much a plugin may use."""
    for option, value in (("--memory", recipe.memory), ("--fuel", recipe.fuel)):
        if value is not None and value < 1:
            raise InputError(f"{option}: {value} is not a positive number")
    return Limits(pages=min(recipe.memory * _PAGES_A_MIB, 65536)) if recipe.memory else Limits()
