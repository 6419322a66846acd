"""The inside of callbacks on the screen: steps by instruction and line, values, places in code, the profile."""

from __future__ import annotations

import pytest
from cases import ROOT
from debugging import inputs_for, requests
from looking import goto, one, open_pane, until
from simwasm_tui.panes.memory import Memory
from simwasm_tui.panes.stack import Stack
from simwasm_tui.panes.stack_lines import StackLines
from simwasm_tui.panes.wasm import Wasm
from simwasm_tui.screens.assigning import Assigning
from simwasm_tui.screens.breakpoint_editor import places
from simwasm_tui.screens.profiling import Profiling
from terminal import Terminal, on_screen, run

from simwasm.debug.inputs import Inputs
from simwasm.debug.unit import Unit
from simwasm.plugin import Plugin
from simwasm.trace.rows import Kind

HEADERS = "proxy_on_request_headers"
BUFFER = 0x10440
"""Where the small plugin writes what it logs."""


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is in the project's folder."""
    monkeypatch.chdir(ROOT)


def small() -> Inputs:
    """A plugin of a few functions."""
    wasm = (ROOT / "samples" / "allow_header_c" / "plugin.wasm").read_bytes()
    return inputs_for(Plugin("allow_header", wasm), requests(1))


def debug_build() -> Inputs:
    """A plugin with lines of source."""
    wasm = (ROOT / "samples" / "allow_header" / "plugin.debug.wasm").read_bytes()
    return inputs_for(Plugin("allow_header", wasm), requests(1))


async def inside(at: Terminal, pane: str, *, steps: int = 3) -> None:
    """Stand at an instruction of a callback, with a pane in sight."""
    await open_pane(at, pane)
    await goto(at, HEADERS, Kind.CALLBACK)
    await at.press("u", "u", *["s"] * steps)
    assert at.stop.instant is not None


async def held(at: Terminal) -> StackLines:
    """What the stack shows, once the functions are known."""
    shown = at.pane("stack")
    assert isinstance(shown, Stack)
    moment = at.stop.moment
    await until(
        at, lambda: shown.interior.activations and shown._place is not None and shown._place[1] == moment
    )
    lines = shown.list.lines
    assert isinstance(lines, StackLines)
    return lines


def test_u_goes_round_the_units_and_the_header_tells() -> None:
    async def test() -> None:
        async with on_screen(small(), (80, 24)) as at:
            told = []
            for _ in Unit:
                await at.press("u")
                told.append((at.said, at.screen()[0].split("allow_")[0].strip()))
            assert told == [
                ("One step is one source line.", "simwasm  by line"),
                ("One step is one instruction.", "simwasm  by instruction"),
                ("One step is one ABI call.", "simwasm"),
            ]

    run(test())


def test_an_instruction_is_told_in_the_header_the_trace_and_the_listing() -> None:
    async def test() -> None:
        async with on_screen(small()) as at:
            await inside(at, "wasm")
            instant = at.stop.instant
            assert instant is not None
            assert f"■ ins 3 of {instant.total:,} · {HEADERS}" in at.screen()[0]
            assert HEADERS.removeprefix("proxy_") in one(at.lines("trace"), "▷")
            line = at.lines("wasm")[at.listed("wasm").cursor]
            assert line.startswith(f"▶ {instant.offset:x}")
            assert instant.text in line
            await at.press("S", "S", "S")
            assert at.stop.instant is None

    run(test())


def test_the_stack_has_arguments_and_what_has_changed_and_a_value_forks_the_run() -> None:
    async def test() -> None:
        async with on_screen(small()) as at:
            await inside(at, "stack")
            for _ in range(40):
                lines = await held(at)
                shown = at.lines("stack")
                if any("~ " in line for line in shown):
                    break
                await at.press("s")
            assert shown[0].startswith(f"▶   › {HEADERS}(")
            assert one(shown, "~ ")
            (place,) = [
                index for index, level in enumerate(lines.levels) if level.held and level.held.key[3] == "l1"
            ]
            at.listed("stack").go(place)
            await at.press("enter", "ctrl+u")
            await at.type("seven")
            await at.press("enter")
            assert isinstance(at.app.screen, Assigning)
            await until(at, lambda: any("no value for l1" in line for line in at.screen()))
            await at.press("ctrl+u", "7", "enter")
            await until(at, lambda: not isinstance(at.app.screen, Assigning))
            await held(at)
            assert one(at.lines("stack"), " l1 ").endswith("= 7")
            assert len(at.debugger.branches) == 2
            await at.press("V")
            assert one(at.screen(), "· l1 = 7")
            await at.press("escape", "M")
            assert any(f"ins {at.stop.moment.ticks} · {HEADERS}" in line for line in at.screen())

    run(test())


