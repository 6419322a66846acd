"""Who wrote this: what there is at a stop, and the calls that made it so."""

from __future__ import annotations

from debugging import inputs_for, requests
from simwasm_tui.screens.main import MainScreen
from simwasm_tui.screens.writers import Writers
from simwasm_tui.text import plain
from simwasm_tui.widgets.virtual_list import VirtualList
from terminal import Terminal, on_screen, run
from until import until
from wat import plugin

WRITES = """
  (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))
  (import "env" "proxy_set_shared_data" (func $share (param i32 i32 i32 i32 i32) (result i32)))
  (data (i32.const 0) "x-one") (data (i32.const 8) "two") (data (i32.const 16) "gone")
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $add (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 8) (i32.const 3)))
    (drop (call $remove (i32.const 0) (i32.const 16) (i32.const 4)))
    (drop (call $share (i32.const 0) (i32.const 5) (i32.const 8) (i32.const 3) (i32.const 0)))
    i32.const 0)
"""


def things(at: Terminal) -> list[str]:
    return texts(at, "things")


def texts(at: Terminal, name: str) -> list[str]:
    shown = at.app.screen.query_one(f"#{name}", VirtualList)
    return [plain(shown.lines.line(index, 200)) for index in range(len(shown.lines))]


async def choose(at: Terminal, name: str) -> None:
    """Put the cursor on a thing, and wait for its story."""
    found = next(index for index, line in enumerate(things(at)) if name in line)
    at.app.screen.query_one("#things", VirtualList).go(found)
    await at.pilot.pause()
    await until(lambda: texts(at, "writes"))


def test_headers_that_were_written_and_removed_and_shared_data_lead_to_their_calls() -> None:
    inputs = inputs_for(plugin(WRITES), requests(2, ("gone", "yes"), ("kept", "yes")))

    async def test() -> None:
        async with on_screen(inputs) as at:
            rows = at.debugger.tape.rows
            returned = [
                i for i in range(len(rows)) if rows[i].entered.function.name == "proxy_on_request_headers"
            ]
            at.main.goto(rows.position(returned[1]))
            await at.settle()
            await at.press("W")
            await until(lambda: isinstance(at.app.screen, Writers))
            await at.pilot.pause()
            assert any("gone (gone)" in line for line in things(at))
            await choose(at, "kept")
            assert texts(at, "writes")[-1].split() == ["client", '"yes"']
            await choose(at, "gone (gone)")
            assert "remove_header_map_value" in texts(at, "writes")[0]
            await choose(at, "x-one")
            assert 'add_header_map_value "two"' in texts(at, "writes")[0]
            await at.press("enter", "enter")
            await at.settle()
            assert isinstance(at.app.screen, MainScreen)
            assert rows[at.stop.row].entered.function.name == "proxy_add_header_map_value"

    run(test())
