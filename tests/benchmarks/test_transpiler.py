"""The kernels in several engines, as little of them as there is. Never how fast."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import transpiler
from benchmarks.contest import KERNELS, Contestant, mean
from benchmarks.row import Row
from simwasm.errors import SimwasmError

PLUGIN = Path(transpiler.GO).parents[1] / "allow_header_c" / "plugin.wasm"


def test_every_kernel_gives_the_same_in_every_engine_and_is_measured() -> None:
    engines = (*transpiler.OURS, ("wasmtime", sys.executable))
    times = transpiler.measured(engines, rounds=1, seconds=0)
    assert set(times) == {"python", "steppable", "wasmtime"}
    assert all(tuple(taken) == KERNELS for taken in times.values())
    assert all(figure > 0 for taken in times.values() for rounds in taken.values() for figure in rounds)


def test_an_engine_that_is_not_there_is_an_error_with_its_name() -> None:
    nobody = Contestant("nobody", sys.executable)
    with pytest.raises(SimwasmError, match="nobody cannot run fib"):
        nobody.prepare("fib", 0)
    nobody.close()


def test_an_engine_that_computes_wrongly_is_found_out() -> None:
    one = Contestant("wasmtime", sys.executable)
    one.prepare("sha256", 0)
    with pytest.raises(SimwasmError, match="wasmtime computes sha256 wrongly"):
        one.prepare("sha256", 0)  # it goes on from where it was, so these answers are not the first ones
    one.close()


def test_the_mean_is_geometric_and_takes_the_best_rounds_together() -> None:
    assert mean([(2.0, 1.0), (4.0, 9.0)]) == pytest.approx((2.0, 18**0.5))


def test_the_first_start_and_later_ones_are_measured_and_promised() -> None:
    found: list[Row] = list(transpiler.starts(1, PLUGIN, 3000))
    assert [row.target is not None for row in found] == [True, True]
    assert all(figure > 0 for row in found for figure in row.ours)
