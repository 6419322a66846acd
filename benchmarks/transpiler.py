"""The engine `python` beside other ways to run Wasm from Python: eight kernels, and getting started.

The others are released packages of PyPI. pwasm makes Python source of Wasm as we do, so it is the one to beat; ppci
does so by way of a compiler; pywasm interprets in Python, pywasm3 in C; wasmer and wasmtime make machine code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.contest import KERNELS, Times, contest, mean
from benchmarks.environment import LATER, Environment, runs
from benchmarks.row import Row, Target, Unit

NANOSECONDS = Unit("ns", 2)
"""For an instruction."""

Contest = Sequence[tuple[str, Environment | str]]

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


def _elsewhere(rounds: int, seconds: float) -> Iterator[Row]:
    """The same on another Python."""
    version = "3.11" if sys.version_info[:2] != (3, 11) else "3.10"
    if not runs(f"python{version}"):
        return
    other = Environment(f"pwasm-{version}", _PWASM, (f"python{version}",))
    times = measured((("python", other), ("pwasm", other)), rounds, seconds)
    yield _compared(times, "python", "pwasm", Target(0.75), f" on {version}")
