"""Files of coverage: written, read, added up; and those that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_coverage import GROUND, SMALL

from simwasm.coverage.file import read, write
from simwasm.coverage.merge import merge, merge_files
from simwasm.coverage.values import Covered
from simwasm.errors import InputError


def test_what_is_written_is_read(tmp_path: Path, refused: Covered) -> None:
    write(tmp_path / "a.cov", [SMALL, refused])
    assert read(tmp_path / "a.cov") == (SMALL, refused)


def test_runs_of_the_same_plugin_add_up() -> None:
    other = replace(SMALL, reached=0b010, callbacks={"proxy_on_tick": 5})
    (found,) = merge([SMALL], [other])
    assert found == replace(SMALL, reached=0b111, callbacks={"proxy_on_tick": 7})


def test_builds_in_one_file_stay_apart(tmp_path: Path) -> None:
    other = replace(SMALL, sha256="cd" * 32)
    assert merge([SMALL, other], [SMALL]) == (
        SMALL.plus(SMALL),
        other,
    )


def test_files_of_different_builds_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.cov", [SMALL])
    write(tmp_path / "b.cov", [replace(SMALL, sha256="cd" * 32)])
    with pytest.raises(
        InputError, match=r"b\.cov is of another build of small \(cdcdcdcdcdcd…\) than .*a\.cov"
    ):
        merge_files([tmp_path / "a.cov", tmp_path / "b.cov"])


def test_blocks_that_another_version_divided_are_refused() -> None:
    with pytest.raises(InputError, match="different versions of simwasm"):
        merge([SMALL], [replace(SMALL, ground=replace(GROUND, sizes=(2, 3, 2)))])


def _without(content: dict[str, Any], name: str) -> None:
    del content["plugins"][0][name]


def _reached_too_much(content: dict[str, Any]) -> None:
    content["plugins"][0]["reached"] = "ff"


def _block_of_nowhere(content: dict[str, Any]) -> None:
    content["plugins"][0]["sources"][0]["lines"]["7"] = [3]


def _function_of_nowhere(content: dict[str, Any]) -> None:
    content["plugins"][0]["functions"][0][3] = 4


def _negative(content: dict[str, Any]) -> None:
    content["plugins"][0]["blocks"][0] = -1


def _line_of_words(content: dict[str, Any]) -> None:
    content["plugins"][0]["sources"][0]["lines"]["x"] = [1]


def _name_of_nothing(content: dict[str, Any]) -> None:
    content["plugins"][0]["name"] = None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: _without(content, "sources"),
        lambda content: _without(content, "reached"),
        _reached_too_much,
        _block_of_nowhere,
        _function_of_nowhere,
        _negative,
        _line_of_words,
        _name_of_nothing,
        lambda content: content.update(plugins=7),
        lambda content: content.update(plugins=[3]),
        lambda content: content.update(simwasm_coverage="1"),
    ],
)
def test_a_file_that_was_spoiled_is_refused(tmp_path: Path, spoil: Callable[[dict[str, Any]], None]) -> None:
    file = tmp_path / "a.cov"
    write(file, [SMALL])
    content = json.loads(file.read_text())
    spoil(content)
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"a\.cov: no coverage that simwasm has written"):
        read(file)


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, '{"simwasm_coverage": 1, "plu', "\0asm"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "a.cov"
    file.write_text(content)
    with pytest.raises(InputError, match="collect it again with --coverage"):
        read(file)


def test_a_newer_format_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.cov"
    file.write_text('{"simwasm_coverage": 2, "plugins": []}')
    with pytest.raises(InputError, match="of format 2, known is 1"):
        read(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.cov: cannot be read: No such file"):
        read(tmp_path / "none.cov")
