"""What docs/configuration.md shows is what simwasm does: its files are written, and its commands are run on them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from simwasm.cli import main
from simwasm.config.deployment import read_deployment

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "configuration.md").read_text()
TRANSCRIPTS = re.findall(r"^```\n\$ simwasm (.*?)\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = re.findall(r"^```yaml\n(# (\S+)\n.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("samples", "traces"):
        (tmp_path / name).symlink_to(ROOT / name)
    for text, name in FILES:
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("words", "shown"), TRANSCRIPTS, ids=[words.split()[1] for words, _ in TRANSCRIPTS])
def test_a_transcript_is_true(
    folder: Path, words: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = shown.startswith("simwasm: ")
    assert main(shlex.split(words)) == (2 if wrong else 0)
    said = capsys.readouterr()
    assert (said.err if wrong else said.out) == shown


@pytest.mark.parametrize(
    ("file", "names"),
    [("chain.yaml", ["shop.authorization", "shop.powered-by"]), ("filters.yaml", ["powered-by"])],
)
def test_a_file_deploys_what_is_said(folder: Path, file: str, names: list[str]) -> None:
    assert [each.name for each in read_deployment(folder / file).plugins] == names


def test_what_is_told_is_told(folder: Path) -> None:
    (told,) = read_deployment("samples/allow_header/wasmplugin.yaml").told
    assert f"simwasm: {told}\n" in PAGE
