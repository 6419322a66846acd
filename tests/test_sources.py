"""Source files: where they are looked for, and what is said of where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from simwasm.errors import InputError
from simwasm.sources import LARGEST, Remap, beside, find, read, remap, remaps_of


def made(folder: Path, name: str, text: str = "x") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_is_found_below_the_folder_one_is_in_by_the_end_of_its_path(tmp_path: Path) -> None:
    path = made(tmp_path, "src/lib.rs")
    assert find("/build/agent/7/plugin/src/lib.rs", home=tmp_path) == path
    assert find("C:\\work\\src\\lib.rs", home=tmp_path) == path
    assert find("/build/src/other.rs", home=tmp_path) is None


def test_the_longest_end_of_the_path_wins(tmp_path: Path) -> None:
    made(tmp_path, "lib.rs")
    path = made(tmp_path, "plugin/lib.rs")
    assert find("/build/plugin/lib.rs", home=tmp_path) == path


def test_the_users_folders_come_first(tmp_path: Path) -> None:
    made(tmp_path, "src/lib.rs")
    path = made(tmp_path, "there/src/lib.rs")
    assert find("/build/src/lib.rs", [Remap("/build/", f"{tmp_path}/there/")], tmp_path) == path


@pytest.mark.parametrize("path", ["../outside.rs", "/build/../../outside.rs", "nul\0.rs", "", "/dev/zero"])
def test_what_leads_out_of_the_folder_or_is_no_file_is_not_found(path: str, tmp_path: Path) -> None:
    made(tmp_path, "outside.rs")
    inside = tmp_path / "inside"
    inside.mkdir()
    assert find(path, home=inside) is None


def test_files_that_are_too_large_are_not_read(tmp_path: Path) -> None:
    made(tmp_path, "big.rs", "x" * (LARGEST + 1))
    assert find("big.rs", home=tmp_path) is None


def test_remaps_of_a_session_that_are_none_are_left_out() -> None:
    assert remaps_of([["/a/", "/b/"], ["/a/"], "ab", [1, 2]]) == (Remap("/a/", "/b/"),)
    assert remaps_of({"a": "b"}) == ()


def test_a_file_that_went_away_has_no_text(tmp_path: Path) -> None:
    assert read(tmp_path / "gone.rs") == ""


def test_a_folder_of_the_build_is_said_with_the_one_that_stands_for_it(tmp_path: Path) -> None:
    assert remap(f" /build/ = {tmp_path} ") == Remap("/build/", f"{tmp_path}/")
    for wrong in ("/build", "=/here", "/build=", f"/build={tmp_path}/none"):
        with pytest.raises(InputError):
            remap(wrong)


@pytest.mark.parametrize(("name", "found"), [("a.map", b"x"), ("none", None), ("", None), ("nul\0", None)])
def test_a_file_beside_a_plugin_is_read_or_is_none(name: str, found: bytes | None, tmp_path: Path) -> None:
    made(tmp_path, "a.map")
    assert beside(tmp_path, name) == found
