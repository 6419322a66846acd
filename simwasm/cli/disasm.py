"""`simwasm disasm`: the code of a plugin as text, beside it what numbers stand for and the source it came from."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from simwasm.cli import output
from simwasm.cli.module import module as named
from simwasm.errors import InputError
from simwasm.trace.text import printable
from simwasm.wasm.disasm import Line, Listing, one_line
from simwasm.wasm.folded import fold
from simwasm.wasm.functions import chosen
from simwasm.wasm.module import FuncType, Kind, Module, ValType
from simwasm.wasm.reader import read_module

if TYPE_CHECKING:
    from simwasm.cli.source_lines import SourceLines

_DEEPEST = 40
_MOST_LOCALS = 100
_INKS = {"call": "callback", "return": "action", "unreachable": "bad", "br": "action", "if": "action",
         "else": "action", "block": "action", "loop": "action"}  # fmt: skip
"""By the first word of an instruction."""


def command(words: Namespace) -> int:
    """Print one function, or all."""
    if words.native:
        from simwasm.cli import disasm_native  # an engine and a disassembler of machine code

        return disasm_native.command(words)
    module = read_module(named(words).bytes)
    listing = Listing(module)
    wanted = functions(listing, words.function)
    stream = output.stdout()
    if words.list:
        for function in wanted:
            row = json.dumps(_facts(listing, function)) if words.json else _row(listing, function)
            print(row, file=stream)
        return 0
    source = source_lines(module, words) if words.source else None
    ink = output.ink(words, stream)
    for number, function in enumerate(wanted):
        if words.json:
            print(json.dumps(_json(listing, function, source, words.folded)), file=stream)
        else:
            between = "\n" if number else ""
            print(between + "\n".join(_text(listing, function, source, words.folded, ink)), file=stream)
    return 0


def source_lines(module: Module, words: Namespace) -> SourceLines:
    """The source of a plugin; without debug information that is an error."""
    from simwasm.cli.source_lines import SourceLines  # most do not ask for it

    found = SourceLines(module, words)
    if not found.there:
        raise InputError(
            f"{words.plugin} has no debug information, so there are no source lines: build it with -g "
            "(`simwasm inspect` says what it has)"
        )
    return found


def functions(listing: Listing, text: str | None) -> range:
    """The function that is meant, or all that have code."""
    if text is None:
        return range(listing.first_own, len(listing.functions))
    function = chosen(listing.module, text)
    return range(function, function + 1)


def heading(listing: Listing, function: int) -> str:
    """The first line of a function: `(func (;12;) (type 3) (param i32) (result i32)`."""
    module = listing.module
    kind = module.functions[function - listing.first_own]
    words = [f"(func (;{function};) (type {kind})", *_signature(module.types[kind])]
    return " ".join(words)


def title(listing: Listing, function: int) -> str:
    """What a function is called, inside and outside."""
    exports = [
        one_line(export.name)
        for export in listing.module.exports
        if export.kind is Kind.FUNCTION and export.index == function
    ]
    name = printable(one_line(listing.functions[function]))
    return ", ".join([name, *(f'exported as "{printable(export)}"' for export in exports if export != name)])


def _signature(kind: FuncType) -> Iterator[str]:
    for word, side in (("param", kind.params), ("result", kind.results)):
        if side:
            yield f"({word} {' '.join(each.value for each in side)})"


def _row(listing: Listing, function: int) -> str:
    body = listing.module.bodies[function - listing.first_own]
    size = f"{body.end - body.start:,} bytes"
    kind = listing.module.function_type(function)
    return f"{function:>6}  0x{body.code:x}  {size:>14}  {title(listing, function)} ({kind})"


def _locals(runs: tuple[tuple[int, ValType], ...]) -> str:
    """The declared locals; of very many, the first."""
    total = sum(count for count, _ in runs)
    shown = list(chain.from_iterable([kind.value] * min(count, _MOST_LOCALS) for count, kind in runs))
    more = f"  ;; the first {_MOST_LOCALS} of {total:,}" if total > _MOST_LOCALS else ""
    return f"(local {' '.join(shown[:_MOST_LOCALS])}){more}"


def _lines(listing: Listing, function: int, folded: bool) -> Iterator[Line]:
    return fold(listing, function) if folded else listing.lines(function)


def _text(
    listing: Listing, function: int, source: SourceLines | None, folded: bool, ink: output.Ink
) -> Iterator[str]:
    body = listing.module.bodies[function - listing.first_own]
    digits = len(f"{body.end:x}")
    margin = " " * (digits + 4)
    yield f"{ink('callback', heading(listing, function))}{ink('ok', '  ;; ' + title(listing, function))}"
    if body.locals:
        yield f"{margin}  {_locals(body.locals)}"
    if source is not None:
        source.forget()
    for line in _lines(listing, function, folded):
        place = source.changed(line.offset) if source is not None else None
        if place is not None:
            yield f"{margin}  {ink('reason', ';; ' + place)}"
        last = not folded and line.offset == body.end - 1
        yield _line(line._replace(text=")", note="end") if last else line, digits, ink)
    if folded:
        yield _line(Line(body.end - 1, -1, ")"), digits, ink)


def _line(line: Line, digits: int, ink: output.Ink) -> str:
    word, space, rest = line.text.partition(" ")
    style = _INKS.get(word.partition("_")[0].lstrip("("), "")
    offset = ink("ok", f"0x{line.offset:0{digits}x}")
    note = ink("ok", f"  ;; {printable(line.note)}") if line.note else ""
    indent = "  " * (min(line.depth, _DEEPEST) + 1) if line.text != ")" else ""
    text = ink(style, word) if style else word
    return f"{offset}  {indent}{text}{space}{printable(rest)}{note}"


def _facts(listing: Listing, function: int) -> dict[str, Any]:
    body = listing.module.bodies[function - listing.first_own]
    kind = listing.module.function_type(function)
    return {
        "function": function,
        "name": listing.functions[function],
        "params": [each.value for each in kind.params],
        "results": [each.value for each in kind.results],
        "locals": [[count, each.value] for count, each in body.locals],
        "start": body.code,
        "end": body.end,
    }


def _json(listing: Listing, function: int, source: SourceLines | None, folded: bool) -> dict[str, Any]:
    lines = [_line_json(line, source) for line in _lines(listing, function, folded)]
    return _facts(listing, function) | {"lines": lines}


def _line_json(line: Line, source: SourceLines | None) -> dict[str, Any]:
    found: dict[str, Any] = {"offset": line.offset, "depth": line.depth, "text": line.text}
    if line.note:
        found["note"] = line.note
    if line.targets:
        found["targets"] = line.targets
    place = source.place(line.offset) if source is not None else None
    if place is not None:
        found |= {"file": place.file, "line": place.line}
    return found
