"""The page about parity with Envoy says what the tests say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from proofs import PAGE, ROOT

TESTS = ROOT / "tests"


def cases(page: str) -> dict[str, str]:
    """The cell with the cases of each behaviour, by number."""
    rows = (line.strip("|").split(" | ") for line in page.splitlines() if line.startswith("| "))
    return {row[0].strip(): row[2] for row in rows if row[0].strip()}


def test_the_page_names_every_case_that_there_is(tmp_path: Path) -> None:
    texts = {str(file): file.read_text() for file in TESTS.rglob("test_*.py")}
    marked = [file for file, text in texts.items() if "mark.envoy" in text or "from live import" in text]
    fresh = tmp_path / "page.md"
    collect = ["--collect-only", "-q", "-p", "no:cacheprovider", "-m", "envoy", f"--write-parity={fresh}"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *collect, *marked], check=True, cwd=ROOT, stdout=subprocess.PIPE
    )
    assert cases(PAGE.read_text()) == cases(fresh.read_text()), (
        "run `make parity` and commit docs/envoy-parity.md"
    )
