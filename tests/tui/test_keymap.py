"""The user's own keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from simwasm_tui.commands import COMMANDS
from simwasm_tui.keymap import read
from simwasm_tui.panes.table import PANES, load
from terminal import on_screen, run

KNOWN = frozenset({"step", "over", "trace.here"})


def written(folder: Path, text: str) -> Path:
    path = folder / "keys.json"
    path.write_text(text)
    return path


def test_keys_are_read_by_the_ids_of_commands(tmp_path: Path) -> None:
    path = written(tmp_path, '{"step": "f11", "over": "f10, x", "trace.here": "ctrl+h"}')
    assert read(path, KNOWN).keys == {"step": "f11", "over": "f10,x", "trace.here": "ctrl+h"}


def test_no_file_is_no_wish(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json", KNOWN) == ({}, ())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "the keymap is not used"),
        ("[1]", "is not an object"),
        ('{"leap": "x"}', "there is no command `leap`"),
        ('{"step": 7}', "7 is no key for `step`"),
        ('{"step": ""}', "'' is no key for `step`"),
        ('{"step": "two words"}', "'two words' is no key"),
        ("[" * 100_000, "the keymap is not used"),
        ("\udcff", "the keymap is not used"),
    ],
)
def test_what_cannot_be_used_is_a_sentence_that_names_the_file(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = read(path, KNOWN)
    assert found.keys == {}
    assert complaint in found.wrong[0]
    assert found.wrong[0].startswith(str(path))


def test_one_bad_wish_leaves_the_others(tmp_path: Path) -> None:
    found = read(written(tmp_path, '{"step": "f11", "leap": "x"}'), KNOWN)
    assert (found.keys, len(found.wrong)) == ({"step": "f11"}, 1)


def test_a_folder_is_no_keymap(tmp_path: Path) -> None:
    assert "the keymap is not used" in read(tmp_path, KNOWN).wrong[0]


def test_a_changed_key_works_is_shown_and_the_old_one_does_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, '{"step": "f8"}')

    async def test() -> None:
        async with on_screen("http_auth/browser", keymap=str(path)) as at:
            before = at.stop.row
            await at.press("s")
            assert at.stop.row == before
            await at.press("f8")
            assert at.stop.row == before + 1
            assert at.screen()[-1].startswith(" F8 step")

    run(test())


def test_a_broken_keymap_is_a_problem_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = written(tmp_path, "{")

    async def test() -> None:
        async with on_screen("http_auth/browser", keymap=str(path)) as at:
            assert any("the keymap is not used" in problem.happened for problem in at.view.problems)
            await at.press("s")
            assert at.stop.row > 0

    run(test())


def test_no_key_of_a_pane_hides_one_that_works_everywhere() -> None:
    """But for `/`, which looks for something in whatever has the focus."""
    everywhere = {key for command in COMMANDS for key in command.keys.split(",")} - {"slash"}
    hiding = [
        f"{command.id}: {key}"
        for entry in PANES
        for command in load(entry).COMMANDS
        for key in command.keys.split(",")
        if key and key in everywhere
    ]
    assert not hiding
