"""Memory that grows with every request, and what only looks like it."""

from __future__ import annotations

import pytest

from simwasm.lints.memory import grows, growth


@pytest.mark.parametrize(
    ("sizes", "rate"),
    [
        ([100, 200, 300, 400], 10),
        ([0, 200, 300, 400, 500], 10),
        ([100, 200, 200, 300, 300, 400, 400, 500], 5),
        ([100, 200, 300], 0),
        ([100, 200, 300, 300], 0),
        ([100, 900, 900, 900, 900], 0),
        ([100, 200, 300, 400, 400, 400, 400], 0),
        ([100], 0),
    ],
    ids=["each round", "the first round is left out", "each stretch", "too few rounds", "it stops", "only at first",
         "only in the beginning", "no round"],
)  # fmt: skip
def test_only_a_memory_that_grows_to_the_end_grows(sizes: list[int], rate: float) -> None:
    assert growth(sizes, 10) == rate


def test_without_requests_nothing_is_said() -> None:
    assert growth([1, 2, 3, 4, 5], 0) == 0


def test_the_problem_tells_bytes_a_request() -> None:
    problem = grows("leaky", [100, 200, 300, 400], 10)
    assert problem is not None
    assert problem.happened.endswith("in 3 rounds of 10 requests: 10 bytes a request.")
    assert grows("fine", [100, 100, 100, 100], 10) is None
