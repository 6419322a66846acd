"""`simwasm abi`: the reference of the ABI, printed from its table."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from enum import IntEnum

from simwasm.abi.table import CALLBACKS, ENUMS, HOST_FUNCTIONS, VERSIONS, WASI_FUNCTIONS, Abi, Function, Side
from simwasm.errors import InputError

_GROUPS = (
    ("Callbacks: the plugin exports, the host calls", CALLBACKS),
    ("Host functions: the plugin imports", HOST_FUNCTIONS),
    ("WASI, as wasi_snapshot_preview1 and wasi_unstable", WASI_FUNCTIONS),
)


def command(words: Namespace) -> int:
    """Print the rows of a version, or what is known of a name."""
    version = Abi(words.abi) if words.abi else None
    if words.name:
        lines = list(_about(words.name, version))
        if not lines:
            raise InputError(f"abi: nothing is called `{words.name}`; `simwasm abi` lists everything")
    else:
        lines = list(_all(version))
    print("\n".join(lines))
    return 0


def _all(version: Abi | None) -> Iterator[str]:
    for title, rows in _GROUPS:
        yield title
        yield ""
        yield from (f"  {_signature(row)}" for row in _of(rows, version))
        yield ""
    yield "Enums"
    yield ""
    for kind in ENUMS:
        yield f"  {kind.__name__}: {_members(kind)}"


def _about(name: str, version: Abi | None) -> Iterator[str]:
    rows = [row for _, group in _GROUPS for row in _of(group, version)]
    exact = [row for row in rows if row.name == name]
    for row in exact or [row for row in rows if name.lower() in row.name.lower()]:
        yield from _details(row)
    for kind in ENUMS:
        if name.lower() in kind.__name__.lower():
            yield f"{kind.__name__}: {(kind.__doc__ or '').strip()}"
            yield from (f"  {int(member):>3}  {member.name}" for member in kind)


def _details(row: Function) -> Iterator[str]:
    yield _signature(row)
    yield f"  {row.doc}"
    where = (
        "exported by the plugin" if row.side is Side.PLUGIN else f"imported from {' or '.join(row.modules)}"
    )
    yield f"  {where}; Wasm type {row.type}; ABI {_versions(row)}"
    if row.side is Side.HOST:
        when = ["while the module starts"] * row.early + ["inside its allocator"] * row.in_allocator
        yield (
            f"  may also be called {' and '.join(when)}"
            if when
            else "  may not be called while the module starts"
        )
    if not row.written:
        yield "  not in the published specification; Envoy has it"
    for kind in dict.fromkeys(
        param.enum for param in (*row.params, row.result) if param is not None and param.enum
    ):
        yield f"  {kind.__name__}: {_members(kind)}"
    yield ""


def _of(rows: tuple[Function, ...], version: Abi | None) -> Iterator[Function]:
    return (row for row in rows if version is None or row.has(version))


def _signature(row: Function) -> str:
    result = (
        row.result.enum.__name__
        if row.result and row.result.enum
        else row.result.form.value
        if row.result
        else ""
    )
    answers = row.errors.__name__ if row.errors else result
    since = "" if row.has(VERSIONS[0]) and row.has(VERSIONS[-1]) else f"   [{_versions(row)}]"
    return f"{row.name}({', '.join(map(str, row.params))}){f' -> {answers}' if answers else ''}{since}"


def _versions(row: Function) -> str:
    return ", ".join(version.value for version in VERSIONS if row.has(version))


def _members(kind: type[IntEnum]) -> str:
    return ", ".join(f"{int(member)} {member.name}" for member in kind)
