"""The plugins of a configuration: which file is one, which of its plugins run, and where their modules are.

What a user names as a plugin is told apart by what it is, not by how it is called: a module begins like one, a
configuration is text with a key in its first line, everything else is for whoever fetches modules. Rules: a
configuration is read once for as long as its file is the same; requests and TCP connections meet different plugins, so
those of one kind run, and the others are told.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from simwasm.errors import BadModule, ConfigError, InputError
from simwasm.plugin import bounded, read_bytes
from simwasm.traffic.opening import STDIN
from simwasm.wasm.reader import read_module

if TYPE_CHECKING:
    from simwasm.config.deployment import Deployed, Deployment

MODULE = b"\0asm"
_HEAD = 4096
_KEY = re.compile(r"""[{\[]|(["']?)[\w@][\w@./ -]*\1\s*:(\s|$)""")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How PowerShell's files begin."""
_KINDS = {True: "for TCP connections", False: "for HTTP"}


Read = Callable[[Path], bytes]


class Wasm(NamedTuple):
    """A module, and where files lie that tell of its source."""

    bytes: bytes
    folder: Path | None
    name: str = ""
    """A name for a plugin of whom nobody says another."""


class Chain(NamedTuple):
    """What of a configuration runs."""

    plugins: tuple[Deployed, ...]
    """In the order in which they run."""
    network: bool
    told: tuple[str, ...]
    """What whoever runs it should know: fields that are ignored, plugins that are left out."""


def begins_with(path: str) -> bytes:
    """The first bytes of a file; none of what is no file, or can be read only once."""
    try:
        if not os.path.isfile(path):
            return b""
        with open(path, "rb") as file:
            return file.read(_HEAD)
    except (OSError, ValueError):
        return b""  # it is told what is wrong with it when it is read


def _comes_once(path: str) -> bool:
    """Whether this is standard input or a pipe, such as a shell makes of `<(kubectl get wasmplugin -o yaml)`."""
    with suppress(OSError, ValueError):
        return path == STDIN or stat.S_ISFIFO(os.stat(path).st_mode)
    return False


@lru_cache(maxsize=4)
def _only_once(path: str) -> bytes:
    """What comes from there, which is read when it is asked for first."""
    return bounded(sys.stdin.buffer, "standard input") if path == STDIN else read_bytes(path)


def is_configuration(path: str) -> bool:
    """Whether what a user names as a plugin is YAML or JSON, by its content."""
    head = _only_once(path)[:_HEAD] if _comes_once(path) else begins_with(path)
    if head.startswith(MODULE) or (b"\0" in head and not head.startswith(_UTF_16)):
        return False
    if path.endswith((".yaml", ".yml")):
        return True
    encoding = "utf-16" if head.startswith(_UTF_16) else "utf-8-sig"
    lines = head.decode(encoding, "replace").splitlines()
    said = (line for line in lines if line.strip() and not line.startswith(("#", "---", "%")))
    return _KEY.match(next(said, "").lstrip(" -")) is not None


def deployment(path: str, listener: str) -> Deployment:
    """What a configuration deploys, read once for as long as the file is the same."""
    if _comes_once(path):
        return _deployment(path, listener, 0, 0, 0)
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be read: {why}") from None
    return _deployment(path, listener, found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=16)
def _deployment(path: str, listener: str, changed_ns: int, size: int, inode: int) -> Deployment:
    from simwasm.config.deployment import read_deployment  # for those who have such a file
    from simwasm.config.tree import text_of

    text = text_of(_only_once(path), path) if _comes_once(path) else None
    return read_deployment(path, text, listener=listener)


def chain(path: str, name: str, *, network: bool, listener: str) -> Chain:
    """The plugins of a configuration that run: of that name if there is one, and of one kind."""
    deployed = deployment(path, listener)
    named = tuple(each for each in deployed.plugins if name in ("", *called(each.name)))
    if not named:
        known = listed(deployed.plugins)
        raise InputError(f"{path}: has no plugin called {name} (--name); in the order they run: {known}")
    network = network or all(each.network for each in named)
    plugins = tuple(each for each in named if each.network is network)
    if not plugins:
        raise InputError(f"{path}: --network: {listed(named)}: for HTTP, not for TCP connections")
    others = tuple(each for each in named if each.network is not network)
    return Chain(plugins, network, (*deployed.told, *_left_out(others)))


def _left_out(others: tuple[Deployed, ...]) -> Iterator[str]:
    for each in others:
        remedy = "; --network runs it in place of those for HTTP" if each.network else ""
        yield f"{each.place}: {each.name} is {_KINDS[each.network]} and is left out{remedy}"


def called(name: str) -> tuple[str, ...]:
    """What a plugin of this name may be called: with or without the namespace."""
    short = name.partition(".")[2]
    return (name, short) if short else (name,)


def listed(deployed: Iterable[Deployed]) -> str:
    """The names of plugins, for a message."""
    return ", ".join(each.name for each in deployed)


def replaced(plugins: tuple[Deployed, ...], texts: Iterable[str]) -> dict[str, str]:
    """The modules to run in place of those that the configuration names, by the names of plugins."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, file = text.partition("=")
        whose = [each.name for each in plugins if equals and name in called(each.name)]
        if not whose and len(plugins) > 1:
            raise InputError(
                f"--module {text}: of which plugin? Write NAME={text}; there are {listed(plugins)}"
            )
        names = whose or [each.name for each in plugins]
        found |= dict.fromkeys(names, file if whose else text)
    return found


def file_of(deployed: Deployed, beside: Path) -> str:
    """The file here that a configuration in this folder names as a module; empty if it is elsewhere."""
    at = deployed.module
    if at.path:
        return str(beside / at.path)
    parts = urlsplit(at.url)
    return str(beside / unquote(parts.netloc + parts.path)) if parts.scheme == "file" else ""


def wasm_of(deployed: Deployed, beside: Path, read: Read, told: Callable[[str], None]) -> Wasm:
    """The module that a configuration in this folder names."""
    at = deployed.module
    place = at.place if at.place.line else deployed.place
    if at.inline:
        return Wasm(at.inline, beside)
    if at.path:
        path = beside / at.path
        if not path.is_file():
            raise ConfigError(
                f"{place}: {deployed.name}: {path} is not there; name the built file by --module FILE.wasm"
            )
        return Wasm(read(path), path.parent)
    from simwasm.modules.find import fetch

    try:
        found = fetch(at.url, sha256=at.sha256, pull=at.pull, beside=beside, told=told)
    except InputError as error:
        without = f". {deployed.without}" if deployed.without else ""
        raise ConfigError(f"{place}: {deployed.name}: {error}{without}") from None
    return Wasm(found.wasm, found.folder)


def check_module(wasm: bytes, deployed: Deployed) -> None:
    """See that this begins like a module: whoever has several plugins has to be told which has none."""
    if wasm.startswith(MODULE):
        return
    try:
        read_module(wasm)
    except BadModule as error:
        raise ConfigError(f"{deployed.module.place}: {deployed.name}: {error}") from None


def module(text: str, read: Read, told: Callable[[str], None]) -> Wasm:
    """A module as a user names it: a file that begins like one, or whatever holds one, or where to fetch it."""
    if _comes_once(text):
        return Wasm(_only_once(text), None, "plugin")
    head = begins_with(text)
    tagged = ":" in text and not os.path.exists(text)  # it is told what was meant
    if "://" in text or tagged or os.path.isdir(text) or (head and not head.startswith(MODULE)):
        from simwasm.modules.find import find

        found = find(text, told)
        return Wasm(found.wasm, found.folder, found.name)
    path = Path(text)
    return Wasm(read(path), path.parent, name_of(path))


def name_of(path: Path) -> str:
    """A name for a plugin: its file's, or its folder's where the file is called plugin.wasm."""
    stem = path.name.partition(".")[0]
    return path.resolve().parent.name if stem == "plugin" else stem
