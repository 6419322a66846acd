"""Files beside a plugin's that tell of its source: debug information of its own file, and a source map.

A linker can put debug information into another file (`external_debug_info` names it), and AssemblyScript writes a map
(`sourceMappingURL` names it). Rules that live here: a name is that of a file in the plugin's own folder, whatever else
it says, and nothing is ever fetched; who can read files hands over how (`Beside`), and is asked only when somebody
looks; debug information of another build is refused with the reason.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from simwasm.errors import BadModule
from simwasm.wasm.cursor import Cursor
from simwasm.wasm.dwarf.sections import has_dwarf
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module

Beside = Callable[[str], "bytes | None"]
"""The contents of a file in the plugin's folder, by its name; None if there is none."""

_EXTERNAL, _SOURCE_MAP = "external_debug_info", "sourceMappingURL"
_CODE = 10


def nothing(name: str) -> bytes | None:
    """There are no files beside."""
    return None


class Told(NamedTuple):
    """The module that has the debug information, if it is another one, and what is wrong with that."""

    module: Module | None = None
    name: str = ""
    """Its file."""
    problem: str = ""


def told(module: Module, beside: Beside = nothing) -> Told:
    """The file that a plugin's debug information is in; nothing if it has its own, or names none."""
    name = "" if has_dwarf(module) else _file(_url(module, _EXTERNAL))
    if not name:
        return Told()
    data = beside(name)
    if data is None:
        return Told(name=name, problem=f"its debug information is in {name}, which is not beside it")
    return told_by(module, data, name)


def told_by(module: Module, data: bytes, name: str) -> Told:
    """The debug information that a file has for a plugin."""
    try:
        other = read_module(data)
    except BadModule as error:
        return Told(name=name, problem=f"{name} is no module with debug information: {error}")
    if not has_dwarf(other):
        return Told(name=name, problem=f"{name} has no debug information either")
    theirs = _code(other)
    if theirs and theirs != _code(module):
        return Told(name=name, problem=f"{name} belongs to another build: its code is not this plugin's")
    return Told(other, name)


def _code(module: Module) -> bytes:
    """The code, byte by byte; nothing if it was left out, as linkers may in a file for debuggers."""
    if not any(body.end > body.start for body in module.bodies):
        return b""
    return next((module.data[each.start : each.end] for each in module.sections if each.id == _CODE), b"")


def source_map_url(module: Module) -> str:
    """What a plugin says of where its source map is; nothing if it has none."""
    return _url(module, _SOURCE_MAP)


def source_map(module: Module, beside: Beside = nothing) -> bytes | None:
    """The source map of a plugin: within its URL, or beside it."""
    url = source_map_url(module)
    if url.startswith("data:"):
        return _inline(url)
    name = _file(url)
    return beside(name) if name else None


def _url(module: Module, section: str) -> str:
    for span in module.customs(section)[:1]:
        try:
            return Cursor(module.data, span.start, span.end, section).name()
        except BadModule:
            return ""
    return ""


def _file(url: str) -> str:
    """The name of the file at the end of a URL or a path."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = url
    name = posixpath.basename(unquote(path).replace("\\", "/"))
    return "" if name in (".", "..") or "\0" in name else name


def _inline(url: str) -> bytes | None:
    head, _, content = url.partition(",")
    try:
        return base64.b64decode(unquote(content)) if head.endswith(";base64") else unquote_to_bytes(content)
    except (binascii.Error, ValueError):
        return None
