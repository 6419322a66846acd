"""What is kept of a session, and brought back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cases import ROOT, TRACES
from terminal import on_screen, run

from simwasm.debug.recent import recent
from simwasm.debug.start import Start, start_with
from simwasm.recipe import Recipe

RECIPE = Recipe(str(ROOT / "samples/allow_header/plugin.wasm"), (str(TRACES / "traffic/allow_header.har"),))


def opened() -> Start:
    return start_with(RECIPE)


def test_breakpoints_bookmarks_filter_and_place_are_there_again() -> None:
    async def first() -> tuple[int, tuple[int, ...]]:
        async with on_screen(opened()) as at:
            await at.press("s", "s", "s", "b", "m", "s")
            await at.press("slash")
            await at.type("call:log")
            await at.press("enter")
            return at.stop.row, at.view.bookmarks

    async def again(row: int, bookmarks: tuple[int, ...]) -> None:
        async with on_screen(opened()) as at:
            await at.settle()
            assert at.stop.row == row
            assert [each.where for each in at.debugger.breakpoints] == ["proxy_log"]
            assert at.view.bookmarks == bookmarks
            assert at.trace.expression == "call:log"

    run(again(*run(first())))


def test_watches_are_there_again() -> None:
    async def first() -> None:
        async with on_screen(opened()) as at:
            await at.press("s", "s", "3", "down", "w")
            assert len(at.view.watches) == 1

    async def again() -> None:
        async with on_screen(opened()) as at:
            assert at.view.watches == ('headers.request[":authority"]',)

    run(first())
    run(again())


def test_the_title_names_the_traffic() -> None:
    async def test() -> None:
        async with on_screen(opened()) as at:
            assert "allow_header.har #1/5" in at.screen()[0]

    run(test())


def test_a_session_that_holds_nonsense_is_told_and_the_rest_goes_on() -> None:
    async def test() -> None:
        start = opened()
        async with on_screen(start) as at:
            await at.press("b")
        saved = recent()[0].session
        broken = replace(start, session=replace(saved, breakpoints=[{"number": "one"}], filter="colour:red"))
        async with on_screen(broken) as at:
            await at.settle()
            told = " ".join(problem.happened for problem in at.view.problems)
            assert "breakpoints are left out" in told
            assert "filter is left out" in told
            assert at.stop.row > 0

    run(test())


def test_what_has_no_files_is_not_kept(tmp_path: Path) -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser") as at:
            await at.press("b")

    run(test())
    assert recent() == ()


@pytest.mark.parametrize("theme", ["simwasm-light", "nord", "ansi-dark", "no such theme"])
def test_a_theme_is_chosen_by_name_and_an_unknown_one_is_the_usual(theme: str) -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser", theme=theme) as at:
            assert at.app.theme == (theme if theme != "no such theme" else "simwasm")
            assert "ABI trace" in " ".join(at.screen())

    run(test())
