"""Bookmarks and stops: listed, named, deleted, gone to."""

from __future__ import annotations

from cases import ROOT
from simwasm_tui.screens.bookmarks import Bookmarks
from simwasm_tui.text import plain
from terminal import Terminal, on_screen, run

from simwasm.debug.start import start_with
from simwasm.recipe import Recipe

CASE = "http_auth/browser"


def listed(at: Terminal) -> list[str]:
    assert isinstance(at.app.screen, Bookmarks)
    shown = at.app.screen.list
    return [plain(shown.lines.line(index, 100)) for index in range(len(shown.lines))]


def test_every_stop_is_listed_the_newest_first() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            rows = [at.stop.row]
            for _ in range(3):
                await at.press("s")
                rows.append(at.stop.row)
            await at.press("M")
            assert [int(line.split()[1 if line.startswith("▶") else 0]) - 1 for line in listed(at)] == rows[
                ::-1
            ]

    run(test())


def test_a_stop_is_gone_to() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            first = at.stop.position
            await at.press("c", "M", "down", "enter")
            await at.settle()
            assert at.stop.position == first

    run(test())


def test_backspace_goes_back_from_stop_to_stop() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            seen = [at.stop.position]
            for key in ("s", "n", "s"):
                await at.press(key)
                seen.append(at.stop.position)
            for position in seen[-2::-1]:
                await at.press("backspace")
                assert at.stop.position == position
            await at.press("backspace")
            assert at.said == "This is the first stop."

    run(test())


def test_a_bookmark_is_named_and_deleted() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("m", "M", "n")
            await at.type("the begin")
            await at.press("enter")
            assert "the begin" in listed(at)[0]
            await at.press("d")
            assert "the begin" not in "".join(listed(at))
            assert at.main.viewer.bookmarks == ()

    run(test())


def test_escape_leaves_the_name_first_and_then_the_list() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("m", "M", "n")
            await at.type("q")
            await at.press("escape")
            assert isinstance(at.app.screen, Bookmarks)
            await at.press("escape")
            assert at.main.is_current
            assert not at.main.viewer.names

    run(test())


def test_names_are_kept_with_the_session() -> None:
    recipe = Recipe(
        str(ROOT / "samples" / "allow_header" / "plugin.wasm"),
        (str(ROOT / "traces" / "traffic" / "allow_header.har"),),
    )

    async def test() -> None:
        async with on_screen(CASE, start=start_with(recipe)) as at:
            await at.press("m", "M", "n")
            await at.type("begin")
            await at.press("enter", "escape", "s", "m")
            position = at.main.viewer.bookmarks[0]
        async with on_screen(CASE, start=start_with(recipe)) as at:
            assert at.main.viewer.names == {position: "begin"}
            assert len(at.main.viewer.bookmarks) == 2

    run(test())
