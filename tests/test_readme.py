"""What the README shows is what simwasm prints."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"^```\n\$ simwasm (.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT")
TRANSCRIPTS = _BLOCK.findall((ROOT / "README.md").read_text())


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) == 3


@pytest.mark.parametrize(("words", "shown"), TRANSCRIPTS, ids=[words.split()[0] for words, _ in TRANSCRIPTS])
def test_a_transcript_is_true_but_for_the_time(words: str, shown: str) -> None:
    command = [sys.executable, "-m", "simwasm", *shlex.split(words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, timeout=60)
    assert _TIME.sub("TIME", done.stderr + done.stdout) == _TIME.sub("TIME", shown)
