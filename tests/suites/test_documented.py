"""The guide to suites: its examples pass, and its reference is that of the tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simwasm.suites import play
from simwasm.suites.bench import Options
from simwasm.suites.reference import reference
from simwasm.suites.run import run

ROOT = Path(__file__).parent.parent.parent
GUIDE = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=[re.findall(r"name: (.*)", text)[0] for text in EXAMPLES])
def test_an_example_passes(text: str) -> None:
    for case in play.cases_of(text, str(ROOT / "suite.yaml")):
        check = run(case, Options())
        assert check.verdict == "passed", check.details


def test_the_reference_is_that_of_the_tables() -> None:
    """If it is not: what `simwasm.suites.reference.reference()` gives goes behind the heading `All keys`."""
    assert GUIDE.partition("## All keys\n\n")[2] == reference()
