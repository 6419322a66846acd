"""Reading a plugin again that was built anew, with the screen as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from looking import open_pane
from simwasm_tui.panes.inspector import Inspector
from terminal import Terminal, on_screen, run
from wat import callback, plugin

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.start import Start, read_inputs
from simwasm.debug.tape import Tape
from simwasm.recipe import Recipe

REPO = Path(__file__).parents[2]
_IMPORT = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))'
_LOG = "(drop (call $log (i32.const 2) (i32.const 0) (i32.const 4)))"


def _build(calls: int) -> bytes:
    return plugin(_IMPORT, callback("proxy_on_request_headers", _LOG * calls)).wasm


@asynccontextmanager
async def _at_the_end(tmp_path: Path) -> AsyncIterator[tuple[Terminal, Path]]:
    """A run with many rows, standing on its last one."""
    file, traffic = tmp_path / "plugin.wasm", REPO / "traces/traffic/allow_header.har"
    file.write_bytes(_build(60))
    recipe = Recipe(str(file), (str(traffic),))
    async with on_screen(Start(read_inputs(recipe), recipe)) as at:
        await at.press("c")
        yield at, file


async def _reload(at: Terminal) -> Tape:
    before = at.debugger.tape
    await at.press("L")
    for _ in range(200):
        await at.settle()
        if at.debugger.tape is not before and at.view.tape is at.debugger.tape and not at.main.moving:
            break
        await at.pilot.pause(0.01)
    await at.settle()
    return at.view.tape


def test_a_shorter_run_is_shown_while_the_call_is_looked_at(tmp_path: Path) -> None:
    """The call that was looked at is on a row that the new run does not have."""

    async def test() -> None:
        async with _at_the_end(tmp_path) as (at, file):
            await open_pane(at, "inspector")
            inspector = at.pane("inspector")
            assert isinstance(inspector, Inspector)
            inspector.choose("Call")
            await open_pane(at, "trace")
            await at.press("home", "end")
            file.write_bytes(_build(1))
            tape = await _reload(at)
            assert len(tape.rows) < 60
            assert at.view.row < len(tape.rows)
            assert inspector.note == f"row {at.view.row + 1}"

    run(test())


def test_where_the_run_stands_is_in_sight_after_reading_again(tmp_path: Path) -> None:
    async def test() -> None:
        async with _at_the_end(tmp_path) as (at, file):
            file.write_bytes(_build(58))
            await _reload(at)
            assert any("▶" in line and "│" in line for line in at.screen()[3:]), at.screen()
            assert at.trace.row == at.view.row

    run(test())


def test_where_the_allocator_is_left_out_the_call_around_it_bears_the_mark() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser") as at:
            rows = at.debugger.tape.rows
            hidden = next(
                index for index in range(9, len(rows)) if rows[index].entered.function.name in ALLOCATORS
            )
            at.main.goto(rows.position(hidden))
            await at.settle()
            around = at.trace.row
            assert around < hidden
            assert at.lines("trace")[at.trace.list.cursor].startswith("▶")

    run(test())
