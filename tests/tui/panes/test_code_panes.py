"""Instructions, source and call stack: what they show at a stop of a real plugin, and where their keys lead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cases import ROOT
from debugging import inputs_for, requests
from looking import goto, one, open_pane, standing, until
from simwasm_tui.binaries import Spot
from simwasm_tui.panes.coded import Coded
from simwasm_tui.panes.source import Source
from simwasm_tui.panes.stack import Stack
from simwasm_tui.panes.stack_lines import StackLines, levels
from simwasm_tui.panes.wasm import Wasm
from simwasm_tui.panes.wasm_lines import WasmLines, target, title
from simwasm_tui.screens.pick import Pick
from simwasm_tui.text import plain
from terminal import Terminal, on_screen, run

from simwasm.debug.inputs import Inputs
from simwasm.errors import Frame
from simwasm.plugin import Plugin
from simwasm.sources import Remap
from simwasm.trace.rows import Kind
from simwasm.wasm.lines import Place

ANSWERS = "proxy_send_local_response"
FOLDER = ROOT / "samples" / "allow_header"


def debug_build() -> Inputs:
    """The sample that has debug information."""
    wasm = (FOLDER / "plugin.debug.wasm").read_bytes()
    return inputs_for(Plugin("allow_header", wasm), requests(2))


async def stand(at: Terminal, pane: str) -> None:
    """Stand at a host call, and see the call stack in a pane."""
    await open_pane(at, pane)
    await goto(at, ANSWERS)
    shown = at.pane(pane)
    assert isinstance(shown, Coded)
    await until(at, lambda: len(shown.spots) > 1 and shown.spots[0].place is not None)


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is in the project's folder."""
    monkeypatch.chdir(ROOT)


# What is known of the code.


def test_the_call_stack_is_asked_for_once_a_position() -> None:
    with standing(debug_build()) as at:
        at.go(ANSWERS)
        view = at.viewer.view()
        first = at.viewer.binaries.stack(view)
        assert first is not None
        names = [frame.name for frame in first.result(60)]
        assert names[0].endswith("send_http_response")
        assert names[-1] == "proxy_on_request_headers"
        assert at.viewer.binaries.stack(at.viewer.view()) is first


def test_between_calls_only_the_callback_is_known() -> None:
    with standing(debug_build()) as at:
        for kind in (Kind.CALLBACK, Kind.RETURN):
            at.go("proxy_on_request_headers", kind)
            view = at.viewer.view()
            assert at.viewer.binaries.stack(view) is None
            (frame,) = at.viewer.binaries.known(view)
            assert frame.name == "proxy_on_request_headers"
            binary = at.viewer.binaries.of(view)
            assert binary is not None
            listing = binary.listing(frame.function)
            assert frame.offset == listing[0 if kind is Kind.CALLBACK else -1].offset


def test_a_trap_tells_its_own_frames() -> None:
    wat = '(func $deep unreachable) (func (export "proxy_on_context_create") (param i32 i32) (call $deep))'
    from wat import plugin

    with standing(inputs_for(plugin(wat), ())) as at:
        at.go("proxy_on_context_create", Kind.TRAP)
        frames = at.viewer.binaries.known(at.viewer.view())
        assert [frame.name for frame in frames] == ["deep", "proxy_on_context_create"]


# Lines.


def test_frames_stand_between_the_calls_of_the_abi_they_belong_to() -> None:
    with standing(debug_build()) as at:
        sight = at.go(ANSWERS)
        spots = (
            Spot(Frame(7, "inner\x1b[31m", 0x20), Place("/src/lib.rs", 4)),
            Spot(Frame(8, "outer", 0x30)),
        )
        position = sight.stop.position
        call, inner, outer, callback = levels(sight.tape, position, spots)
        assert (call.position, inner.frame, outer.frame) == (position, 0, 1)
        assert callback.position == sight.tape.around(position)
        lines = StackLines(sight.tape, position, spots, 1)
        shown = [plain(lines.line(index, 80)) for index in range(len(lines))]
        assert shown[0].startswith("▶ send_local_response(403")
        assert "inner\\e[31m  +0x20" in shown[1]
        assert shown[1].endswith("lib.rs:4 ")
        assert shown[2].startswith("    › outer")
        assert "← on_request_headers" in shown[3]


def test_instructions_have_their_offset_and_what_a_number_means() -> None:
    with standing(debug_build()) as at:
        at.go(ANSWERS)
        binary = at.viewer.binaries.of(at.viewer.view())
        assert binary is not None
        frame = binary.exported("proxy_on_request_headers")
        assert frame is not None
        listing = binary.listing(frame.function)
        lines = WasmLines(listing, listing[3].offset)
        assert lines.current == 3
        assert plain(lines.line(3, 100)).startswith(f"▶ {listing[3].offset:x}  ")
        call = next(index for index, each in enumerate(listing) if target(each) is not None)
        assert plain(lines.line(call, 200)).split(";; ")[1] == binary.names[target(listing[call]) or 0]
        assert title(binary, frame.function).endswith("proxy_on_request_headers (i32 i32 i32 -> i32)")


def test_imported_functions_have_no_instructions() -> None:
    with standing(debug_build()) as at:
        at.go(ANSWERS)
        binary = at.viewer.binaries.of(at.viewer.view())
        assert binary is not None
        assert binary.listing(0) == ()


# Instructions on the screen.


def wasm(at: Terminal) -> Wasm:
    pane = at.pane("wasm")
    assert isinstance(pane, Wasm)
    return pane


def test_the_call_that_is_made_is_marked() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await stand(at, "wasm")
            line = at.lines("wasm")[wasm(at).list.cursor]
            assert line.startswith("▶ ")
            assert line.endswith(";; proxy_send_local_response")
            await at.press("enter")
            assert "the host's function" in at.said

    run(test())


