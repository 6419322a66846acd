"""The samples in Python: their traces to the byte, and in the end the memory, globals and fuel of native code."""

from __future__ import annotations

import sys

import pytest
from cases import Case, cases, trace

from simwasm.engines.engine import Capturable
from simwasm.engines.find import engine
from simwasm.engines.image import Image, capture
from simwasm.session import Session

NATIVE = "wasmer" if sys.version_info[:2] == (3, 10) else "wasmtime"


def run(case: Case, name: str) -> tuple[str, list[Image]]:
    """The trace of a case in an engine, and the state that its guests end in."""
    images: list[Image] = []

    def look(session: Session) -> None:
        for each in session.started:
            assert isinstance(each.instance, Capturable)
            images.append(capture(each.instance))

    return trace(case, engine(name), look), images


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_a_sample_runs_as_it_does_in_native_code(case: Case) -> None:
    assert run(case, "python") == run(case, NATIVE)
