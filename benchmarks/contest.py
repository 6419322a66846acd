"""The kernels in several engines, each in a process of its own, measured in turns.

Rules that live here: what counts is nanoseconds an instruction, so that a slow engine may be given less to do
than a quick one; an engine's first answers have to be the right ones; so many short calls come
before the first that is measured, because some engines compile only what is called again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from math import prod
from pathlib import Path

import wasmtime

from benchmarks.environment import Environment
from simwasm.errors import SimwasmError

KERNELS = ("fib", "sieve", "bytecopy", "sha256", "nbody", "xxh64", "fnv64", "dispatch")
WARM_UP = (1, 2, 1)
_FOLDER = Path(__file__).with_name("kernels")
_SAMPLE = 64
_PLENTY = 1_000_000_000

Times = tuple[float, ...]
"""Nanoseconds an instruction, a round each."""


class Contestant:
    """An engine at work in its process."""

    def __init__(self, engine: str, python: str) -> None:
        self.engine = engine
        command = [python, str(_FOLDER / "worker.py"), engine]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._amounts: dict[str, int] = {}

    def prepare(self, kernel: str, seconds: float) -> None:
        """Check what it gives, and find out how much work takes so long."""
        found = tuple(self._run(kernel, amount)[1] for amount in WARM_UP)
        if found != _answers(kernel):
            raise SimwasmError(f"{self.engine} computes {kernel} wrongly: {found} is not {_answers(kernel)}")
        amount = 1
        while self._run(kernel, amount)[0] < seconds:
            amount *= 2
        self._amounts[kernel] = amount

    def measure(self, kernel: str) -> float:
        """Nanoseconds an instruction."""
        amount = self._amounts[kernel]
        return self._run(kernel, amount)[0] * 1e9 / (amount * _instructions(kernel))

    def _run(self, kernel: str, amount: int) -> tuple[float, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(kernel, amount, file=self._process.stdin, flush=True)
            taken, given = self._process.stdout.readline().split()
        except (OSError, ValueError):
            raise SimwasmError(f"{self.engine} cannot run {kernel}; what it says is above") from None
        return float(taken), int(given)

    def close(self) -> None:
        """End its process."""
        with self._process:
            if self._process.stdin is not None:
                self._process.stdin.close()


@contextmanager
def contest(engines: Sequence[tuple[str, Environment | str]]) -> Iterator[list[Contestant]]:
    """Each engine in its process, with an interpreter or one from an environment."""
    with ExitStack() as stack:
        found = []
        for engine, where in engines:
            python = where if isinstance(where, str) else where.program("python")
            found.append(Contestant(engine, python))
            stack.callback(found[-1].close)
        yield found


def mean(times: Sequence[Times]) -> Times:
    """The geometric mean of several kernels: of the best round of each, of the second best…"""
    return tuple(prod(ranked) ** (1 / len(ranked)) for ranked in zip(*map(sorted, times), strict=True))


@cache
def _answers(kernel: str) -> tuple[int, ...]:
    """What the calls before the first that is measured have to give."""
    store = wasmtime.Store()
    run = _start(kernel, store)
    return tuple(run(store, amount) & 0xFFFF_FFFF for amount in WARM_UP)


@cache
def _instructions(kernel: str) -> float:
    """How many instructions one unit of work is: wasmtime's fuel, which is not ours, counts those that are run."""
    config = wasmtime.Config()
    config.consume_fuel = True
    store = wasmtime.Store(wasmtime.Engine(config))
    store.set_fuel(_PLENTY)
    run = _start(kernel, store)

    def burnt(amount: int) -> int:
        before = store.get_fuel()
        run(store, amount)
        return before - store.get_fuel()

    return (burnt(_SAMPLE) - burnt(0)) / _SAMPLE


def _start(kernel: str, store: wasmtime.Store) -> wasmtime.Func:
    wasm = (_FOLDER / f"{kernel}.wasm").read_bytes()
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, wasm), [])
    run = instance.exports(store)["run"]
    assert isinstance(run, wasmtime.Func)
    return run
