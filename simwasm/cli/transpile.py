"""`simwasm transpile`: a plugin's functions as Python, to read, or as a file to import."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TextIO

from simwasm import __version__
from simwasm.cli import output
from simwasm.cli.disasm import functions
from simwasm.cli.module import module as named
from simwasm.cli.source_lines import SourceLines
from simwasm.engines.transpiler.readable import CodeLine, Readable
from simwasm.engines.written import FORMAT, line_text, packed
from simwasm.trace.text import printable
from simwasm.wasm.disasm import Listing, one_line
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module
from simwasm.wasm.validate import validate

_COLUMN = 60
_WORDS = 24
"""Offsets on a line of a file."""
_WORD = re.compile(
    r"(?P<ok>  # .*|^ *# .*)|(?P<action>\b(?:def|while|if|elif|else|break|continue|return|nonlocal|try|except|raise)\b)"
    r"|(?P<callback>\bf\d+(?:__\w+)?\b)"
)


def command(words: Namespace) -> int:
    """Print functions as Python, or write a file."""
    data = named(words).bytes
    module = read_module(data)
    validate(module)
    readable = Readable(module)
    wanted = functions(Listing(module), words.function)
    found = SourceLines(module, words)
    source = found if found.there else None
    if words.output:
        with Path(words.output).open("w", encoding="utf-8", errors="backslashreplace") as file:
            _write(file, words.plugin, module, readable, wanted, source)
        return 0
    stream = output.stdout()
    ink = output.ink(words, stream)
    for number, function in enumerate(wanted):
        lines = _commented(readable.lines(function)[1:], source)
        text = "\n".join(_painted(line.text.removeprefix("    "), ink) for line in lines)
        print("\n" + text if number else text, file=stream)
    return 0


def _commented(lines: Iterable[CodeLine], source: SourceLines | None) -> Iterator[CodeLine]:
    """The lines, with the offset behind the first one of each instruction, and the source before it."""
    last = 0
    if source is not None:
        source.forget()
    for line in lines:
        text = printable(line.text)
        if not line.offset or line.offset == last:
            yield CodeLine(text, line.offset)
            continue
        last = line.offset
        place = source.changed(line.offset) if source is not None else None
        if place is not None:
            indent = " " * (len(text) - len(text.lstrip()))
            yield CodeLine(f"{indent}# {place}", line.offset)
        yield CodeLine(f"{text:<{_COLUMN}}  # 0x{line.offset:x}", line.offset)


def _painted(line: str, ink: output.Ink) -> str:
    return _WORD.sub(lambda match: ink(str(match.lastgroup), match[0]), line)


def _write(
    file: TextIO,
    plugin: str,
    module: Module,
    readable: Readable,
    wanted: range,
    source: SourceLines | None,
) -> None:
    """Write a file that runs: the module, and the functions that are wanted."""
    file.write(
        f"# {printable(one_line(plugin))} as Python, made by simwasm {__version__}\n"
        f"# sha256 {sha256(module.data).hexdigest()}\n#\n"
        "# instance = instantiate({(module, name): function, …})      what it imports\n"
        "# instance.exports[name](…)                                  what it exports\n\n"
        "from simwasm.engines.written import Written\n\n"
        f'module = Written({FORMAT}, """\n'
    )
    text = packed(module.data)
    file.writelines(f"{text[at : at + 100]}\n" for at in range(0, len(text), 100))
    file.write('""")\ninstantiate = module.instantiate\n')
    for function in wanted:
        factory, *rest = readable.lines(function)
        lines = list(_commented(rest, source))
        told = line_text([line.offset for line in lines]).split(" ")
        file.write('\n\n@module.function("""\n')
        file.writelines(f"{' '.join(told[at : at + _WORDS])}\n" for at in range(0, len(told), _WORDS))
        file.write(f'""")\n{factory.text}\n')
        file.writelines(f"{line.text}\n" for line in lines)
