"""From what was typed or dropped to what is to be opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import ROOT
from simwasm_tui.opening import Chosen, Wrong, complete_path, missing, name_of, paths, sort, understand

TRACE = str(ROOT / "traces" / "golden" / "http_auth" / "browser.jsonl")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.wasm b.har", ["a.wasm", "b.har"]),
        ("'my plugin.wasm' b\\ c.har", ["my plugin.wasm", "b c.har"]),
        ("file:///tmp/a%20b.wasm", ["/tmp/a b.wasm"]),
        ("it's", ["it's"]),
        ("", []),
    ],
)
def test_paths_are_taken_apart_as_a_shell_does(text: str, found: list[str]) -> None:
    assert paths(text) == found


def test_a_path_with_spaces_that_is_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "my plugin.wasm"
    file.touch()
    assert paths(str(file)) == [str(file)]


def test_files_are_sorted_by_what_they_are() -> None:
    assert sort(["b.har", "a.wasm", "s.simwasm", TRACE, "b.har"]) == Chosen(
        "a.wasm", ("b.har",), "s.simwasm", TRACE
    )


def test_a_plugin_needs_no_suffix(tmp_path: Path) -> None:
    file = tmp_path / "plugin"
    file.touch()
    assert understand(str(file), "") == Chosen(str(file))


def test_what_is_not_there_is_told_for_its_field() -> None:
    assert understand("", "no.har") == Wrong("traffic", "no.har is not there")
    assert missing("a\0b") == "that cannot be a path"


def test_paths_are_completed_folders_and_files_to_open_first(tmp_path: Path) -> None:
    for name in ("plugin.wasm", "plugin.txt", ".hidden", "with space.har"):
        (tmp_path / name).touch()
    (tmp_path / "plugins").mkdir()
    text = f"x.har {tmp_path}/plug"
    found = complete_path(text, len(text))
    assert [Path(each.text).name for each in found] == ["plugin.wasm", "plugins", "plugin.txt"]
    assert {each.start for each in found} == {6}
    spaced = f"{tmp_path}/with"
    assert complete_path(spaced, len(spaced))[0].text.endswith("with\\ space.har")


def test_a_name_has_its_folder_where_it_says_nothing() -> None:
    assert name_of("/a/auth/plugin.wasm") == "auth/plugin.wasm"
    assert name_of("/a/auth.wasm") == "auth.wasm"
