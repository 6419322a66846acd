"""`simwasm profile`: which functions and lines of a plugin its instructions were spent in, and what was run at all."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from simwasm.cli import output, setup
from simwasm.cli.output import Ink
from simwasm.debug.following import Following
from simwasm.debug.profile import LineShare, Profile, flame, speedscope_sums
from simwasm.debug.start import read_inputs
from simwasm.errors import InputError
from simwasm.trace.text import printable
from simwasm.wasm.disasm import one_line

_BAR = 30
_DEEPEST = 40


def command(words: Namespace) -> int:
    """Replay, counting each instruction; 1 if the plugin trapped."""
    inputs = read_inputs(setup.recipe(words), output.tell, whole=True)
    following = Following(inputs)
    with following.session() as session:
        if not words.start:
            following.forget()
        for _ in session.replay(inputs.exchanges, together=inputs.together):
            pass
    profiles = following.profiles()
    if following.cut:
        print(f"simwasm: {following.cut} callbacks ran on after what was counted of them", file=sys.stderr)
    if words.speedscope:
        _write(words.speedscope, speedscope_sums(list(profiles.items())))
    stream = output.stdout()
    ink = output.ink(words, stream)
    for name, found in profiles.items():
        if words.json:
            print(json.dumps({"plugin": name, **_json(found)}), file=stream)
        else:
            print("\n".join(_report(name, found, words, ink)), file=stream)
    return int(session.proxy.traps > 0)


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"--speedscope {path}: cannot be written: {error.strerror}") from None


def _report(name: str, found: Profile, words: Namespace, ink: Ink) -> Iterator[str]:
    ran = f"{found.total:,} instructions in {len(found.functions):,} functions, {found.covered:.0%} of their code run"
    yield ink("callback", f"{printable(name)}: {ran}")
    yield f"\n{'own':>14} {'':>6} {'all':>14} {'calls':>9} {'code run':>9}  function"
    for each in found.functions[: words.top]:
        part = each.own / max(found.total, 1)
        run = f"{each.run / max(each.size, 1):.0%}"
        counts = f"{each.own:>14,} {part:>6.1%} {each.all:>14,} {each.calls:>9,} {run:>9}"
        yield f"{counts}  {printable(one_line(each.name))}"
    yield from _left_out(len(found.functions), words.top, "functions")
    yield ""
    yield from _lines(found, words)
    yield from _flame(found, ink)


def _lines(found: Profile, words: Namespace) -> Iterator[str]:
    if not found.lines:
        yield found.code.no_lines
    for each in found.lines[: words.top]:
        yield f"{each.own:>14,} {each.own / max(found.total, 1):>6.1%}  {printable(_place(each))}"
    yield from _left_out(len(found.lines), words.top, "lines")
    yield ""


def _left_out(there: int, shown: int, what: str) -> Iterator[str]:
    if there > shown:
        yield f"{'':>14} … and {there - shown:,} more {what} (--top)"


def _place(line: LineShare) -> str:
    return f"{line.file}:{line.line}"


def _flame(found: Profile, ink: Ink) -> Iterator[str]:
    """Who called whom: a bar as long as the part of all that was spent there."""
    for depth, node, part in flame(found):
        if depth < _DEEPEST:
            bar = "█" * max(1, round(part * _BAR))
            name = printable(one_line(found.code.name(node.function)))
            yield f"{ink('action', f'{bar:<{_BAR}}')} {part:>6.1%} {'  ' * depth}{name}"


def _json(found: Profile) -> dict[str, Any]:
    return {
        "instructions": found.total,
        "functions": [share._asdict() for share in found.functions],
        "lines": [share._asdict() for share in found.lines],
    }
