"""The debugger on a terminal: to its first picture, from a key to the picture that shows it, doing nothing, and how
much memory it takes.

Peers are other programs that fill a terminal, started in turns with ours on the same kind of terminal; what counts is
the first picture that has a certain text. Long runs are those of `debugger.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from benchmarks.debugger import exchanges
from benchmarks.peers import PEERS
from benchmarks.replay import PLUGIN
from benchmarks.row import MEGABYTES, MILLISECONDS, PERCENT, Measure, Row, Target, in_turns
from benchmarks.start import simwasm
from benchmarks.terminal import Terminal, shows
from simwasm.engines.find import engine
from simwasm.exchange import Exchange
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.store import Recorder, header
from simwasm.traffic.jsonl import write

_FRAME, _FIRST_ROW = "Streams", "← on_context_create(2"
_STANDS = "callback begins"
_PAGE_DOWN, _DOWN = "\x1b[6~", "j"
_ROW = re.compile(r"│[▶ ] +(\d+) (?:←|→|  )")
_SETTLED_S, _IDLE_S = 0.5, 3.0
_PAGE = 20
"""Fewer rows than one page of the trace has."""
_SHORT, _LONG, _LONGER = 5, 4_545, 12_000
"""Exchanges in a run that is over at once, in one of 100,000 events, and in one that outlasts all keys."""


def rows(*, rounds: int = 5, keys: int = 40) -> Iterator[Row]:
    """Pictures, keys, idling, memory."""
    with TemporaryDirectory(prefix="simwasm-bench-") as name:
        folder = Path(name)
        yield from _first_pictures(_Ours(folder, _SHORT), _Ours(folder, _LONG), rounds)
        yield from _keys(_Ours(folder, _LONGER), _Ours(folder, _SHORT), rounds, keys)
        yield from _resources(_Ours(folder, _SHORT), _Ours(folder, _LONG), rounds)


class _Ours:
    """The debugger, its cache filled, before a run of so many exchanges."""

    def __init__(self, folder: Path, exchanges_: int) -> None:
        self.folder = folder
        self.exchanges = exchanges(exchanges_)
        traffic = folder / f"{exchanges_}.jsonl"
        with traffic.open("wb") as file:
            write(self.exchanges, file)
        self._command = [*simwasm(), "debug", str(PLUGIN), str(traffic)]
        self._environment = _environment(folder)

    def open(self) -> Terminal:
        """Start it."""
        return Terminal(self._command, self._environment, self.folder)


def _environment(home: Path) -> Mapping[str, str]:
    """A home without settings; bytecode is written, as an installed program has it."""
    found = {**os.environ, "HOME": str(home), "PYTHONPYCACHEPREFIX": str(home / "bytecode")}
    for name in ("PYTHONDONTWRITEBYTECODE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        found.pop(name, None)
    return found


def _first_pictures(ours: _Ours, long: _Ours, rounds: int) -> Iterator[Row]:
    """Ours beside each of the others. The first one has the panes' frame; what is in them is read behind it."""
    script = ours.folder / "script.py"
    script.write_text("answer = 42\nprint(answer)\n")
    environment = _environment(ours.folder)
    sides = [_picture(ours.open, _FRAME), _picture(ours.open, _FIRST_ROW), _picture(long.open, _FRAME)]
    for peer in PEERS:
        command = peer.command(script)
        sides.append(
            _picture(lambda command=command: Terminal(command, environment, ours.folder), peer.marker)  # type: ignore[misc]  # a default binds it
        )
    in_turns(1, *sides)
    first, standing, behind, *others = in_turns(rounds, *sides)
    for peer, theirs in zip(PEERS, others, strict=True):
        yield Row(
            "screen", f"first picture / {peer.name}'s", MILLISECONDS, first, theirs, Target(600, MILLISECONDS)
        )
    yield Row("screen", "first picture of the first row / posting's first", MILLISECONDS, standing, others[0])
    what = f"first picture before {len(long.exchanges):,} exchanges / before {len(ours.exchanges)}"
    yield Row("screen", what, MILLISECONDS, behind, first, Target(600, MILLISECONDS))


