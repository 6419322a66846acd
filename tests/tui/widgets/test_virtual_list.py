"""The list that makes only the lines one sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
from simwasm_tui.ink import CLASSES
from simwasm_tui.text import Line
from simwasm_tui.widgets.virtual_list import FixedLines, VirtualList
from terminal import run
from textual.app import App, ComposeResult
from textual.pilot import Pilot

MILLION = 1_000_000


class Numbers:
    """Lines that say their number, and who was asked for."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.made: list[int] = []

    def __len__(self) -> int:
        return self.size

    def line(self, index: int, width: int) -> Line:
        self.made.append(index)
        return ((f"line {index}", "muted"), (" 日本 \\e[31m", "bad"))


class ListApp(App[None]):
    COMPONENT_CLASSES: ClassVar[set[str]] = set(CLASSES)

    def __init__(self, shown: VirtualList) -> None:
        super().__init__()
        self.shown = shown
        self.moved: list[int] = []
        self.chosen: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.shown

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        self.moved.append(message.index)

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        self.chosen.append(message.index)


@asynccontextmanager
async def shown(
    size: int = MILLION, *, follow: bool = False
) -> AsyncIterator[tuple[Pilot[None], VirtualList, Numbers]]:
    numbers = Numbers(size)
    listing = VirtualList(numbers, follow=follow)
    async with ListApp(listing).run_test(size=(40, 10)) as pilot:
        listing.focus()
        await pilot.pause()
        yield pilot, listing, numbers


def test_a_million_lines_are_made_only_where_they_are_seen() -> None:
    async def test() -> None:
        async with shown() as (pilot, listing, numbers):
            await pilot.press("end")
            assert listing.cursor == MILLION - 1
            assert set(numbers.made) <= {*range(10), *range(MILLION - 10, MILLION)}

    run(test())


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        (["down", "j", "down"], 3),
        (["down", "up", "k"], 0),
        (["pagedown", "pagedown"], 18),
        (["pagedown", "pageup"], 0),
        (["end", "up"], MILLION - 2),
        (["end", "home"], 0),
    ],
)
def test_keys_move_the_cursor_and_keep_it_in_sight(keys: list[str], cursor: int) -> None:
    async def test() -> None:
        async with shown() as (pilot, listing, _):
            await pilot.press(*keys)
            assert listing.cursor == cursor
            assert listing.scroll_offset.y <= cursor < listing.scroll_offset.y + listing.size.height

    run(test())


def test_a_move_of_the_cursor_makes_no_line_anew() -> None:
    async def test() -> None:
        async with shown() as (pilot, _, numbers):
            numbers.made.clear()
            await pilot.press("down", "down", "up")
            assert numbers.made == []

    run(test())


def test_the_cursor_stays_where_it_is_when_lines_are_added() -> None:
    async def test() -> None:
        async with shown(20) as (pilot, listing, numbers):
            await pilot.press("down", "down")
            numbers.size = 500
            listing.grown()
            await pilot.press("end")
            assert listing.cursor == 499

    run(test())


def test_a_list_that_follows_stays_at_its_end() -> None:
    async def test() -> None:
        async with shown(5, follow=True) as (pilot, listing, numbers):
            await pilot.press("end")
            numbers.size = 500
            listing.grown()
            await pilot.pause()
            assert listing.cursor == 499

    run(test())


def test_a_list_that_follows_stays_where_the_user_has_gone() -> None:
    async def test() -> None:
        async with shown(50, follow=True) as (pilot, listing, numbers):
            await pilot.press("down")
            numbers.size = 500
            listing.grown()
            await pilot.pause()
            assert listing.cursor == 1

    run(test())


def test_a_shorter_list_takes_the_cursor_along() -> None:
    async def test() -> None:
        async with shown(50) as (pilot, listing, _):
            await pilot.press("end")
            listing.show(Numbers(3))
            await pilot.pause()
            assert listing.cursor == 2

    run(test())


