"""Exporting: seen before it is written, never over a file that is there, and copied."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import ROOT
from projects import ran_in
from simwasm_tui.screens.export import Export
from simwasm_tui.screens.form import Field
from simwasm_tui.screens.main import MainScreen
from simwasm_tui.text import plain
from simwasm_tui.widgets.virtual_list import VirtualList
from terminal import Terminal, on_screen, run
from textual.widgets import Static
from until import until

from simwasm.debug.start import start_with
from simwasm.recipe import Recipe

CASE = "http_auth/browser"
RECIPE = Recipe(
    str(ROOT / "samples" / "allow_header" / "plugin.wasm"),
    (str(ROOT / "traces" / "traffic" / "allow_header.har"),),
)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def export(at: Terminal) -> Export:
    assert isinstance(at.app.screen, Export)
    return at.app.screen


def preview(at: Terminal) -> str:
    shown = export(at).query_one("#preview", VirtualList)
    return "\n".join(plain(shown.lines.line(index, 200)) for index in range(len(shown.lines)))


def test_the_exchange_is_shown_as_curl_and_written(tmp_path: Path) -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "e")
            await until(lambda: preview(at).startswith("curl http://httpbin:8000/get"))
            await at.press("enter")
            assert isinstance(at.app.screen, MainScreen)
            assert at.said.startswith("Wrote get_get.sh")
        assert (tmp_path / "get_get.sh").read_text().startswith("curl ")

    run(test())


def test_a_file_that_is_there_is_written_over_only_when_asked_twice(tmp_path: Path) -> None:
    (tmp_path / "get_get.sh").write_text("mine")

    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "e")
            await until(lambda: export(at).text)
            await at.press("enter")
            under = export(at).query_one(".under", Static)
            assert "exists already" in str(under.content)
            assert (tmp_path / "get_get.sh").read_text() == "mine"
            await at.press("enter")
        assert (tmp_path / "get_get.sh").read_text().startswith("curl ")

    run(test())


def test_a_folder_that_is_not_there_is_told() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "e")
            await until(lambda: export(at).text)
            export(at).query_one("#file", Field).text = "no/such/folder.sh"
            await at.press("enter")
            assert "cannot be written: No such file" in str(export(at).query_one(".under", Static).content)

    run(test())


def test_it_is_copied_instead() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "e")
            await until(lambda: export(at).text)
            await at.press("ctrl+y")
            assert at.app.clipboard.startswith("curl http://httpbin")

    run(test())


def test_a_test_needs_to_know_the_plugins_file() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "A")
            await until(lambda: export(at).wrong)
            assert "nobody knows the plugin's file" in export(at).wrong
            await at.press("enter")
            assert isinstance(at.app.screen, Export)

    run(test())


def test_assert_this_writes_a_test_that_passes(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async def test() -> None:
        async with on_screen(CASE, start=start_with(RECIPE, remember=False)) as at:
            await at.press("s", "s", "A")
            await until(lambda: export(at).text)
            assert "def test_" in preview(at)
            await at.press("enter")

    run(test())
    ran = ran_in(tmp_path)
    assert (len(ran.passed), ran.failed) == (1, {})


def test_a_whole_value_is_copied() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "s", "Y")
            assert at.app.clipboard == "Bearer let-me-in"

    run(test())
