"""What is kept of a session, and brought back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cases import ROOT, TRACES
from terminal import on_screen, run

from simwasm.abi.enums import Status
from simwasm.debug.branch import Override
from simwasm.debug.recent import recent
from simwasm.debug.start import Start, start_from, start_with
from simwasm.recipe import Recipe
from simwasm.sources import Remap

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


def test_where_sources_are_is_known_again() -> None:
    here = (Remap("/build/", f"{Path.cwd()}/"),)

    async def first() -> None:
        async with on_screen(opened()) as at:
            at.main.body.open("source")
            await at.settle()
            await at.press("r", "ctrl+u")
            await at.type("/build=.")
            await at.press("enter")
            assert at.view.binaries is not None
            assert at.view.binaries.remaps == here

    async def again() -> None:
        async with on_screen(opened()) as at:
            assert at.view.binaries is not None
            assert at.view.binaries.remaps == here

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


def test_a_session_that_is_saved_opens_at_the_same_stop_on_the_same_branch(tmp_path: Path) -> None:
    file = tmp_path / "found.simwasm"

    async def first() -> int:
        async with on_screen(opened()) as at:
            await at.press("s", "s", "s", "b")
            call = at.stop.position
            at.debugger.override(call, Override(Status.INTERNAL_FAILURE)).result(60)
            await at.settle()
            await at.press("f2", "ctrl+s", "ctrl+u")
            await at.type(str(file))
            await at.press("enter")
            assert file.exists()
            return at.stop.row

    async def again(row: int) -> None:
        async with on_screen(start_from(file)) as at:
            await at.settle()
            assert at.stop.row == row
            assert at.debugger.branch.name == "fork 1"
            assert [each.where for each in at.debugger.breakpoints] == ["proxy_log"]
            assert at.app.main is not None
            assert at.app.main.body.wanted.layout.name == "Source"

    run(again(run(first())))


def test_what_cannot_be_written_is_told_where_it_was_asked(tmp_path: Path) -> None:
    async def test() -> None:
        async with on_screen(opened()) as at:
            await at.press("ctrl+s", "ctrl+u")
            await at.type(str(tmp_path / "no" / "folder.simwasm"))
            await at.press("enter")
            assert "cannot be written" in "\n".join(at.screen())

    run(test())


def test_branches_are_remembered_too() -> None:
    async def first() -> None:
        async with on_screen(opened()) as at:
            await at.press("s", "s", "s")
            at.debugger.override(at.stop.position, Override(Status.INTERNAL_FAILURE)).result(60)
            await at.settle()
            await at.press("s")

    async def again() -> None:
        async with on_screen(opened()) as at:
            await at.settle()
            assert [branch.name for branch in at.debugger.branches] == ["run", "fork 1"]
            assert at.debugger.branch.name == "fork 1"

    run(first())
    run(again())
