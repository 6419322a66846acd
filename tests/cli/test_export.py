"""`simwasm export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simwasm.cli import main

TRACE = Path(__file__).parents[2] / "traces" / "golden" / "http_auth" / "browser.jsonl"


@pytest.mark.parametrize(("kind", "key"), [("perfetto", "traceEvents"), ("otlp", "resourceSpans")])
def test_an_export_is_printed_or_written(
    kind: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.json"
    assert main(["export", str(TRACE), "--to", kind]) == 0
    printed = capsys.readouterr().out
    assert main(["export", str(TRACE), "--to", kind, "-o", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == printed
    assert json.loads(printed)[key]


def test_a_trace_that_ends_too_early_is_exported_up_to_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cut.jsonl"
    file.write_bytes(TRACE.read_bytes()[:3000])
    assert main(["export", str(file), "--to", "perfetto"]) == 0
    out, err = capsys.readouterr()
    assert "#1 (never ended)" in out
    assert json.loads(out)
    assert "ends in the middle of line" in err


@pytest.mark.parametrize(("words", "said"), [
    ([__file__, "--to", "otlp"], "is not a trace"),
    (["/nowhere", "--to", "otlp"], "cannot be read"),
    ([str(TRACE), "--to", "otlp", "-o", "/nowhere/x"], "-o /nowhere/x: cannot be written"),
])  # fmt: skip
def test_what_cannot_be_exported_is_status_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *words]) == 2
    assert said in capsys.readouterr().err
