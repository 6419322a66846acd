"""The main screen: what each key does, seen in the run and in what the panes show."""

from __future__ import annotations

import pytest
from simwasm_tui.commands import COMMANDS, method
from simwasm_tui.layout import LAYOUTS
from simwasm_tui.screens.help import Help
from simwasm_tui.screens.jump import Jump
from simwasm_tui.screens.main import MainScreen
from terminal import Terminal, on_screen, run
from textual.widgets import Input

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.stop import Why
from simwasm.trace.rows import Kind

CASE = "http_auth/browser"


def row_of(at: Terminal, name: str, kind: Kind = Kind.HOST_CALL, nth: int = 0) -> int:
    """A row of the run, by what it calls."""
    rows = at.debugger.tape.rows
    found = [
        r.index
        for r in map(rows.__getitem__, range(len(rows)))
        if (r.entered.function.name, r.kind) == (name, kind)
    ]
    return found[nth]


def test_the_run_is_recorded_and_stands_on_the_first_row_of_the_first_exchange() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            assert at.debugger.tape.complete
            assert at.stop.why is Why.ENTRY
            assert at.trace.row == at.stop.row
            assert at.screen()[0].startswith(" simwasm  http_auth  abi 0.2.1")

    run(test())


def test_steps_go_over_the_allocator_and_back() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("t")
            seen = [at.stop.row]
            for _ in range(8):
                await at.press("s")
                seen.append(at.stop.row)
            names = {at.debugger.tape.rows[row].entered.function.name for row in seen}
            assert not names & set(ALLOCATORS)
            for row in reversed(seen[:-1]):
                await at.press("S")
                assert at.stop.row == row

    run(test())


def test_steps_go_into_the_allocator_while_it_is_shown() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            first = row_of(at, ALLOCATORS[1], Kind.CALLBACK, 1)
            await at.press("a")
            at.main.goto(at.debugger.tape.rows.position(first - 1))
            await at.settle()
            await at.press("s")
            assert at.stop.row == first

    run(test())


VERBS: list[tuple[list[str], str, Kind]] = [
    (["s", "s"], "proxy_on_request_headers", Kind.CALLBACK),
    (["s", "s", "s", "n"], "proxy_http_call", Kind.HOST_CALL),
    (["s", "s", "f"], "proxy_on_request_headers", Kind.RETURN),
    (["s", "s", "s", "s", "F"], "proxy_on_request_headers", Kind.CALLBACK),
    (["right_curly_bracket"], "proxy_on_request_headers", Kind.CALLBACK),
    (["s", "s", "s", "left_curly_bracket"], "proxy_on_request_headers", Kind.CALLBACK),
    (["s", "s", "n", "N"], "proxy_on_request_headers", Kind.CALLBACK),
    (["s", "s", "R"], "proxy_on_context_create", Kind.CALLBACK),
]


def test_verbs_lead_where_they_say() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            begin = at.stop.row
            for keys, name, kind in VERBS:
                at.main.goto(at.debugger.tape.rows.position(begin))
                await at.settle()
                await at.press(*keys)
                row = at.debugger.tape.rows[at.stop.row]
                assert (row.entered.function.name, row.kind) == (name, kind), keys

    run(test())


def test_continue_goes_to_the_next_breakpoint_and_back_to_it() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            call = row_of(at, "proxy_http_call")
            at.trace.list.go(at.trace.outline.place(call))  # type: ignore[union-attr]  # it is there
            await at.press("b", "c")
            assert (at.stop.row, at.stop.why) == (call, Why.BREAKPOINT)
            await at.press("c", "C")
            assert at.stop.row == call
            assert any(line.startswith("▶● 1 http_call") for line in at.lines("breakpoints"))

    run(test())


def test_b_again_takes_the_breakpoint_away() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "s", "b", "b")
            assert at.debugger.breakpoints.all == ()
            assert "is gone" in at.said

    run(test())


def test_a_breakpoint_is_seen_in_the_trace_and_in_the_timeline() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "s", "b")
            assert sum("●" in line[:3] for line in at.lines("trace")) == len(at.view.hits[1])
            assert "●" in at.screen()[1]

    run(test())


def test_breakpoints_are_switched_and_removed_in_their_list() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "s", "b")
            at.main.body.open("breakpoints")
            await at.settle()
            await at.press("x")
            assert not at.debugger.breakpoints.get(1).enabled
            assert at.lines("breakpoints")[0].lstrip().startswith("○ 1")
            await at.press("d")
            assert at.debugger.breakpoints.all == ()

    run(test())


def test_enter_goes_to_the_row_under_the_cursor_and_dot_finds_back() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("down", "down", "down")
            row = at.trace.row
            await at.press("enter")
            assert at.stop.row == row
            await at.press("home", "full_stop")
            assert at.trace.row == row

    run(test())


