"""Command lines taken apart as shells do it: bash and its kin, Windows' cmd, PowerShell.

Rules that live here: nothing is run, and nothing is replaced: what only a shell knows (`$TOKEN`, `$(…)`) is a `Wrong`.
Words are texts that stand for bytes. A line that goes on is put together: a backslash, caret or backtick at its end, or
a quotation mark that is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from simwasm.exchange import to_bytes, to_text
from simwasm.traffic.request_text import Wrong, shortened
from simwasm.traffic.shell_bash import Operator, bash
from simwasm.traffic.shell_lines import Lines, More
from simwasm.traffic.shell_windows import cmd, powershell
from simwasm.traffic.text_stream import TextStream, TooLong, bare

MOST_WORDS = 100_000


class Stage(NamedTuple):
    """One command of a pipeline, and what is fed to it by `<<`."""

    words: tuple[str, ...]
    fed: bytes | None = None


class CommandLine(NamedTuple):
    """Pipelines of one line, where it began, and why it could not be read."""

    line: int
    pipelines: tuple[tuple[Stage, ...], ...] = ()
    wrong: str = ""


def command_lines(text: TextStream) -> Iterator[CommandLine]:
    """Go through the lines of a file that have words."""
    while True:
        number = text.line
        lines = Lines(text)
        try:
            first = lines()
            if not first:
                return
            tokens = list(_shell_of(first)(first, lines))
            pipelines = tuple(_pipelines(tokens, lines))
        except (Wrong, TooLong) as wrong:
            yield CommandLine(number, wrong=str(wrong))
            continue
        if pipelines:
            yield CommandLine(number, pipelines)


def _shell_of(line: str) -> Callable[[str, More], Iterator[str]]:
    """Whose command it looks like."""
    end = line.rstrip("\r\n")
    quoted = re.search(r".?['\"]", line)
    if end.endswith("^") or (quoted and quoted[0].startswith("^")):
        return cmd
    if end.endswith((" `", "\t`")):
        return powershell
    return bash


def _pipelines(tokens: list[str], lines: More) -> Iterator[tuple[Stage, ...]]:
    """Sort words into commands, and commands into pipelines."""
    if len(tokens) > MOST_WORDS:
        raise Wrong(f"one command has more than {MOST_WORDS:,} words")
    stages: list[Stage] = []
    words: list[str] = []
    fed: bytes | None = None
    rest = iter(tokens)
    for token in rest:
        if not isinstance(token, Operator):
            words.append(token)
        elif token.startswith("<<"):
            fed = _fed(next(rest, ""), token == "<<-", lines)
        elif "<" in token or ">" in token:
            if token[-1:] not in "0123456789-":
                next(rest, None)
        else:
            if words:
                stages.append(Stage(tuple(words), fed))
            words, fed = [], None
            if token != "|" and stages:
                yield tuple(stages)
                stages = []
    if words:
        stages.append(Stage(tuple(words), fed))
    if stages:
        yield tuple(stages)


def _fed(end: str, tabs: bool, lines: More) -> bytes:
    """What stands in the lines up to this one."""
    parts: list[bytes] = []
    while True:
        line = lines()
        if not line:
            raise Wrong(f"what is fed by <<{shortened(end)} never ends")
        data = to_bytes(line).lstrip(b"\t") if tabs else to_bytes(line)
        if to_text(bare(data)) == end:
            return b"".join(parts)
        parts.append(data)
