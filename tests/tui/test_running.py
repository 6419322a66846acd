"""While the run moves: it is seen, it can be stopped, and what the plugin does to the screen is nothing."""

from __future__ import annotations

import asyncio

import hostile
import pytest
from debugging import inputs_for, requests
from terminal import Terminal, on_screen, run

from simwasm.debug.stop import Why
from simwasm.errors import SimwasmError
from simwasm.plugin import Plugin
from simwasm.trace.rows import Kind

SPINS = inputs_for(Plugin("spinning", hostile.spinning()), requests(2), fuel=None)


async def until(at: Terminal, seen: str) -> list[str]:
    """Wait until something is on the screen."""
    for _ in range(500):
        screen = at.screen()
        if any(seen in line for line in screen):
            return screen
        await asyncio.sleep(0.02)
    pytest.fail(f"{seen!r} is not on the screen:\n" + "\n".join(at.screen()))


def test_a_plugin_that_spins_is_paused_and_its_call_ended_by_ctrl_c() -> None:
    async def test() -> None:
        async with on_screen(SPINS, settled=False) as at:
            await until(at, "1 row · p pauses")
            await asyncio.sleep(0.3)  # it is announced, and then it computes
            at.main.do_interrupt()
            await until(at, "paused while the plugin computes")
            assert at.stop.why is Why.COMPUTING
            await at.press("ctrl+c")
            assert at.debugger.tape.rows[at.stop.row].kind is Kind.TRAP
            assert any("✗ interrupted" in line for line in at.lines("trace"))

    run(test())


def test_keys_that_cannot_be_done_meanwhile_say_so() -> None:
    async def test() -> None:
        async with on_screen(SPINS, settled=False) as at:
            await until(at, "1 row · p pauses")
            at.main.do_step()
            assert "still running" in at.said
            at.main.do_pause()
            await until(at, "■ paused")

    run(test())


def test_whoever_looks_about_while_it_records_is_left_there() -> None:
    async def test() -> None:
        inputs = inputs_for(Plugin("flooding", hostile.flooding(20_000)), requests(1))
        async with on_screen(inputs, settled=False) as at:
            await until(at, "recording")
            while len(at.listed("trace").lines) < 20:
                await asyncio.sleep(0.01)
            at.listed("trace").go(15)
            await until(at, "■")
            await at.settle()
            assert (at.stop.why, at.stop.row < 15) == (Why.ENTRY, True)
            assert at.listed("trace").cursor == 15

    run(test())


def test_leaving_ends_a_plugin_that_spins() -> None:
    async def test() -> None:
        async with on_screen(SPINS, settled=False) as at:
            await until(at, "1 row · p pauses")
            debugger = at.debugger
            at.app.exit()
        with pytest.raises(SimwasmError):
            debugger.memory()

    run(test())


def test_many_log_lines_are_all_there_at_the_end() -> None:
    async def test() -> None:
        inputs = inputs_for(Plugin("flooding", hostile.flooding(5_000)), requests(1))
        async with on_screen(inputs) as at:
            at.main.body.open("log")
            await at.settle()
            assert len(at.listed("log").lines) == 5_000
            await at.press("end", "enter")
            assert at.stop.row == 5_000
            assert len(at.listed("trace").lines) == at.view.rows

    run(test())


def test_nothing_a_plugin_writes_reaches_the_terminal_raw() -> None:
    async def test() -> None:
        inputs = inputs_for(Plugin("dirty", hostile.dirty()), requests(1, ("x-\x1b[2J", "\x9b\u202e\n")))
        async with on_screen(inputs, (120, 40)) as at:
            for pane in ("trace", "log", "problems", "inspector", "memory", "stack", "wasm", "streams"):
                at.main.body.open(pane)
                await at.settle()
                assert all(line.isprintable() for line in at.screen()), pane

    run(test())


def test_a_question_that_moves_the_run_for_a_moment_is_not_shown_as_movement() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser") as at:
            await at.press("s", "s")
            at.debugger.stack()
            at.main.on_changed()
            assert at.view.stop is not None

    run(test())