def test_going_to_a_row_by_its_number() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("g")
            await at.type("20")
            await at.press("enter")
            assert at.stop.row == 19

    run(test())


def test_a_row_that_is_not_there_is_refused_and_can_be_corrected() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            before = at.stop.row
            await at.press("g")
            await at.type("9999")
            await at.press("enter")
            assert at.main.ask_line.is_open
            assert "a row is a number from 1 to 95" in at.said
            await at.press("escape")
            assert (at.main.ask_line.is_open, at.stop.row) == (False, before)

    run(test())


def test_the_filter_shows_only_what_it_describes() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("slash")
            await at.type("call:http_call")
            await at.press("enter")
            assert len(at.lines("trace")) == 3
            assert all("http_call(" in line for line in at.lines("trace"))
            await at.press("escape")
            assert len(at.lines("trace")) > 50

    run(test())


@pytest.mark.parametrize(
    ("typed", "completed", "said"),
    [
        ("stat", "status:", "NOT_FOUND"),
        ("call:get_he", "call:get_header_map_", "get_header_map_value"),
        ("zzz", "zzz", "Nothing that may stand here"),
    ],
)
def test_tab_completes_the_filter_and_says_what_there_is(typed: str, completed: str, said: str) -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("slash")
            await at.type(typed)
            await at.press("tab")
            assert at.main.query_one(Input).value == completed
            assert said in at.said

    run(test())


def test_a_filter_that_is_none_says_why() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("slash")
            await at.type("colour:red")
            await at.press("enter")
            assert at.main.ask_line.is_open
            assert "colour" in at.said

    run(test())


def test_a_filter_without_rows_teaches_how_to_leave_it() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("slash")
            await at.type("ctx:99")
            await at.press("enter")
            assert at.lines("trace") == []
            assert any("No row is as the filter wants it" in line for line in at.screen())

    run(test())


def test_bookmarks_are_set_shown_visited_and_removed() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            here = at.stop.row
            await at.press("m", "s", "s", "s", "apostrophe")
            assert at.stop.row == here
            assert any("◆" in line[:3] for line in at.lines("trace"))
            await at.press("m")
            assert at.view.bookmarks == ()

    run(test())


def test_marks_are_visited_in_their_order() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "m", "s", "s", "m")
            rows = [at.debugger.tape.rows.at(position) for position in at.view.bookmarks]
            await at.press("R", "right_square_bracket")
            assert at.stop.row == rows[0]
            await at.press("right_square_bracket")
            assert at.stop.row == rows[1]
            await at.press("left_square_bracket")
            assert at.stop.row == rows[0]

    run(test())


def test_folding_hides_a_callback_and_going_into_it_opens_it() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "left")
            assert "… 2 calls → PAUSE" in at.lines("trace")[at.listed("trace").cursor]
            await at.press("s")
            assert not at.trace.outline.folded  # type: ignore[union-attr]  # it is there
            assert at.trace.row == at.stop.row

    run(test())


def test_all_callbacks_fold_into_a_line_each_and_unfold() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            before = at.lines("trace")
            await at.press("minus")
            assert all("▸" in line for line in at.lines("trace"))
            await at.press("plus")
            assert at.lines("trace") == before

    run(test())


def test_layouts_go_round() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            seen = []
            for _ in LAYOUTS:
                await at.press("f2")
                seen.append(at.main.body.wanted.layout)
            assert seen == [*LAYOUTS[1:], LAYOUTS[0]]

    run(test())


def test_a_pane_is_maximised_and_comes_back() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            before = at.listed("trace").size
            await at.press("z")
            assert at.listed("trace").size.width > before.width
            assert not at.pane("streams").display
            await at.press("escape")
            assert at.listed("trace").size == before

    run(test())


def test_the_left_column_hides_and_shows() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("backslash")
            assert not at.pane("streams").display
            await at.press("backslash")
            assert at.pane("streams").display

    run(test())


@pytest.mark.parametrize(
    ("key", "pane"), [("1", "streams"), ("2", "trace"), ("3", "inspector"), ("4", "memory")]
)
def test_numbers_focus_panes(key: str, pane: str) -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press(key)
            focused = at.main.body.focused_pane()
            assert focused is not None
            assert focused.id == pane

    run(test())


def test_the_number_of_the_tabs_goes_on_to_the_next_tab() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("4", "4", "4")
            focused = at.main.body.focused_pane()
            assert focused is not None
            assert focused.id == "wasm"

    run(test())


def test_a_click_on_a_tab_opens_it() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            body = at.main.body
            spot = next(spot for spot in body.spots if spot.pane == "log")
            await at.click(body, spot.x + 1, spot.y)
            assert at.pane("log").display
            assert len(at.lines("log")) == len(at.debugger.tape.lines)

    run(test())


