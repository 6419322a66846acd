"""Which compiler and which SDK made a plugin, judged by what is left of them in the binary.

Rules that live here: a guess says how sure it is and by what; the surest sign wins; nothing depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from simwasm.errors import BadModule
from simwasm.wasm.cursor import Cursor
from simwasm.wasm.module import Kind, Module
from simwasm.wasm.names import read_names


class Language(Enum):
    """What a plugin was written in."""

    RUST = "Rust"
    C = "C or C++"
    TINYGO = "TinyGo"
    GO = "Go"
    ASSEMBLYSCRIPT = "AssemblyScript"


ADVICE = {
    Language.RUST: "[profile.release] debug = true in Cargo.toml, and no wasm-opt or wasm-strip behind it",
    Language.C: "-g when compiling and linking (emscripten: -g as well, or the last step removes it)",
    Language.TINYGO: "it is there unless -no-debug is given",
    Language.GO: "the compiler writes none for Wasm: there are only the names of functions",
    Language.ASSEMBLYSCRIPT: "asc --debug --sourceMap: names of functions and lines of source, but no variables",
}
"""How each language is built with debug information."""


class Certainty(Enum):
    """How sure a guess is."""

    CERTAIN = "certain"
    LIKELY = "likely"
    GUESS = "a guess"


@dataclass(frozen=True, slots=True)
class Sdk:
    """The SDK a plugin was written with, as far as can be told."""

    name: str
    certainty: Certainty
    because: str


@dataclass(frozen=True, slots=True)
class Producer:
    """An entry of the `producers` section: a language, a tool or an SDK."""

    field: str
    name: str
    version: str


def producers(module: Module) -> tuple[Producer, ...]:
    """What the `producers` section says; of a broken one, what could be read."""
    found: list[Producer] = []
    for span in module.customs("producers")[:1]:
        cursor = Cursor(module.data, span.start, span.end, "producers")
        try:
            for _ in range(cursor.count("fields")):
                field = cursor.name()
                for _ in range(cursor.count("values")):
                    found.append(Producer(field, cursor.name(), cursor.name()))
        except BadModule:
            continue
    return tuple(found)


def guess_sdk(module: Module) -> Sdk | None:
    """The SDK, or None where nothing points to one."""
    return next(_signs(module), None)


_RUST_CRATE = re.compile(
    rb"proxy-wasm(?:-([0-9]+\.[0-9]+\.[0-9]+[-.0-9a-z]*))?/src/(?:dispatcher|hostcalls)\.rs"
)
_GO_MODULE = re.compile(rb"(github\.com/[-.0-9A-Za-z]+/proxy-wasm-go-sdk)\t(v[0-9][-+.0-9A-Za-z]*)")
_DATA = 11
_CPP_NAMES = ("RootContext", "ContextBase", "proxy_wasm_api")
_AS_NAMES = ("~lib/", "assembly/", "node_modules/@")


def _signs(module: Module) -> Iterator[Sdk]:
    """Every sign of an SDK, the surest first."""
    names = read_names(module).functions.values()
    made_by = {producer.name: producer.version for producer in producers(module)}
    exports = {export.name for export in module.exports}
    go = "TinyGo SDK" if "TinyGo" in made_by or "asyncify_get_state" in exports else "Go SDK"
    yield from _signs_in_data(module, go)
    if any("_ZN10proxy_wasm" in name or "proxy_wasm[" in name for name in names):
        yield Sdk("Rust SDK", Certainty.CERTAIN, "functions of the crate proxy_wasm")
    if any("proxy-wasm-go-sdk" in name for name in names):
        yield Sdk(go, Certainty.CERTAIN, "functions of the package proxy-wasm-go-sdk")
    if any("proxy-runtime" in name for name in names):
        yield Sdk("AssemblyScript SDK", Certainty.CERTAIN, "functions of the package proxy-runtime")
    if any(word in name for name in names for word in _CPP_NAMES):
        yield Sdk("C++ SDK", Certainty.CERTAIN, "functions of the class RootContext")
    if {"__new", "__pin"} <= exports or any(name.startswith(_AS_NAMES) for name in names):
        yield Sdk("AssemblyScript SDK", Certainty.LIKELY, "it was compiled from AssemblyScript")
    if "emscripten_notify_memory_growth" in exports or "__errno_location" in exports:
        yield Sdk("C++ SDK", Certainty.LIKELY, "it was linked by Emscripten")
    yield from _signs_of_compilers(module, made_by)


def _signs_in_data(module: Module, go: str) -> Iterator[Sdk]:
    """Source paths that Rust's panics carry, and the build information in every Go program."""
    for section in module.sections:
        if section.id != _DATA:
            continue
        crate = _RUST_CRATE.search(module.data, section.start, section.end)
        if crate:
            version = f" {crate[1].decode()}" if crate[1] else ""
            yield Sdk(f"Rust SDK{version}", Certainty.CERTAIN, "source paths of the crate proxy-wasm")
        package = _GO_MODULE.search(module.data, section.start, section.end)
        if package:
            yield Sdk(f"{go} {package[2].decode()}", Certainty.CERTAIN, f"the package {package[1].decode()}")


def _signs_of_compilers(module: Module, made_by: dict[str, str]) -> Iterator[Sdk]:
    if "TinyGo" in made_by:
        yield Sdk("TinyGo SDK", Certainty.LIKELY, "it was compiled by TinyGo")
    if "Go" in made_by or module.customs("go:buildid"):
        yield Sdk("Go SDK", Certainty.LIKELY, "it was compiled by Go")
    if "Rust" in made_by or "rustc" in made_by:
        yield Sdk("Rust SDK", Certainty.LIKELY, "it was compiled by Rust")
    if any(name.startswith("C_plus_plus") for name in made_by):
        yield Sdk("C++ SDK", Certainty.LIKELY, "it was compiled from C++")
    if "clang" in " ".join(made_by) or "C99" in made_by or "C11" in made_by:
        yield Sdk("C or C++ without an SDK", Certainty.GUESS, "it was compiled by Clang")
    if any(item.kind is Kind.FUNCTION and item.name == "abort" for item in module.imports):
        yield Sdk("AssemblyScript SDK", Certainty.GUESS, "it imports env.abort")


_LANGUAGES = (
    ("Rust", Language.RUST),
    ("TinyGo", Language.TINYGO),
    ("Go", Language.GO),
    ("AssemblyScript", Language.ASSEMBLYSCRIPT),
    ("C", Language.C),
)


def language(module: Module) -> Language | None:
    """What a plugin was written in, as its SDK tells."""
    sdk = guess_sdk(module)
    return None if sdk is None else next((it for start, it in _LANGUAGES if sdk.name.startswith(start)), None)


def how_to_debug(module: Module) -> str:
    """Why nothing is known of a plugin's source, and how to build it so that it is."""
    known = language(module)
    if known is None:
        return "no debug information: build the plugin with it (Rust: debug = true; C: -g)"
    if known is Language.GO:
        return f"no debug information: of Go, {ADVICE[known]}"
    return f"no debug information ({known.value}: {ADVICE[known]})"
