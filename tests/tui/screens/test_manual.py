"""The manual: it is the guide in docs, it can be searched, and its tables are those of the program."""

from __future__ import annotations

import pytest
from simwasm_tui import handbook
from simwasm_tui.screens.main import MainScreen
from simwasm_tui.screens.manual import Manual
from simwasm_tui.text import cells, plain
from terminal import Terminal, on_screen, run

CASE = "allow_header/browser"


@pytest.mark.parametrize("name", handbook.TABLES)
def test_the_guides_tables_are_those_of_the_program(name: str, request: pytest.FixtureRequest) -> None:
    """--update-traces writes them anew."""
    path = handbook.path()
    text, made = path.read_text(), handbook.TABLES[name]()
    before, mark, rest = text.partition(f"<!-- {name} -->\n")
    there, end, after = rest.partition(f"<!-- /{name} -->")
    if request.config.getoption("--update-traces"):
        path.write_text(before + mark + made + end + after)
        there = made
    assert mark and end
    assert there == made


def test_no_line_of_prose_is_wider_than_asked_for() -> None:
    lines = list(handbook.lines("A word " * 100 + "\n\n- item " + "word " * 50, 40))
    assert max(map(cells, lines)) <= 40


def test_marks_are_taken_away_and_tables_stand_in_columns() -> None:
    text = "# Title\n\nSome `code` and *more* of [it](x.md).\n\n| key | what |\n|---|---|\n| `s` | Step |\n"
    told = [plain(line) for line in handbook.lines(text, 60)]
    assert told[0] == "Title"
    assert "Some code and more of it." in told
    assert [line.split() for line in told if line.startswith("  ")] == [["key", "what"], ["s", "Step"]]


def test_it_is_the_guide() -> None:
    assert handbook.read().startswith("# The debugger")


def manual(at: Terminal) -> Manual:
    assert isinstance(at.app.screen, Manual)
    return at.app.screen


def test_f1_opens_it_and_a_word_is_found_again_and_again() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("f1")
            await at.press("slash")
            await at.type("logpoint")
            await at.press("enter")
            shown = manual(at).list
            assert "logpoint" in shown.text_of(shown.cursor)
            await at.press("slash", "ctrl+u")
            await at.type("breakpoint")
            await at.press("enter")
            first = shown.cursor
            await at.press("n")
            assert shown.cursor != first
            await at.press("N")
            assert shown.cursor == first
            await at.press("f1")
            assert isinstance(at.app.screen, MainScreen)

    run(test())


def test_the_users_own_keys_are_told_at_its_end() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            at.main.keys = {"step": "f11"}
            await at.press("f1")
            shown = manual(at).list
            assert shown.text_of(len(shown.lines) - 1).split() == ["F11", "Step"]

    run(test())
