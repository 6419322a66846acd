"""The samples in Python: their traces to the byte, and in the end the memory, globals and fuel of native code."""

from __future__ import annotations

import sys

import pytest
from cases import Case, cases

from simwasm.answers import Clusters
from simwasm.engines.engine import Capturable
from simwasm.engines.find import engine
from simwasm.engines.image import Image, capture
from simwasm.host.profile import ENVOY
from simwasm.recording import Recording
from simwasm.session import Session

NATIVE = "wasmer" if sys.version_info[:2] == (3, 10) else "wasmtime"


def run(case: Case, name: str) -> tuple[str, list[Image]]:
    """The trace of a case in an engine, and the state that its guests end in."""
    lines: list[str] = []
    now = case.exchanges[0].started_ns
    recording = Recording(lines.append, [case.plugin], profile=ENVOY, now_ns=now)
    clusters = Clusters(case.clusters)
    with Session(
        [case.plugin],
        engine=engine(name),
        observers=[recording],
        clusters=clusters.names,
        ask_cluster=clusters.ask,
        now_ns=now,
    ) as session:
        for outcome in session.replay(case.exchanges):
            recording.finished(outcome)
        images = []
        for each in session.started:
            assert isinstance(each.instance, Capturable)
            images.append(capture(each.instance))
    return "".join(lines), images


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_a_sample_runs_as_it_does_in_native_code(case: Case) -> None:
    trace, images = run(case, "python")
    assert trace == run(case, NATIVE)[0]
    assert images == run(case, NATIVE)[1]