def test_a_click_on_the_timeline_goes_there() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            timeline = at.main.query_one("#timeline")
            text = at.screen()[1]
            await at.click(timeline, text.index("#2") + 1, 0)
            assert at.view.span is not None
            assert at.view.span.index == 1

    run(test())


def test_a_double_click_in_the_trace_goes_to_the_row() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            listing = at.listed("trace")
            await at.click(listing, 10, 4, times=2)
            assert at.stop.row == at.trace.outline[listing.scroll_offset.y + 4]  # type: ignore[index]  # it is there

    run(test())


def test_a_click_on_a_key_does_what_the_key_does() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            before = at.stop.row
            keys = at.main.query_one("#keys")
            await at.click(keys, at.screen()[-1].index("step"), 0)
            assert at.stop.row == before + 1

    run(test())


def test_an_exchange_is_chosen_in_the_streams() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("1", "end", "enter")
            assert at.view.span is not None
            assert at.view.span.index == 2

    run(test())


def test_streams_show_what_became_of_each_exchange() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            lines = at.lines("streams")
            assert [line.split()[-1] for line in lines if " GET " in line or " POST " in line] == [
                "200",
                "!",
                "200",
            ]
            assert any(line.split()[-2:] == ["403", "!"] for line in lines)

    run(test())


def test_the_foot_of_the_trace_says_which_rows_are_in_sight() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            listing = at.listed("trace")
            assert at.trace.note.startswith("1–")
            listing.scroll_to(y=10, animate=False)
            await at.settle()
            first, last = (at.trace.outline[10 + line] + 1 for line in (0, listing.size.height - 1))  # type: ignore[index]
            assert at.trace.note == f"{first}–{last} of 95"

    run(test())


def test_jump_goes_to_the_pane_whose_letter_is_pressed() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.pilot.press("o")
            screen = at.app.screen
            assert isinstance(screen, Jump)
            letter = next(letter for letter, spot in screen.spots.items() if spot.pane == "log")
            await at.press(letter)
            focused = at.main.body.focused_pane()
            assert focused is not None
            assert focused.id == "log"

    run(test())


def test_help_explains_the_focused_pane() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("1", "question_mark")
            assert isinstance(at.app.screen, Help)
            assert any("Every recorded exchange" in line for line in at.screen())
            await at.press("q")
            assert isinstance(at.app.screen, MainScreen)

    run(test())


def test_the_palette_has_every_command() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.pilot.press("ctrl+p")
            await at.pilot.pause()
            await at.pilot.press(*"over", "space", *"back")
            for _ in range(100):
                await at.pilot.pause(0.02)
                if any("Step over, backwards" in line for line in at.screen()):
                    break
            assert any("Step over, backwards" in line for line in at.screen())

    run(test())


def test_every_command_is_done_by_a_method() -> None:
    assert [command.id for command in COMMANDS if not hasattr(MainScreen, method(command.id))] == []


def test_no_two_commands_have_the_same_key() -> None:
    keys = [key for command in COMMANDS for key in command.keys.split(",") if key]
    assert sorted(keys) == sorted(set(keys))


def test_copying_takes_the_line_under_the_cursor() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("y")
            assert "on_context_create" in at.app.clipboard

    run(test())


def test_ctrl_c_at_rest_says_how_to_leave_and_leaves_nothing() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("ctrl+c")
            assert "q leaves" in at.said
            assert at.app.is_running

    run(test())


def test_q_leaves() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.pilot.press("q")
            await at.pilot.pause()
            assert at.app.debugger is None or not at.app.is_running

    run(test())


@pytest.mark.parametrize("size", [(59, 30), (120, 15)])
def test_a_terminal_that_is_too_small_says_so(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with on_screen(CASE, size) as at:
            assert any("too small" in line for line in at.screen())
            await at.pilot.resize_terminal(120, 40)
            await at.settle()
            assert any("ABI trace" in line for line in at.screen())

    run(test())


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
def test_every_size_shows_trace_state_and_keys(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with on_screen(CASE, size) as at:
            screen = at.screen()
            assert "callback begins" in screen[0]
            assert any("on_context_create(2, 1)" in line for line in screen)
            assert "step" in screen[-1] and "help" in screen[-1]
            assert max(map(len, screen)) <= size[0]

    run(test())


def test_at_eighty_columns_the_inspector_is_a_tab() -> None:
    async def test() -> None:
        async with on_screen(CASE, (80, 24)) as at:
            assert any("Inspect" in line and "Memory" in line for line in at.screen())
            await at.press("3")
            focused = at.main.body.focused_pane()
            assert focused is not None
            assert focused.id == "inspector"

    run(test())
