"""The engine `python` beside other ways to run Wasm from Python: eight kernels, and getting started.

The others are released packages of PyPI. pwasm makes Python source of Wasm as we do, so it is the one to beat; ppci
does so by way of a compiler; pywasm interprets in Python, pywasm3 in C; wasmer and wasmtime make machine code.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from time import process_time
from typing import NoReturn

from benchmarks.contest import KERNELS, Times, contest, mean
from benchmarks.environment import Environment, runs
from benchmarks.row import MICROSECONDS, MILLISECONDS, Row, Target, Unit
from simwasm.engines.fuel import SLICE
from simwasm.engines.python_engine import PythonEngine, PythonProgram
from simwasm.engines.transpiler.codes import Codes
from simwasm.engines.transpiler.generate import Generator
from simwasm.engines.transpiler.initial import initial
from simwasm.wasm.decode import split
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module

NANOSECONDS = Unit("ns", 2)
"""For an instruction."""

Contest = Sequence[tuple[str, Environment | str]]

GO = Path(__file__).parents[1] / "samples" / "allow_header_go" / "plugin.wasm"
_COLD_ROUNDS = 3

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHER = "3.10" if HERE == "3.11" else "3.11"
"""Another Python, which may be there."""
TARGETS = {"pwasm": Target(0.75), "pywasm": Target(0.005)}


def _of_its_own(requirement: str, version: str) -> tuple[str, Environment | str]:
    """A peer that is a Python package; its name in `worker.py` is the package's."""
    name = requirement.partition("==")[0]
    return name, Environment(
        f"{name}-{version}", (requirement,), (f"python{version}",) if version != HERE else ()
    )


def _peers(version: str) -> Contest:
    """Those that are written in Python; pywasm needs 3.11."""
    requirements = ("pwasm==0.2a0", *(() if version == "3.10" else ("pywasm==2.2.3",)))
    return tuple(_of_its_own(requirement, version) for requirement in requirements)


OURS: Contest = (("python", sys.executable), ("steppable", sys.executable))
PEERS: Contest = (
    *_peers(HERE),
    _of_its_own("ppci==0.5.8", HERE),
    _of_its_own("pywasm3==0.5.0", HERE),
    *((("wasmer", sys.executable),) if HERE == "3.10" else ()),
    ("wasmtime", sys.executable),
)


def rows(*, rounds: int = 5, seconds: float = 0.1) -> Iterator[Row]:
    """Kernels on this Python, on another one if it is there; starting."""
    times = measured((*OURS, *PEERS), rounds, seconds)
    yield from _kernels(times)
    yield _compared(times, "steppable", "python", Target(1.8))
    for peer, _ in PEERS:
        yield _compared(times, "python", peer, TARGETS.get(peer))
    if runs(f"python{OTHER}"):
        yield from _elsewhere(rounds, seconds)
    yield from starts(rounds)


def _elsewhere(rounds: int, seconds: float) -> Iterator[Row]:
    """Those that are written in Python, on that other one."""
    peers = _peers(OTHER)
    ours: Contest = tuple((engine, peers[0][1]) for engine, _ in OURS)  # which needs nothing but Python
    times = measured((*ours, *peers), rounds, seconds)
    yield _compared(times, "steppable", "python", Target(1.8), f" on {OTHER}")
    for peer, _ in peers:
        yield _compared(times, "python", peer, TARGETS[peer], f" on {OTHER}")


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
    module, pages = initial(module)
    codes = [Codes(module) for _ in range(min(rounds, _COLD_ROUNDS))]
    generated = tuple(_seconds(partial(_generate, one)) * 1e6 / size for one in codes)
    compiled = (_seconds(partial(_compile, _texts(module))) * 1e6 / size,)
    what = f"to Python for the first time / what compile() takes of it, an instruction of {size:,}"
    yield Row("transpiler", what, MICROSECONDS, generated, compiled, Target(4, MICROSECONDS))
    kept = PythonProgram((b"", SLICE, 0), codes[0], pages).compiled()
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


def _generate(codes: Codes) -> None:
    """Make code of all functions."""
    for own in range(len(codes.module.bodies)):
        codes.get(own, steppable=False)


def _texts(module: Module) -> list[str]:
    """The Python of all functions."""
    generator = Generator(module)
    return [generator.source(own)[0] for own in range(len(module.bodies))]


def _compile(texts: list[str]) -> None:
    """What no generator can save."""
    for text in texts:
        compile(text, "<wasm>", "exec", dont_inherit=True, optimize=2)


def _seconds(act: Callable[[], object]) -> float:
    """Of the processor, since others use it too."""
    started = process_time()
    act()
    return process_time() - started


def _no_binary() -> NoReturn:
    raise AssertionError("nothing traps here")