def _picture(start: Callable[[], Terminal], marker: str) -> Measure:
    def measure() -> float:
        with start() as terminal:
            return (terminal.until(shows(marker), marker) - terminal.started) * 1e3

    return measure


def _keys(long: _Ours, short: _Ours, rounds: int, keys: int) -> Iterator[Row]:
    """Row by row down the trace, which scrolls: while it is recorded, and when it stands."""

    def recording() -> float:
        with long.open() as terminal:
            terminal.until(shows("recording"), "the recording")
            terminal.until(lambda lines: len(_shown(lines)) >= _PAGE, "a page of the trace")
            return _answered(terminal, keys)

    def standing() -> float:
        with short.open() as terminal:
            terminal.until(shows(_STANDS), "the first stop")
            return _answered(terminal, keys)

    busy, quiet = in_turns(rounds, recording, standing)
    what = "from key to picture while it records, 95 in 100 / while it stands"
    yield Row("screen", what, MILLISECONDS, busy, quiet, Target(50, MILLISECONDS))


def _answered(terminal: Terminal, keys: int) -> float:
    """Milliseconds from a key to the picture that shows what it did; at first the cursor goes to the last row."""
    terminal.press(_PAGE_DOWN)
    terminal.wait(_SETTLED_S)
    taken = []
    for _ in range(keys):
        top = _top(terminal.lines)
        pressed = terminal.press(_DOWN)
        seen = terminal.until(lambda lines, top=top: _top(lines) not in (None, top), "the next row")  # type: ignore[misc]  # a default binds it
        taken.append((seen - pressed) * 1e3)
        terminal.wait(0.02)
    return quantiles(taken, n=20)[-1]


def _shown(lines: list[str]) -> list[int]:
    """The numbers of the rows that are seen."""
    return [int(found[1]) for found in map(_ROW.search, lines) if found]


def _top(lines: list[str]) -> int | None:
    """The first of them."""
    return next(iter(_shown(lines)), None)


def _resources(short: _Ours, long: _Ours, rounds: int) -> Iterator[Row]:
    idle, small = zip(*(_at_rest(short) for _ in range(rounds)), strict=True)
    _, large = zip(*(_at_rest(long) for _ in range(rounds)), strict=True)
    trace = _size_of_trace(long.exchanges) / 1e6
    yield Row("screen", "the processor's time while nobody types", PERCENT, idle, (), Target(0.5, PERCENT))
    yield Row("screen", "memory, a short run", MEGABYTES, small, (), Target(120, MEGABYTES))
    what = f"memory, {len(long.exchanges):,} exchanges, less the {trace:.0f} MB of their trace"
    yield Row("screen", what, MEGABYTES, tuple(each - trace for each in large), small, Target(120, MEGABYTES))


def _at_rest(ours: _Ours) -> tuple[float, float]:
    """How much of the time it computes, in percent, and its megabytes."""
    with ours.open() as terminal:
        terminal.until(shows(_STANDS), "the first stop")
        terminal.wait(2)
        before = terminal.busy_s()
        terminal.wait(_IDLE_S)
        return (terminal.busy_s() - before) / _IDLE_S * 100, terminal.memory() / 1e6


def _size_of_trace(traffic: tuple[Exchange, ...]) -> int:
    """The bytes of a run's trace, as a file."""
    written = 0

    def count(text: str) -> None:
        nonlocal written
        written += len(text)

    plugin = Plugin("allow_header", PLUGIN.read_bytes())
    recorder = Recorder(count, header([plugin], profile="envoy", seed=0, started_ns=0))
    with Session([plugin], engine=engine(None), observers=[recorder]) as session:
        for _ in session.replay(traffic):
            pass
    return written
