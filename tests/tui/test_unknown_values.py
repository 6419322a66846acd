"""A trace file whose values are not known, on the screen: every verb, every pane, the filter and the comparison."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cases import TRACES
from simwasm_tui.panes.table import PANES
from simwasm_tui.screens.diff import Diff
from simwasm_tui.screens.diff_file import side_of
from terminal import Terminal, on_screen, run
from unknown import blurred

from simwasm.debug.start import start_reading
from simwasm.trace.file import open_trace

BROWSER = TRACES / "golden" / "http_auth" / "browser.jsonl"
VERBS = "snfsssssSNFcCtR][}{mMW"


async def walk(at: Terminal) -> None:
    """Do everything that moves, lists or shows, and leave it again."""
    for key in (
        *VERBS,
        "escape",
        "W",
        "escape",
        "Y",
        "y",
        "O",
        "escape",
        "A",
        "escape",
        "e",
        "escape",
        "B",
        "escape",
    ):
        await at.press(key)
    for pane in PANES:
        at.main.body.open(pane.id)
        await at.settle()
        await at.press("down", "down", "enter")
        assert not re.search(r"None(?! yet)", "\n".join(at.screen()))


@pytest.mark.parametrize("nothing", [False, True])
def test_everything_can_be_done(tmp_path: Path, nothing: bool) -> None:
    path = blurred(BROWSER, tmp_path / "x.jsonl", nothing=nothing)

    async def test() -> None:
        async with on_screen(start_reading(str(path))) as at:
            await walk(at)

    run(test())


def test_an_unknown_key_is_a_question_mark_that_no_filter_finds(tmp_path: Path) -> None:
    path = blurred(BROWSER, tmp_path / "x.jsonl")

    async def test() -> None:
        async with on_screen(start_reading(str(path))) as at:
            assert any("get_header_map_value(REQUEST_HEADERS, ?)" in line for line in at.lines("trace"))
            assert at.trace.filter_by("key!=x") == ""
            assert not at.lines("trace")

    run(test())


def test_it_is_compared_with_a_trace_that_has_values(tmp_path: Path) -> None:
    path = blurred(BROWSER, tmp_path / "x.jsonl")

    async def test() -> None:
        async with on_screen(start_reading(str(path))) as at:
            trace = open_trace(BROWSER)
            trace.index()
            at.main.compare(side_of(trace, at.debugger.inputs))
            await at.settle()
            diff = at.app.screen
            assert isinstance(diff, Diff)
            await at.press("n", "n")
            assert "?" in "\n".join(at.screen())

    run(test())
