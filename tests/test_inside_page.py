"""What docs/inside.md shows is what simwasm prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from simwasm.cli import main

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"^```\n\$ simwasm (.*?)\n([^…]+?)^```$", re.MULTILINE)
TRANSCRIPTS = _BLOCK.findall((ROOT / "docs" / "inside.md").read_text())


@pytest.mark.parametrize(("words", "shown"), TRANSCRIPTS, ids=[words.split()[0] for words, _ in TRANSCRIPTS])
def test_a_transcript_is_true(
    words: str, shown: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(shlex.split(words)) == 0
    assert capsys.readouterr().out == shown


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 2
