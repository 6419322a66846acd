"""`simwasm disasm --native`: machine code beside the instructions that the engine made it of."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from simwasm.cli import output
from simwasm.cli.disasm import functions, heading, source_lines, title
from simwasm.cli.module import module as named
from simwasm.cli.source_lines import SourceLines
from simwasm.engines.native import NativeCode, NativeLine, native
from simwasm.trace.text import printable
from simwasm.wasm.disasm import Line, Listing
from simwasm.wasm.reader import read_module

_FUEL = "counting instructions"
_FRAME = "of no instruction: the function's frame, moves, traps"


def command(words: Namespace) -> int:
    """Print the machine code of one function, or of all."""
    data = named(words).bytes
    module = read_module(data)
    listing = Listing(module)
    wanted = functions(listing, words.function)
    code = native(words.engine, data)
    source = source_lines(module, words) if words.source else None
    stream = output.stdout()
    ink = output.ink(words, stream)
    for number, function in enumerate(wanted):
        if words.json:
            print(json.dumps(_json(listing, code, function)), file=stream)
        else:
            between = "\n" if number else ""
            print(between + "\n".join(_text(listing, code, function, source, ink)), file=stream)
    return 0


def _text(
    listing: Listing, code: NativeCode, function: int, source: SourceLines | None, ink: output.Ink
) -> Iterator[str]:
    yield f"{ink('callback', heading(listing, function))}{ink('ok', '  ;; ' + title(listing, function))}"
    machine = code.machine.removeprefix("EM_").lower().replace("x86_64", "x86-64")
    yield ink("ok", f"  ;; {code.size(function):,} bytes of {machine} made by {code.engine}")
    if code.unmapped:
        yield ink("reason", f"  ;; {code.unmapped}")
    instructions = {line.offset: line for line in listing.lines(function)}
    if source is not None:
        source.forget()
    last: tuple[int | None, bool] | None = None
    for line in code.lines(function):
        if (line.offset, line.inserted) != last and not code.unmapped:
            last = line.offset, line.inserted
            place = source.changed(line.offset) if source is not None and line.offset is not None else None
            if place is not None:
                yield ink("reason", f"  ;; {place}")
            yield _instruction(line, instructions, ink)
        yield f"      {ink('ok', f'{line.address:08x}')}  {line.text}"


def _instruction(line: NativeLine, instructions: dict[int, Line], ink: output.Ink) -> str:
    """The instruction that some machine code is of."""
    if line.inserted or line.offset is None:
        return "  " + ink("ok", f";; {_FUEL if line.inserted else _FRAME}")
    found = instructions[line.offset]
    note = ink("ok", f"  ;; {printable(found.note)}") if found.note else ""
    return f"  {ink('ok', f'0x{line.offset:x}')}  {ink('action', found.text)}{note}"


def _json(listing: Listing, code: NativeCode, function: int) -> dict[str, Any]:
    return {
        "function": function,
        "name": listing.functions[function],
        "engine": code.engine,
        "machine": code.machine,
        "unmapped": code.unmapped,
        "lines": [
            {
                "address": line.address,
                "bytes": line.bytes.hex(),
                "text": line.text,
                "offset": line.offset,
                "inserted": line.inserted,
            }
            for line in code.lines(function)
        ],
    }
