"""A run under the debugger is the run that there is without one."""

from __future__ import annotations

import pytest
from debugging import CASES, debugging, inputs_of

from simwasm.engines.engine import Engine
from simwasm.host.profile import ENVOY
from simwasm.recording import Recording


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_tape_is_the_golden_trace(case: str, engine: Engine) -> None:
    found = CASES[case]
    lines: list[str] = []
    with debugging(inputs_of(case, engine.name)) as debugger:
        recording = Recording(
            lines.append, [found.plugin], profile=ENVOY, now_ns=found.exchanges[0].started_ns
        )
        ends = {span.last: span.outcome for span in debugger.tape.spans}
        for event in debugger.tape.events:
            recording(event)
            outcome = ends.get(event.seq)
            if outcome is not None:
                recording.finished(outcome)
    assert "".join(lines) == found.golden.read_text()
