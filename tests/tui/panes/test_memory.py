"""The memory: finding and following in it, what its lines show, and what its keys do."""

from __future__ import annotations

import pytest
from debugging import inputs_for, requests
from looking import goto, open_pane, standing, texts, until
from simwasm_tui.panes import memory_reading as reading
from simwasm_tui.panes.hexlines import HexBytes, columns_for, hex_line, width_of
from simwasm_tui.panes.memory import Memory
from simwasm_tui.panes.memory_lines import MemoryLines, Stretch, TextLines, stretches
from simwasm_tui.panes.memory_reading import WINDOW, find, grown, next_different, pointer, wanted
from simwasm_tui.sight import Bytes
from simwasm_tui.text import cells, plain
from terminal import Terminal, on_screen, run
from wat import callback, plugin

from simwasm.debug.inputs import Inputs
from simwasm.trace.rows import Kind

CASE = "http_auth/browser"
WRITES = """
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (data (i32.const 256) "hello world, this is said")
  (data (i32.const 64) "\\00\\01\\00\\00")
  (func $say (drop (call $log (i32.const 2) (i32.const 256) (i32.const 11))))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (i32.store (i32.const 128) (local.get 0)) (call $say)
    (i32.store8 (i32.const 258) (i32.const 76)) (call $say)
    i32.const 0)
"""


def writing(count: int = 1, memory: str = "1") -> Inputs:
    """A plugin that writes between its log lines."""
    return inputs_for(plugin(WRITES, memory=memory), requests(count))


def memory(at: Terminal) -> Memory:
    pane = at.pane("memory")
    assert isinstance(pane, Memory)
    return pane


# Reading.


@pytest.mark.parametrize(
    ("typed", "data"),
    [
        ("hello", b"hello"),
        ('"0x61"', b"0x61"),
        ("0x61 62", b"ab"),
        ("hex:6162", b"ab"),
        ("0xzz", b"0xzz"),
        ("é", "é".encode()),
    ],
)
def test_what_is_looked_for(typed: str, data: bytes) -> None:
    assert wanted(typed) == data


@pytest.mark.parametrize(
    ("start", "back", "found"),
    [(0, False, 10), (10, False, 20), (20, False, 10), (20, True, 10), (10, True, 20)],
)
def test_finding_goes_round_the_end(start: int, back: bool, found: int) -> None:
    data = bytearray(30)
    data[10:12] = data[20:22] = b"ab"
    assert find(Bytes(bytes(data)), b"ab", start, back=back) == found


def test_what_lies_across_two_windows_is_found_in_both_directions() -> None:
    data = bytearray(2 * WINDOW + 10)
    data[WINDOW - 1 : WINDOW + 2] = b"abc"
    assert find(Bytes(bytes(data)), b"abc", 0) == WINDOW - 1
    assert find(Bytes(bytes(data)), b"abc", 2 * WINDOW, back=True) == WINDOW - 1
    assert find(Bytes(bytes(data)), b"nowhere", 5) is None


def test_a_pointer_is_an_address_of_the_memory() -> None:
    data = Bytes((16).to_bytes(4, "little") + (1 << 20).to_bytes(4, "little") + bytes(16))
    assert (pointer(data, 0), pointer(data, 4), pointer(data, 8), pointer(data, 23)) == (16, None, None, None)


def test_texts_are_whole_where_a_window_ends_in_them() -> None:
    data = bytearray(WINDOW + 100)
    data[5:12] = b"printed"
    data[WINDOW - 4 : WINDOW + 4] = b"splitted"
    assert [(found.at, found.data) for found in reading.texts(Bytes(bytes(data)))] == [
        (5, b"printed"),
        (WINDOW - 4, b"splitted"),
    ]


def test_a_memory_that_is_one_text_is_read_to_its_end() -> None:
    assert sum(len(found.data) for found in reading.texts(Bytes(b"x" * (3 * WINDOW)))) == 3 * WINDOW


