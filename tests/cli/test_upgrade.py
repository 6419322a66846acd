"""`simwasm upgrade` and `--timing`: trace files of older formats, and what is measured in new ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import ROOT, TRACES

from simwasm.cli import main
from simwasm.trace.file import open_trace

GOLDEN = TRACES / "golden" / "allow_header" / "browser.jsonl"
RUN = (str(ROOT / "samples" / "allow_header" / "plugin.wasm"), str(TRACES / "traffic" / "allow_header.har"))


def test_each_file_is_told_with_its_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text(GOLDEN.read_text().replace('"format": 2', '"format": 1', 1))
    new.write_text(GOLDEN.read_text())
    assert main(["upgrade", str(old), str(new)]) == 0
    assert capsys.readouterr().out == f"{old}: format 1 -> 2\n{new}: is of format 2 already\n"
    assert old.read_text() == new.read_text() == GOLDEN.read_text()


def test_what_is_no_trace_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.jsonl").write_text("hello\n")
    assert main(["upgrade", str(tmp_path / "x.jsonl")]) == 2
    assert "is not a trace" in capsys.readouterr().err


def test_timing_is_noted_in_the_trace(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    assert main(["run", *RUN, "--quiet", "--trace", str(path), "--timing"]) == 0
    trace = open_trace(path)
    trace.index()
    assert all(trace.rows[at].took_ns > 0 for at in range(len(trace.rows)))
    lines = map(json.loads, path.read_text().splitlines())
    assert all(line["outcome"]["instructions"] > 0 for line in lines if "outcome" in line)


def test_without_it_nothing_is(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    assert main(["run", *RUN, "--quiet", "--trace", str(path)]) == 0
    assert "took_ns" not in path.read_text()
    assert "instructions" not in path.read_text()


def test_timing_wants_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *RUN, "--quiet", "--timing"]) == 2
    assert "--timing: what calls took is noted in the trace: add --trace FILE" in capsys.readouterr().err
