"""Errors go from one process to another and stay what they are."""

from __future__ import annotations

import pickle

import pytest

from simwasm.errors import BadModule, ConfigError, Frame, SimwasmError, Trap, TrapKind

FRAMES = (Frame(3, "spin", 0x40),)
ERRORS = [
    Trap(TrapKind.OUT_OF_FUEL, FRAMES).during("proxy_on_tick"),
    Trap(TrapKind.OTHER, (), "said by the engine"),
    BadModule("a count is too large", section="code", offset=17),
    ConfigError("a.yaml:1:2: is no text"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_in_another_process(error: SimwasmError) -> None:
    found = pickle.loads(pickle.dumps(error))
    assert (type(found), str(found), found.__dict__) == (type(error), str(error), error.__dict__)