def test_calls_are_followed_and_left_again() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await goto(at, "proxy_on_request_headers", Kind.CALLBACK)
            await open_pane(at, "wasm")
            lines = wasm(at).list.lines
            assert isinstance(lines, WasmLines)
            first = wasm(at).frame
            binary = wasm(at).binary
            assert binary is not None
            calls = [
                index
                for index, each in enumerate(lines.instructions)
                if (target(each) or 0) >= binary.imported
            ]
            wasm(at).list.go(calls[0])
            await at.press("enter")
            shown = wasm(at).frame
            assert shown is not None
            assert shown.function == target(lines.instructions[calls[0]])
            await at.press("minus")
            assert wasm(at).frame == first
            assert wasm(at).list.cursor == calls[0]
            await at.press("minus")
            assert at.said == "This is where you began."

    run(test())


def test_any_function_is_found_by_some_letters_and_the_stop_again() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await stand(at, "wasm")
            here = wasm(at).frame
            await at.press("slash")
            assert isinstance(at.app.screen, Pick)
            await at.type("onvmstart")
            await at.press("enter")
            shown = wasm(at).frame
            assert shown is not None
            assert "on_vm_start" in shown.name
            await at.press("full_stop")
            assert wasm(at).frame == here

    run(test())


def test_the_picker_says_if_nothing_has_these_letters() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await stand(at, "wasm")
            await at.press("slash")
            await at.type("qqqqzz")
            await at.press("enter")
            assert isinstance(at.app.screen, Pick)
            assert [line for line in at.screen() if "No name has these letters" in line]
            await at.press("escape")
            assert not isinstance(at.app.screen, Pick)

    run(test())


def test_a_shows_the_caller() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await stand(at, "wasm")
            await at.press("a")
            assert wasm(at).frame == wasm(at).spots[1].frame
            assert at.lines("wasm")[wasm(at).list.cursor].startswith("▶ ")

    run(test())


# Source on the screen.


def source(at: Terminal) -> Source:
    pane = at.pane("source")
    assert isinstance(pane, Source)
    return pane


def test_the_line_of_ones_own_code_is_shown_although_a_library_makes_the_call() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await stand(at, "source")
            await until(at, lambda: source(at).place is not None)
            line = at.lines("source")[source(at).list.cursor]
            assert line.startswith("▶ ")
            assert "self.send_http_response(" in line
            assert source(at).note.startswith("src/lib.rs:")

    run(test())


def test_source_that_is_not_here_says_what_to_do_and_is_found_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await stand(at, "source")
            await until(at, lambda: source(at).place is not None)
            assert "Press r to say" in source(at).list.empty
            spot = next(
                index
                for index, each in enumerate(source(at).spots)
                if each.place and "lib.rs" in each.place.file
            )
            source(at).choose(spot)
            await until(at, lambda: source(at).place == source(at).spots[spot].place)
            await at.press("r")
            typing = at.main.ask_line.query_one("Input")
            typing.value = "samples=nowhere"  # type: ignore[attr-defined]  # an input
            await at.press("enter")
            assert at.main.ask_line.is_open
            typing.value = f"samples={ROOT / 'samples'}"  # type: ignore[attr-defined]  # an input
            await at.press("enter")
            await until(at, lambda: len(source(at).list.lines) > 10)
            assert one([line for line in at.lines("source") if line.startswith("▶")], "send_http_response")

    run(test())


def test_source_is_found_in_the_folder_that_the_command_line_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (plugin,) = debug_build().plugins
    told = replace(plugin, remaps=(Remap("samples/", f"{ROOT / 'samples'}/"),))

    async def test() -> None:
        async with on_screen(inputs_for(told, requests(2))) as at:
            await stand(at, "source")
            await until(at, lambda: len(source(at).list.lines) > 10)
            assert one([line for line in at.lines("source") if line.startswith("▶")], "send_http_response")

    run(test())


@pytest.mark.parametrize("case", ["allow_header_go/browser", "allow_header_as/browser", "http_auth/browser"])
def test_without_debug_information_the_pane_teaches_how_to_build_it(case: str) -> None:
    async def test() -> None:
        async with on_screen(case) as at:
            await open_pane(at, "source")
            await goto(at, "proxy_on_request_headers", Kind.CALLBACK)
            assert "debug = true in Cargo.toml" in source(at).list.empty
            assert "asc --debug" in source(at).list.empty

    run(test())


# The call stack on the screen.


def test_enter_on_a_frame_shows_its_source_and_its_instructions() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await open_pane(at, "wasm")
            await stand(at, "stack")
            stack = at.pane("stack")
            assert isinstance(stack, Stack)
            mine = next(index for index, line in enumerate(at.lines("stack")) if "lib.rs" in line)
            stack.list.go(mine)
            await at.press("enter")
            await until(at, lambda: "lib.rs" in str(source(at).place))
            await open_pane(at, "wasm")
            await until(at, lambda: wasm(at).frame == stack.spots[mine - 1].frame)

    run(test())


def test_enter_on_a_call_of_the_abi_goes_to_its_row() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await stand(at, "stack")
            await at.press("end", "enter")
            entered = at.debugger.tape.entered(at.stop.position)
            assert entered.function.name == "proxy_on_request_headers"

    run(test())


def test_asking_for_the_stack_leaves_the_run_where_it_stands() -> None:
    async def test() -> None:
        async with on_screen(debug_build()) as at:
            await goto(at, ANSWERS)
            position = at.stop.position
            await stand(at, "stack")
            assert at.stop.position == position
            await at.press("s")
            assert at.stop.row == at.debugger.tape.rows.at(position) + 1

    run(test())
