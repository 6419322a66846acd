"""`simwasm inspect`: what is in a plugin, and whether this host has what it imports."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from enum import Enum
from functools import partial
from typing import Any

from simwasm.abi.table import Abi, host_functions, named
from simwasm.cli import output
from simwasm.cli.module import module
from simwasm.errors import InputError
from simwasm.plugin import read_bytes
from simwasm.sources import beside
from simwasm.trace.text import printable
from simwasm.wasm.debuginfo import DebugInfo
from simwasm.wasm.disasm import one_line
from simwasm.wasm.inspect import Inspection, inspect
from simwasm.wasm.module import FuncType, Import, Kind


def command(words: Namespace) -> int:
    """Print what is known of the file."""
    if words.functions < 0:
        raise InputError(f"--functions: {words.functions} is less than none")
    debug = (words.debug_file, read_bytes(words.debug_file)) if words.debug_file else None
    wasm = module(words)
    near = partial(beside, wasm.folder) if wasm.folder is not None else _nothing
    found = inspect(wasm.bytes, words.functions, near, debug)
    stream = output.stdout()
    if words.json:
        print(
            json.dumps(
                _plain(asdict(found)) | {"import_status": [_status(found, item) for item in found.imports]}
            )
        )
    else:
        print(printable("\n".join(_report(words.plugin, found))), file=stream)
    return 0


def _nothing(name: str) -> None:
    """What lies beside a module that comes from elsewhere."""


def _plain(value: Any) -> Any:
    """Dataclasses and enums as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return (
        value.name.lower() if isinstance(value, Kind) else value.value if isinstance(value, Enum) else value
    )


def _version(found: Inspection) -> Abi | None:
    return next((version for version in Abi if version.marker in found.abi_markers), None)


def _status(found: Inspection, item: Import) -> str:
    """How an import stands in the table of the ABI."""
    version = _version(found)
    if version is None:
        return "the plugin has no known ABI version"
    row = host_functions(version).get((item.module, item.name))
    if row is not None and item.type == row.type:
        return "ok"
    if row is not None:
        return f"WRONG TYPE: the host has {row.type}"
    if item.kind in (Kind.MEMORY, Kind.TABLE):
        return "ok"
    others = [other.value for row in named(item.name) for other in Abi if row.has(other)]
    return f"MISSING: only in ABI {', '.join(others)}" if others else "MISSING: no version of the ABI has it"


def _report(path: str, found: Inspection) -> Iterator[str]:
    version = _version(found)
    markers = ", ".join(map(one_line, found.abi_markers)) or "no proxy_abi_version_* export"
    yield f"{path}  {found.size:,} bytes"
    yield f"ABI         {version.value if version else 'unknown'} ({markers})"
    sdk = found.sdk
    yield f"SDK         {f'{sdk.name} ({sdk.certainty.value}: {sdk.because})' if sdk else 'not recognised'}"
    tools = ", ".join(one_line(f"{tool.name} {tool.version}".strip()) for tool in found.producers)
    yield f"built with  {tools or 'not recorded'}"
    yield f"debug info  {_debug(found.debug)}"
    if found.memory:
        where = (
            "imported"
            if found.memory.imported
            else f"exported as {', '.join(map(one_line, found.memory.exported)) or 'nothing'}"
        )
        yield f"memory      {found.memory.type.bounds} pages of 64 KiB, {where}"
    yield ""
    yield from _imports(found)
    yield from _table("exports", ((one_line(item.name), str(item.type)) for item in found.exports))
    yield from _table(
        "sections", ((one_line(item.name), f"{item.size:>9,} bytes") for item in found.sections)
    )
    yield from _table(
        f"biggest of {found.functions:,} functions",
        (
            (
                f"{item.size:>9,} bytes",
                f"{_count(item.instructions):>8} instructions  {one_line(item.name)} (func {item.index})",
            )
            for item in found.biggest
        ),
    )


def _debug(info: DebugInfo) -> str:
    """The health of the debug information, and what it rests on."""
    text = info.kind.value
    if info.sampled:
        text += f" ({info.score} %: {info.matching} of {info.sampled} functions begin where it says)"
    text += f", in {info.file}" if info.file else ""
    text += f", source map {info.source_map}" if info.source_map else ""
    return f"{text}: {info.problem}" if info.problem else text


def _imports(found: Inspection) -> Iterator[str]:
    rows, lacking = [], 0
    for item in found.imports:
        status = _status(found, item)
        lacking += status != "ok"
        kind = item.type if isinstance(item.type, FuncType) else f"{item.type}"
        rows.append(
            (
                f"{one_line(item.module)}.{one_line(item.name)}",
                f"{kind}   {'' if status == 'ok' else status}".rstrip(),
            )
        )
    has = f"the host lacks {lacking} of {len(rows)}" if lacking else "the host has them all"
    yield from _table(f"imports: {has}" if rows and _version(found) else "imports", rows)


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _table(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A title and two columns."""
    found = list(rows)
    width = max((len(left) for left, _ in found), default=0)
    yield title
    yield from (f"  {left:<{width}}  {right}" for left, right in found)
    yield ""
