"""The page with all lints says what the table says."""

from __future__ import annotations

from pathlib import Path

from simwasm.lints.page import page
from simwasm.lints.table import LINTS

PAGE = Path(__file__).parents[2] / "docs" / "problems.md"


def test_the_page_is_that_of_the_table() -> None:
    assert PAGE.read_text() == page(), "run `python -m simwasm.lints.page > docs/problems.md`"


def test_every_lint_says_why_and_what_to_do() -> None:
    for lint in LINTS:
        assert len(lint.why) > 40, lint.id
        assert len(lint.fix) > 25, lint.id
        assert lint.why.endswith("."), lint.id
        assert lint.fix.endswith("."), lint.id
