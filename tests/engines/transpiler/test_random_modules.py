"""Modules made at random do on the engine in Python what they do on the others: results, traps, memory, fuel."""

from __future__ import annotations

import os
import sys

import pytest
from random_modules import made
from side_by_side import observed

from simwasm.engines import find

SEEDS = int(os.environ.get("SIMWASM_EXAMPLES", "40"))
OLD = ("wasmer",) if sys.version_info[:2] == (3, 10) else ()
"""What knows neither vectors nor tail calls."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_random_module_does_on_all_engines_the_same(seed: int) -> None:
    module = made(seed)
    expected = list(observed(find.engine("wasmtime"), module, seed))
    for ours, theirs in zip(observed(find.engine("python"), module, seed), expected, strict=True):
        assert ours.agrees(theirs), (ours, theirs)
    for name in () if module.new else OLD:
        for ours, theirs in zip(observed(find.engine(name), module, seed), expected, strict=True):
            assert ours.text == theirs.text
