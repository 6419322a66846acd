"""Files of older formats are read, and are written anew in the newest."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cases import TRACES

from simwasm.errors import InputError, TraceError
from simwasm.trace.file import open_trace
from simwasm.trace.formats import CONVERTERS, FORMAT, converter
from simwasm.trace.upgrade import upgrade

GOLDEN = TRACES / "golden" / "http_auth" / "browser.jsonl"
OLD = GOLDEN.read_text().replace('"format": 2', '"format": 1', 1)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A trace of format 1."""
    path = tmp_path / "old.jsonl"
    path.write_text(OLD)
    return path


def test_every_older_format_has_a_converter() -> None:
    assert sorted(CONVERTERS) == list(range(1, FORMAT))


def test_a_trace_of_format_1_is_read(old: Path) -> None:
    trace, newest = open_trace(old), open_trace(GOLDEN)
    assert trace.index() == newest.index()
    assert (trace.header.format, newest.header.format) == (1, FORMAT)
    assert [trace.rows[at] for at in range(len(trace.rows))] == [
        newest.rows[at] for at in range(len(newest.rows))
    ]
    assert list(trace.events()) == list(newest.events())
    assert list(trace.outcomes) == list(newest.outcomes)


def test_a_trace_of_format_1_is_upgraded_to_the_byte(old: Path) -> None:
    assert upgrade(old) == 1
    assert old.read_text() == GOLDEN.read_text()
    assert [path.name for path in old.parent.iterdir()] == ["old.jsonl"]


def test_the_newest_format_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    path.write_bytes(GOLDEN.read_bytes())
    before = path.stat()
    assert upgrade(path) == FORMAT
    assert path.stat().st_ino == before.st_ino


def test_a_line_that_no_converter_changes_keeps_its_bytes(old: Path) -> None:
    odd = '{ "result":"OK",\t"unknown" : "\\u00e9" }'
    old.write_text(OLD.splitlines()[0] + "\n" + odd + "\n\n")
    upgrade(old)
    assert old.read_text().splitlines()[1:] == [odd, ""]


def test_a_byte_order_mark_is_left_out(old: Path) -> None:
    old.write_text("\ufeff" + OLD)
    assert upgrade(old) == 1
    assert old.read_text() == GOLDEN.read_text()


def test_a_file_keeps_its_rights_and_a_link_stays_one(old: Path, tmp_path: Path) -> None:
    old.chmod(0o640)
    link = tmp_path / "link.jsonl"
    link.symlink_to(old)
    assert upgrade(link) == 1
    assert link.is_symlink()
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert old.read_text() == GOLDEN.read_text()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (OLD.replace('"format": 1', '"format": 9', 1), "line 1 is of format 9, and this simwasm reads up to"),
        (OLD + "nonsense\n", "is not JSON"),
        ("", "is empty"),
        ("\0asm", "is a WebAssembly module"),
    ],
)
def test_what_cannot_be_upgraded_stays_as_it_was(old: Path, content: str, why: str) -> None:
    old.write_text(content)
    with pytest.raises(TraceError) as error:
        upgrade(old)
    assert str(error.value).startswith(f"{old}: ")
    assert why in str(error.value)
    assert old.read_text() == content
    assert len(list(old.parent.iterdir())) == 1


def test_a_file_that_cannot_be_written_stays_as_it_was(old: Path) -> None:
    (old.parent / f".{old.name}.{os.getpid()}.part").mkdir()
    with pytest.raises(InputError, match=r"old\.jsonl: cannot be written: Is a directory"):
        upgrade(old)
    assert old.read_text() == OLD


def test_converting_goes_through_every_format_between() -> None:
    line = {"call": "proxy_log"}
    assert converter(1)(line) is line
    assert converter(1)({"format": 1})["format"] == FORMAT
