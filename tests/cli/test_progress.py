"""How far a run is, as a log has it: a line every few seconds, by bytes or by the exchanges that are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from itertools import count

import pytest

from simwasm.cli.progress import Progress


@pytest.fixture
def clock() -> Iterator[float]:
    """Five seconds go by whenever somebody looks."""
    return (5.0 * number for number in count())


@pytest.mark.parametrize(
    ("done", "total", "most", "told"),
    [
        (25, 100, None, "20 exchanges · 4/s · 25% · 15 s left"),
        (25, 100, 40, "20 exchanges · 4/s · 50% · 5 s left"),
        (99, 100, None, "20 exchanges · 4/s · 99% · 1 s left"),
        (1, 100, None, "20 exchanges · 4/s · 1% · 8:15 min left"),
        (100, 100, None, "20 exchanges · 4/s · 100%"),
        (25, None, None, "20 exchanges · 4/s"),
        (25, None, 40, "20 exchanges · 4/s · 50% · 5 s left"),
    ],
)
def test_a_line_says_how_far_it_is(
    clock: Iterator[float], done: int, total: int | None, most: int | None, told: str
) -> None:
    log = StringIO()
    progress = Progress(lambda: done, lambda: total, most=most, stream=log, now=lambda: next(clock))
    progress.tick(20)
    assert log.getvalue() == f"simwasm: {told}\n"
