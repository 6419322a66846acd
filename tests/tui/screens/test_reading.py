"""What is seen and can be done while plugin and traffic are still read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Event

from cases import ROOT
from debugging import WAIT
from looking import until
from simwasm_tui.app import DebuggerApp, Unread
from terminal import Terminal, run

from simwasm.debug.start import Start, start_with
from simwasm.errors import InputError
from simwasm.recipe import Recipe

RECIPE = Recipe(
    str(ROOT / "samples/allow_header/plugin.wasm"), (str(ROOT / "traces/traffic/allow_header.har"),)
)


@asynccontextmanager
async def reading(
    read: Callable[[], Start] = lambda: start_with(RECIPE),
) -> AsyncIterator[tuple[Terminal, Event]]:
    """A debugger that has nothing to read from before the event is set."""
    there = Event()

    def wait_and_read() -> Start:
        assert there.wait(WAIT)
        return read()

    app = DebuggerApp(Unread(wait_and_read, ("some/plugin.wasm", "login\x1b.har")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        try:
            yield Terminal(app, pilot), there
        finally:
            there.set()


def test_the_frame_is_there_and_says_what_is_read() -> None:
    async def test() -> None:
        async with reading() as (at, _):
            first, *others = at.screen()
            assert first.startswith(" simwasm  plugin.wasm  login\\e.har")
            assert first.endswith("▶ reading")
            assert any("1 Streams" in line and "2 ABI trace" in line for line in others)
            assert others[-1].endswith("? help")

    run(test())


def test_once_it_is_read_the_debugger_stands_on_the_first_row() -> None:
    async def test() -> None:
        async with reading() as (at, there):
            there.set()
            await until(at, lambda: at.app.main is not None)
            await at.settle()
            assert "reading" not in at.screen()[0]
            assert at.debugger.tape.rows[at.stop.row].entered.function.name == "proxy_on_context_create"

    run(test())


def test_what_is_typed_meanwhile_is_done_later() -> None:
    async def test() -> int:
        async with reading() as (at, there):
            await at.pilot.press("s", "s")
            there.set()
            await until(at, lambda: at.app.main is not None)
            await at.settle()
            first = at.debugger.tape.rows.at(at.main.viewer.history[0][1].position)
            await until(at, lambda: at.stop.row == first + 2)
            return at.stop.row - first

    assert run(test()) == 2


def test_q_leaves_without_waiting() -> None:
    async def test() -> int | None:
        async with reading() as (at, _):
            await at.pilot.press("q")
            await at.pilot.pause()
            assert at.app._exit
            return at.app.return_code

    assert run(test()) == 0


def test_control_c_leaves_as_programs_do() -> None:
    async def test() -> int | None:
        async with reading() as (at, _):
            await at.pilot.press("ctrl+c")
            await at.pilot.pause()
            return at.app.return_code

    assert run(test()) == 130


def test_what_cannot_be_read_ends_it_and_is_told_afterwards() -> None:
    def fail() -> Start:
        raise InputError("bad.har: is of no format known here")

    async def test() -> str:
        async with reading(fail) as (at, there):
            there.set()
            while not at.app._exit:
                await at.pilot.pause(0.01)
            return str(at.app.unreadable)

    assert run(test()) == "bad.har: is of no format known here"
