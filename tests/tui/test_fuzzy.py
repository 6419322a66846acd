"""Finding names by some of their letters."""

from __future__ import annotations

import pytest
from simwasm_tui.fuzzy import fuzzy

NAMES = ("proxy_on_request_headers", "proxy_on_request_body", "malloc", "core::fmt::write", "HEADERS")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("headers", [4, 0]),
        ("onreqb", [1]),
        ("fmt", [3]),
        ("(.*", []),
        ("zz", []),
    ],
)
def test_the_closest_come_first(wanted: str, found: list[int]) -> None:
    assert fuzzy(NAMES, wanted) == found
