"""Real runs that stand somewhere, as the painters of the panes are given them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from debugging import WAIT, debugging, inputs_of
from simwasm_tui.items import Lines
from simwasm_tui.sight import Sight, see
from simwasm_tui.text import plain
from simwasm_tui.views import Viewer
from terminal import Terminal

from simwasm.debug.debugger import Debugger
from simwasm.debug.inputs import Inputs
from simwasm.trace.rows import Kind


class Standing:
    """A debugger, and what is seen of it where it stands."""

    def __init__(self, debugger: Debugger) -> None:
        self.debugger = debugger
        self.viewer = Viewer(debugger)

    def go(self, name: str, kind: Kind = Kind.HOST_CALL, nth: int = 0) -> Sight:
        """Go to a row, by what it calls, and look."""
        self.debugger.goto(row_position(self.debugger, name, kind, nth)).result(WAIT)
        return self.look()

    def look(self) -> Sight:
        """Look, where it stands."""
        sight = see(self.viewer.view())
        assert sight is not None
        return sight


def row_position(debugger: Debugger, name: str, kind: Kind = Kind.HOST_CALL, nth: int = 0) -> int:
    """Where a row stands."""
    rows = debugger.tape.rows
    every = map(rows.__getitem__, range(len(rows)))
    found = [row for row in every if row.kind is kind and row.entered.function.name == name]
    return found[nth].position


@contextmanager
def standing(what: str | Inputs) -> Iterator[Standing]:
    """A run that was opened."""
    with debugging(inputs_of(what) if isinstance(what, str) else what) as debugger:
        yield Standing(debugger)


def texts(lines: Lines, width: int = 60) -> list[str]:
    """What lines say."""
    return [plain(lines.line(index, width)).rstrip() for index in range(len(lines))]


def one(lines: Sequence[str], part: str) -> str:
    """The only line that has a part."""
    found = [line for line in lines if part in line]
    assert len(found) == 1, found
    return found[0]


async def until(at: Terminal, true: Callable[[], object]) -> None:
    """Wait until something is so: what other threads find out."""
    for _ in range(WAIT * 50):
        if true():
            break
        await asyncio.sleep(0.02)
    await at.settle()
    assert true()


async def goto(at: Terminal, name: str, kind: Kind = Kind.HOST_CALL, nth: int = 0) -> None:
    """Go to a row on the screen, by what it calls."""
    at.main.goto(row_position(at.debugger, name, kind, nth))
    await at.settle()


async def open_pane(at: Terminal, name: str) -> None:
    """Bring a pane into sight."""
    at.main.body.open(name)
    await at.settle()
    await at.pilot.pause()