def test_the_next_changed_byte_round_the_end() -> None:
    before, now = bytes(100), bytearray(100)
    now[10] = now[50] = 1
    assert [next_different(before, Bytes(bytes(now)), at) for at in (0, 10, 50)] == [10, 50, 10]
    assert next_different(before, Bytes(bytes(now)), 50, back=True) == 10
    assert next_different(before, Bytes(before), 0) is None


def test_how_a_memory_has_grown() -> None:
    assert grown(65536, 196608) == "192 KiB (+2 pages)"
    assert grown(0, 65536) == grown(65536, 65536) == "64 KiB"
    assert grown(0, 1 << 30) == "1,024 MiB"


# Lines.


def test_the_bytes_of_an_argument_stand_in_brackets_and_what_has_changed_between_stars() -> None:
    marks = {"argument": range(2, 5), "changed": [5, 7]}
    assert plain(hex_line(0x2F40, b"\0\0key\1\0\2" + bytes(8), 16, 5, marks)) == (
        "02f40  00 00[6b 65 79|01*00*02* 00 00 00 00 00 00 00 00 │..key...........│"
    )


def test_a_mark_that_goes_on_is_closed_at_the_end_of_the_line() -> None:
    assert plain(hex_line(0, b"abcdefgh", 8, 4, {"argument": range(4, 8)})) == (
        "0000  61 62 63 64[65 66 67 68]│abcdefgh│"
    )


@pytest.mark.parametrize(("width", "columns"), [(120, 16), (79, 16), (70, 8), (42, 8), (31, 4)])
def test_as_many_bytes_as_there_is_room_for(width: int, columns: int) -> None:
    assert columns_for(width, 5) == columns
    assert width_of(columns, 5) == cells(hex_line(0, bytes(columns), columns, 5)) <= width


def test_the_last_line_of_bytes_is_as_wide_as_the_others() -> None:
    lines = HexBytes(b"x" * 20, 80)
    assert cells(lines.line(0, 80)) == cells(lines.line(1, 80))


def test_a_line_tells_what_begins_on_it_and_how_much_has_changed() -> None:
    now = bytearray(32)
    now[1] = 1
    lines = MemoryLines(Bytes(bytes(now)), 120, arguments=(Stretch(16, 3, "key"),), before=bytes(32))
    assert plain(lines.line(0, 120)).endswith("│ Δ 1 B")
    assert plain(lines.line(1, 120)).endswith("│ ◂ key 3 B")


def test_what_is_chosen_stands_in_braces() -> None:
    lines = MemoryLines(Bytes(bytes(16)), 120, selected=Stretch(2, 2, "found"))
    assert " 00 00{00 00}00 " in plain(lines.line(0, 120))


