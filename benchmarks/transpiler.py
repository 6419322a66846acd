"""The engine `python` beside other ways to run Wasm from Python: eight kernels, and getting started.

The others are released packages of PyPI. pwasm makes Python source of Wasm as we do, so it is the one to beat; ppci
does so by way of a compiler; pywasm interprets in Python, pywasm3 in C; wasmer and wasmtime make machine code.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from time import process_time
from typing import NoReturn

from benchmarks.contest import KERNELS, Times, contest, mean
from benchmarks.environment import LATER, Environment, runs
from benchmarks.row import MICROSECONDS, MILLISECONDS, Row, Target, Unit
from simwasm.engines.fuel import SLICE
from simwasm.engines.python_engine import PythonEngine, PythonProgram
from simwasm.engines.transpiler.codes import Codes
from simwasm.wasm.decode import split
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module

NANOSECONDS = Unit("ns", 2)
"""For an instruction."""

Contest = Sequence[tuple[str, Environment | str]]

GO = Path(__file__).parents[1] / "samples" / "allow_header_go" / "plugin.wasm"
_COLD_ROUNDS = 3

_PWASM = ("pwasm==0.2a0",)
PEERS: Contest = (
    ("pwasm", Environment("pwasm", _PWASM)),
    ("ppci", Environment("ppci", ("ppci==0.5.8",))),
    ("pywasm", Environment("pywasm", ("pywasm==2.2.3",), LATER)),
    ("wasm3", Environment("wasm3", ("pywasm3==0.5.0",))),
    ("wasmer", sys.executable),
    ("wasmtime", sys.executable),
)
OURS: Contest = (("python", sys.executable), ("steppable", sys.executable))
TARGETS = {"pwasm": Target(0.75), "pywasm": Target(0.005)}


def rows(*, rounds: int = 5, seconds: float = 0.1, peers: Contest = PEERS) -> Iterator[Row]:
    """Kernels on this Python, on another one if there is one."""
    times = measured((*OURS, *peers), rounds, seconds)
    yield from _kernels(times)
    yield _compared(times, "steppable", "python", Target(1.8))
    for peer, _ in peers:
        yield _compared(times, "python", peer, TARGETS.get(peer))
    yield from _elsewhere(rounds, seconds)
    yield from starts(rounds)


def measured(engines: Contest, rounds: int, seconds: float) -> Mapping[str, Mapping[str, Times]]:
    """By engine and kernel."""
    with contest(engines) as contestants:
        found: dict[str, dict[str, Times]] = {one.engine: {} for one in contestants}
        for kernel in KERNELS:
            for one in contestants:
                one.prepare(kernel, seconds)
            turns = [[one.measure(kernel) for one in contestants] for _ in range(rounds)]
            for one, taken in zip(contestants, zip(*turns, strict=True), strict=True):
                found[one.engine][kernel] = taken
    return found


def _kernels(times: Mapping[str, Mapping[str, Times]]) -> Iterator[Row]:
    """Each beside the peer that does the same."""
    for kernel in KERNELS:
        peer = times.get("pwasm", {}).get(kernel, ())
        yield Row("transpiler", f"{kernel}: python / pwasm", NANOSECONDS, times["python"][kernel], peer)


def _compared(
    times: Mapping[str, Mapping[str, Times]], ours: str, peer: str, target: Target | None, on: str = ""
) -> Row:
    """All kernels together."""
    one, other = (mean(list(times[engine].values())) for engine in (ours, peer))
    return Row("transpiler", f"eight kernels{on}: {ours} / {peer}", NANOSECONDS, one, other, target)


def starts(rounds: int, plugin: Path = GO, instructions: int = 1_000_000) -> Iterator[Row]:
    """A large plugin for the first time, and when its code was kept."""
    module, size = _repeated(read_module(plugin.read_bytes()), instructions)
    cold = min(rounds, _COLD_ROUNDS)
    generated = tuple(_seconds(lambda: _generate(module)) * 1e6 / size for _ in range(cold))
    what = f"to Python for the first time, an instruction of {size:,}"
    yield Row("transpiler", what, MICROSECONDS, generated, target=Target(4, MICROSECONDS))
    kept = PythonProgram(_generate(module), SLICE).compiled()
    loaded = tuple(_seconds(lambda: PythonEngine().restore(kept, _no_binary)) * 1e3 for _ in range(rounds))
    what = "the same module, its code kept"
    yield Row("transpiler", what, MILLISECONDS, loaded, target=Target(50, MILLISECONDS))


def _repeated(module: Module, instructions: int) -> tuple[Module, int]:
    """The module with its functions again and again, until it has so many instructions; and how many it has."""
    sizes = [len(list(split(module.data, body.code, body.end))) for body in module.bodies]
    times = -(-instructions // sum(sizes))
    totals = list(accumulate(sizes * times))
    count = bisect_left(totals, instructions) + 1
    functions, bodies = (module.functions * times)[:count], (module.bodies * times)[:count]
    return replace(module, functions=functions, bodies=bodies), totals[count - 1]


def _generate(module: Module) -> Codes:
    """Make code of all functions."""
    codes = Codes(module)
    for own in range(len(module.bodies)):
        codes.get(own, steppable=False)
    return codes


def _seconds(act: Callable[[], object]) -> float:
    """Of the processor, since others use it too."""
    started = process_time()
    act()
    return process_time() - started


def _no_binary() -> NoReturn:
    raise AssertionError("nothing traps here")


def _elsewhere(rounds: int, seconds: float) -> Iterator[Row]:
    """The same on another Python."""
    version = "3.11" if sys.version_info[:2] != (3, 11) else "3.10"
    if not runs(f"python{version}"):
        return
    other = Environment(f"pwasm-{version}", _PWASM, (f"python{version}",))
    times = measured((("python", other), ("pwasm", other)), rounds, seconds)
    yield _compared(times, "python", "pwasm", Target(0.75), f" on {version}")