def test_breakpoints_and_running_to_the_cursor_in_the_listing() -> None:
    async def test() -> None:
        async with on_screen(small()) as at:
            await inside(at, "wasm", steps=1)
            shown = at.listed("wasm")
            shown.go(shown.cursor + 2)
            await at.press("b")
            (breakpoint,) = at.debugger.breakpoints
            assert breakpoint.where.startswith("at:0x")
            await until(at, lambda: at.lines("wasm")[shown.cursor].startswith(" ●"))
            await at.press("c")
            assert at.stop.breakpoints == (breakpoint.number,)
            await until(at, lambda: at.lines("wasm")[shown.cursor].startswith("▶●"))
            await at.press("b")
            assert not len(at.debugger.breakpoints)
            shown.go(shown.cursor + 1)
            offset = int(at.lines("wasm")[shown.cursor].split()[0], 16)
            await at.press("t")
            assert at.stop.instant is not None
            assert at.stop.instant.offset == offset

    run(test())


def test_a_breakpoint_on_a_line_of_source_stops_there() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await open_pane(at, "source")
            await goto(at, "proxy_send_local_response")
            await until(at, lambda: len(at.lines("source")) > 10)
            await at.press("b")
            (breakpoint,) = at.debugger.breakpoints
            assert breakpoint.where.startswith("allow_header/src/lib.rs:")
            assert at.lines("source")[at.listed("source").cursor].startswith("▶●")
            await at.press("R", "c")
            assert at.stop.breakpoints == (breakpoint.number,)
            assert at.stop.instant is not None
            assert str(at.stop.instant.place).endswith(breakpoint.where)

    run(test())


def test_bytes_are_written_by_hand_and_lead_to_the_instruction_that_wrote() -> None:
    async def test() -> None:
        async with on_screen(small()) as at:
            await open_pane(at, "memory")
            await goto(at, HEADERS, Kind.RETURN)
            memory = at.pane("memory")
            assert isinstance(memory, Memory)
            memory.goto(BUFFER)
            await at.press("u", "u", "P")
            await until(at, lambda: at.debugger.stop is not None and at.debugger.stop.instant is not None)
            assert at.stop.instant is not None
            assert at.stop.instant.text.startswith("i32.store8")
            assert at.stop.instant.name == "log_info"
            assert at.said.startswith(f"0x{BUFFER:x}: 23 32 20 00 → 23 32 20 77, written by log_info")
            await at.press("x")
            await at.type("0x616263")
            await at.press("enter")
            assert len(at.debugger.branches) == 2
            assert at.debugger.memory().read(BUFFER, 3) == b"abc"

    run(test())


def test_the_profile_leads_to_a_functions_instructions() -> None:
    async def test() -> None:
        async with on_screen(small(), (80, 24)) as at:
            await goto(at, HEADERS, Kind.CALLBACK)
            at.main.action_do("profile")
            await until(at, lambda: isinstance(at.app.screen, Profiling))
            shown = at.app.screen
            assert isinstance(shown, Profiling)
            assert f"{shown.found.total:,} instructions in" in shown.heading()
            (least,) = shown.found.functions[-1:]
            await at.press("end", "enter")
            await until(at, lambda: isinstance(at.main.body.pane("wasm"), Wasm) and at.pane("wasm").ready)
            wasm = at.pane("wasm")
            assert isinstance(wasm, Wasm)
            await until(at, lambda: wasm.frame is not None and wasm.frame.function == least.function)

    run(test())


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("function:on_re", "proxy_on_request_headers"),
        ("instruction:memory.g", "memory.grow"),
        ("instr", "instruction:"),
    ],
)
def test_places_in_code_are_completed(typed: str, found: str) -> None:
    assert found in [each.text for each in places(typed, len(typed), [HEADERS])]


def test_a_unit_brings_the_pane_that_shows_its_steps() -> None:
    """Unless one works in the strip, where another pane would take its place."""

    async def test() -> None:
        async with on_screen(debug_build(), (140, 44)) as at:
            shown = []
            for _ in Unit:
                await at.press("u")
                where = at.main.body.where(at.main.body.size)
                shown.append(at.main.body.active("strip", where))
            assert shown == ["source", "wasm", "wasm"]
            await open_pane(at, "stack")
            await at.press("u")
            assert at.main.body.active("strip", at.main.body.where(at.main.body.size)) == "stack"

    run(test())
