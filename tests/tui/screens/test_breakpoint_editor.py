"""The breakpoint editor: what is typed becomes a breakpoint, and what is wrong is said while it is typed."""

from __future__ import annotations

from simwasm_tui.screens.breakpoint_editor import BreakpointEditor, places
from simwasm_tui.screens.form import Field
from simwasm_tui.screens.main import MainScreen
from terminal import Terminal, on_screen, run
from textual.widgets import Static
from until import until

CASE = "http_auth/browser"


def editor(at: Terminal) -> BreakpointEditor:
    assert isinstance(at.app.screen, BreakpointEditor)
    return at.app.screen


def field(at: Terminal, name: str) -> Field:
    return editor(at).query_one(f"#{name}", Field)


def under(at: Terminal, name: str) -> str:
    return str(field(at, name).query_one(".under", Static).content)


def test_b_on_a_row_offers_its_function() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "B")
            assert field(at, "where").text == "proxy_on_request_headers"

    run(test())


def test_what_is_wrong_is_said_while_it_is_typed_and_nothing_is_set() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("B", "ctrl+u")
            await at.type("on_request_hedaers")
            assert "no function `on_request_hedaers`" in under(at, "where")
            await at.press("enter")
            assert isinstance(at.app.screen, BreakpointEditor)
            assert not len(at.debugger.breakpoints)

    run(test())


def test_nothing_is_no_place() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("B", "ctrl+u", "enter")
            assert "a breakpoint needs a place" in under(at, "where")

    run(test())


def test_all_fields_become_a_breakpoint() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("B", "ctrl+u")
            await at.type("get_header_map_value")
            await at.press("down")
            await at.type("status!=OK")
            await at.press("down")
            await at.type("every 2")
            await at.press("down")
            await at.type("{key}")
            await at.press("ctrl+t", "enter")
            assert isinstance(at.app.screen, MainScreen)
            found = at.debugger.breakpoints.get(1)
            assert (found.where, found.condition, found.every) == ("get_header_map_value", "status!=OK", 2)
            assert (found.message, found.enabled) == ("{key}", False)

    run(test())


def test_a_breakpoint_is_edited_in_its_place() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            at.debugger.breakpoints.add("proxy_on_request_headers", ignore=2)
            await at.press("s", "s", "B")
            assert field(at, "rule").text == ">2"
            await at.press("down")
            await at.type("method:POST")
            await at.press("enter")
            assert [(each.number, each.condition, each.ignore) for each in at.debugger.breakpoints] == [
                (1, "method:POST", 2)
            ]

    run(test())


def test_escape_changes_nothing() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "B", "escape")
            assert isinstance(at.app.screen, MainScreen)
            assert not len(at.debugger.breakpoints)

    run(test())


def test_it_tells_how_often_the_run_comes_by_there() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("B", "ctrl+u")
            await at.type("on_request_headers")
            shown = editor(at).query_one("#sum", Static)
            await until(lambda: "3 hits on this tape" in str(shown.content))
            await at.press("down", "down")
            await at.type("3")
            await until(lambda: "3 hits on this tape, 1 of them stop" in str(shown.content))

    run(test())


def test_tab_completes_as_far_as_it_is_clear_and_then_goes_on() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("B", "ctrl+u")
            await at.type("on_request_h")
            await at.press("tab")
            assert field(at, "where").text == "on_request_headers"
            await at.press("tab")
            assert editor(at).focused is field(at, "condition").query_one("Typing")

    run(test())


def test_functions_terms_and_memory_are_offered() -> None:
    assert {"get_header", "get_header_map_value"} <= {each.text for each in places("get_h", 5)}
    assert "status:" in {each.text for each in places("get_header sta", 14)}
    assert "memory:" in {each.text for each in places("mem", 3)}
