"""Every recording still gives the trace that was reviewed and committed, on every engine, to the byte.

`pytest --update-traces` writes them anew: look at the difference before you commit it.
"""

from __future__ import annotations

import pytest
from cases import Case, cases, trace

from simwasm.engines.engine import Engine

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_recording_gives_its_golden_trace(case: Case, engine: Engine, pytestconfig: pytest.Config) -> None:
    found = trace(case, engine)
    if pytestconfig.getoption("--update-traces"):
        case.golden.parent.mkdir(parents=True, exist_ok=True)
        case.golden.write_text(found)
    assert found == case.golden.read_text()


def test_every_golden_trace_belongs_to_a_case() -> None:
    known = {case.golden for case in CASES}
    assert known == set(CASES[0].golden.parents[1].rglob("*.jsonl"))