def test_a_click_moves_the_cursor_and_a_double_click_chooses() -> None:
    async def test() -> None:
        async with shown() as (pilot, listing, _):
            app = pilot.app
            assert isinstance(app, ListApp)
            await pilot.click(listing, offset=(3, 4))
            assert (listing.cursor, app.chosen) == (4, [])
            await pilot.click(listing, offset=(3, 2), times=2)
            assert (listing.cursor, app.chosen) == (2, [2])

    run(test())


def test_enter_chooses_and_moves_are_told() -> None:
    async def test() -> None:
        async with shown() as (pilot, _, __):
            await pilot.press("down", "enter")
            app = pilot.app
            assert isinstance(app, ListApp)
            assert (app.moved[-1], app.chosen) == (1, [1])

    run(test())


def test_an_empty_list_says_what_to_do_and_chooses_nothing() -> None:
    async def test() -> None:
        listing = VirtualList(
            empty="Nothing here yet.\nPress s to take a step, which brings the first line of all."
        )
        async with ListApp(listing).run_test(size=(40, 10)) as pilot:
            listing.focus()
            await pilot.press("down", "enter", "end")
            text = [listing.render_line(y).text.strip() for y in range(5)]
            assert text[1:4] == [
                "Nothing here yet.",
                "Press s to take a step, which brings",
                "the first line of all.",
            ]
            assert isinstance(pilot.app, ListApp)
            assert pilot.app.chosen == []

    run(test())


def test_long_lines_are_seen_by_going_sideways() -> None:
    async def test() -> None:
        listing = VirtualList(FixedLines((((("0123456789" * 8), ""),),)))
        async with ListApp(listing).run_test(size=(40, 10)) as pilot:
            listing.focus()
            await pilot.pause()
            await pilot.press("right", "right")
            assert listing.render_line(0).text.startswith("6789")

    run(test())


def test_every_strip_is_as_wide_as_the_list() -> None:
    async def test() -> None:
        async with shown(30) as (_, listing, __):
            assert {listing.render_line(y).cell_length for y in range(10)} == {listing.room}

    run(test())


def test_text_is_found_round_the_end() -> None:
    async def test() -> None:
        async with shown(100) as (pilot, listing, _):
            assert listing.find(lambda text: "line 42" in text)
            assert listing.cursor == 42
            assert listing.find(lambda text: "line 7 " in text)
            assert listing.cursor == 7
            assert not listing.find(lambda text: "no such line" in text)
            await pilot.pause()

    run(test())


def test_text_that_is_selected_with_the_mouse_can_be_copied() -> None:
    async def test() -> None:
        async with shown(30) as (pilot, listing, _):
            await pilot.mouse_down(listing, offset=(0, 1))
            await pilot.hover(listing, offset=(6, 2))
            await pilot.mouse_up(listing, offset=(6, 2))
            selected = pilot.app.screen.get_selected_text()
            assert selected is not None
            first, second = selected.splitlines()
            assert first.startswith("line 1 日本")
            assert second.startswith("line 2") and len(second) <= 7

    run(test())


def test_a_list_that_was_short_meanwhile_brings_its_cursor_into_sight() -> None:
    async def test() -> None:
        async with shown(100) as (pilot, listing, _):
            await pilot.press("end")
            listing.show(Numbers(2))
            await pilot.pause()
            listing.show(Numbers(100))
            listing.go(95, middle=True)
            await pilot.pause()
            assert listing.scroll_offset.y <= 95 < listing.scroll_offset.y + listing.size.height

    run(test())


def test_what_goes_with_the_cursor_is_told_before_it_is_drawn() -> None:
    async def test() -> None:
        async with shown() as (_, listing, _):
            told: list[int] = []
            listing.at_once = lambda: told.append(listing.cursor)
            listing.action_move(1)
            assert told == [1]

    run(test())


def test_lines_that_come_after_an_empty_list_are_drawn_instead_of_what_it_says() -> None:
    async def test() -> None:
        async with ListApp(VirtualList(empty="Nothing yet.")).run_test(size=(40, 10)) as pilot:
            listing = pilot.app.query_one(VirtualList)
            await pilot.pause()
            assert "Nothing yet." in listing.render_line(1).text
            listing.show(Numbers(3))
            await pilot.pause()
            assert "line 1" in listing.render_line(1).text

    run(test())