def test_the_arguments_of_a_real_call_are_marked() -> None:
    with standing(CASE) as at:
        sight = at.go("proxy_get_header_map_value")
        assert sight.memory is not None
        marked = stretches(sight.arguments)
        lines = MemoryLines(sight.memory, 120, arguments=marked)
        key = next(each for each in marked if each.name == "key")
        line = plain(lines.line(key.at // 16, 120))
        assert "[61" in line
        assert "◂ key 13 B" in line


def test_texts_are_harmless() -> None:
    found = [reading.Found(16, b"tab\there")]
    assert texts(TextLines(found, 5)) == ["00010     8 tab\\there"]


# On the screen.


def test_a_stop_shows_the_bytes_of_its_call() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            assert memory(at).at == 256
            assert "[68 65 6c 6c 6f 20 77 6f  72 6c 64]" in at.lines("memory")[16]
            assert [line for line in at.screen() if "◂ message 11 B" in line]

    run(test())


def test_bytes_that_changed_since_the_stop_before_are_marked_and_d_goes_there() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            await at.press("s")
            assert "*4c*" not in at.lines("memory")[16]  # it is one of the argument's: those are drawn first
            assert memory(at).note.endswith("Δ since row 6")
            await at.press("a", "home", "d")
            assert memory(at).at == 258

    run(test())


def test_an_address_is_gone_to_and_left_again() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            await at.press("at")
            await at.type("0x40")
            await at.press("enter")
            assert memory(at).at == 64
            assert at.app.focused is memory(at).list
            await at.press("enter")
            assert memory(at).at == 256
            await at.press("minus")
            assert memory(at).at == 64
            await at.press("minus")
            assert memory(at).at == 256
            await at.press("minus", "plus")
            assert memory(at).at == 64

    run(test())


def test_what_is_no_address_is_told_and_asked_again() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            for typed in ("0x10000", "headers", '"text"', "nonsense("):
                await at.press("at")
                await at.type(typed)
                await at.press("enter")
                assert at.main.ask_line.is_open, typed
                assert memory(at).at == 256
                await at.press("escape")

    run(test())


def test_a_question_that_is_left_gives_the_focus_back_to_the_pane() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            await at.press("at", "escape")
            assert at.app.focused is memory(at).list
            await at.press("slash", "escape", "o", "escape")
            assert memory(at).looked_for == b""

    run(test())


def test_a_text_is_found_and_found_again() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            await at.press("slash")
            await at.type("is")
            await at.press("enter")
            places = [memory(at).at]
            await at.press("greater_than_sign", "greater_than_sign")
            places.append(memory(at).at)
            await at.press("less_than_sign")
            assert [*places, memory(at).at] == [271, 271, 274]

    run(test())


def test_the_cursor_goes_byte_by_byte_and_line_by_line() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            await at.press("right", "right", "down", "left")
            assert memory(at).at == 256 + 16 + 1
            await at.press("home")
            assert memory(at).at == 1

    run(test())


def test_the_byte_that_is_clicked_has_the_cursor() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            shown = memory(at).list
            await at.click(shown, 6 + 3 * 9 + 2, 256 // 16 - shown.scroll_offset.y)
            assert memory(at).at == 256 + 9

    run(test())


def test_texts_are_listed_and_enter_goes_to_one() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            await at.press("v")
            await until(at, lambda: len(memory(at).list.lines))
            assert at.lines("memory") == ["00100    25 hello world, this is said"]
            await at.press("enter")
            assert (memory(at).at, memory(at).texts) == (256, False)

    run(test())


def test_w_sets_a_breakpoint_on_the_bytes_of_the_argument() -> None:
    async def test() -> None:
        async with on_screen(writing()) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            await at.press("w")
            assert [each.where for each in at.debugger.breakpoints.all] == ["memory:0x100+11"]

    run(test())


def test_who_wrote_bytes_is_the_last_time_before_now_at_which_they_changed() -> None:
    async def test() -> None:
        async with on_screen(writing(3)) as at:
            await goto(at, "proxy_log", nth=4)
            await open_pane(at, "memory")
            await at.press("at")
            await at.type("128")
            await at.press("enter", "P")
            logs = [each.position for each in map(at.debugger.tape.rows.__getitem__, range(len(at.debugger.tape.rows)))
                    if each.entered.function.name == "proxy_log" and each.kind is Kind.HOST_CALL]  # fmt: skip
            await until(at, lambda: at.debugger.stop is not None and at.debugger.stop.position == logs[2])
            assert memory(at).at == 128

    run(test())


def test_a_gibibyte_is_not_copied_and_says_so() -> None:
    async def test() -> None:
        async with on_screen(writing(memory="16384")) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            await at.press("end")
            assert memory(at).note == "0x3ffffff0 · 1,024 MiB · changes are not shown above 64 MiB"
            assert len(memory(at).list.lines) == 1 << 26
            assert [line for line in at.screen() if line.startswith("3ffffff0 ")]

    run(test())


def test_where_no_plugin_runs_the_pane_teaches() -> None:
    silent = plugin(callback("proxy_on_context_create"))

    async def test() -> None:
        async with on_screen(inputs_for(silent, requests(1))) as at:
            await open_pane(at, "memory")
            memory(at)._sight = None
            memory(at)._show()
            assert "there is no memory" in memory(at).list.empty

    run(test())


def test_on_a_small_screen_a_line_has_eight_bytes() -> None:
    async def test() -> None:
        async with on_screen(writing(), (70, 24)) as at:
            await goto(at, "proxy_log")
            await open_pane(at, "memory")
            assert [
                line for line in at.screen() if line.startswith("00100 [68 65 6c 6c 6f 20 77 6f]│hello wo│")
            ]

    run(test())
