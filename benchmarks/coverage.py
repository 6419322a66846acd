"""What coverage costs: requests through a plugin and bare computing, with marks and without them.

A request is mostly the host's work; how long a guest takes alone is the time in its exports
without that in host calls. The kernels are the worst there is: tight loops that compute, and never call the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time, thread_time

from benchmarks.contest import KERNELS, mean
from benchmarks.row import MICROSECONDS, Measure, Row, Target, in_turns
from simwasm.cache import Cache
from simwasm.coverage.collector import Collector
from simwasm.engines import find
from simwasm.engines.engine import Engine, HostFunction, Imports, Instance, Program, Word, Words
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.exchange import Exchange, request
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.wasm.rewrite import Limits, Rewritten

_ROOT = Path(__file__).parents[1]
_HEADERS = [("user-agent", "wrk/4.1.0"), ("accept", "*/*"), ("allow", "true")]
_SAMPLES = {"allow_header": "Rust", "allow_header_go": "Go"}
_NOWHERE = Cache(None)
_ENOUGH = 0.02


def rows(*, requests: int = 20, rounds: int = 15) -> Iterator[Row]:
    """Each engine that compiles."""
    for name in ("wasmer", "wasmtime"):
        plain = find.engine(name)
        covering = Collector().covering(plain)
        for sample, language in _SAMPLES.items():
            measures = (_replayed(sample, engine, requests) for engine in (covering, plain))
            ours, peer = in_turns(rounds, *measures)
            what = f"a request of a {language} plugin on {name}, with coverage / without"
            yield Row("coverage", what, MICROSECONDS, ours, peer, Target(1.3))
            inside = (_inside(sample, engine, requests) for engine in (covering, plain))
            ours, peer = in_turns(rounds, *inside)
            yield Row("coverage", "the same, inside of the guest", MICROSECONDS, ours, peer, Target(1.5))
        pairs = [in_turns(3, *(_computed(kernel, each) for each in (covering, plain))) for kernel in KERNELS]
        marked, bare = (mean([pair[side] for pair in pairs]) for side in (0, 1))
        yield Row("coverage", f"computing on {name}, {len(KERNELS)} kernels", MICROSECONDS, marked, bare)


def _session(sample: str, engine: Engine) -> Session:
    wasm = (_ROOT / "samples" / sample / "plugin.wasm").read_bytes()
    session = Session([Plugin(sample, wasm)], engine=engine)
    session.start()
    return session


def _exchanges(requests: int) -> list[Exchange]:
    return [Exchange(str(number), 0, request("GET", "/", headers=_HEADERS)) for number in range(requests)]


def _replayed(sample: str, engine: Engine, requests: int) -> Measure:
    """Microseconds of the processor for a request."""
    session, exchanges = _session(sample, engine), _exchanges(requests)

    def measure() -> float:
        started = process_time()
        list(session.replay(exchanges))
        return (process_time() - started) * 1e6 / requests

    return measure


def _inside(sample: str, engine: Engine, requests: int) -> Measure:
    """Microseconds of the processor for a request, in the guest alone."""
    clock = _Clock(engine)
    session, exchanges = _session(sample, clock), _exchanges(requests)

    def measure() -> float:
        clock.taken = 0.0
        list(session.replay(exchanges))
        return clock.taken * 1e6 / requests

    return measure


def _computed(kernel: str, engine: Engine) -> Measure:
    """Microseconds for an amount of work that takes about as long on every side."""
    wasm = (_ROOT / "benchmarks" / "kernels" / f"{kernel}.wasm").read_bytes()
    run = load(engine, wasm, Limits(), _NOWHERE).start({}, Fuel(None)).exports["run"]
    amount = 1
    while _taken(run, amount) < _ENOUGH:
        amount *= 2
    return lambda: _taken(run, amount) * 1e6 / amount


def _taken(run: Callable[..., Words], amount: int) -> float:
    started = process_time()
    run(amount)
    return process_time() - started


class _Clock:
    """An engine that counts how long its guests take, without the host that they call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name = engine.name
        self.version = f"{engine.version} timed"
        self.taken = 0.0

    def compile(self, module: Rewritten) -> _Clocked:
        """Compile as the engine does."""
        return _Clocked(self, self._engine.compile(module))


class _Clocked:
    """A program of it."""

    def __init__(self, clock: _Clock, program: Program) -> None:
        self._clock = clock
        self._program = program

    def compiled(self) -> bytes:
        """The native code."""
        return self._program.compiled()

    def start(self, imports: Imports, fuel: Fuel) -> Instance:
        """Count what exports take, and take off what host functions do."""
        counted = {
            key: HostFunction(each.type, self._timed(each.call, -1), each.unwinds)
            for key, each in imports.items()
        }
        instance = self._program.start(counted, fuel)
        instance.exports = {name: self._timed(call, 1) for name, call in instance.exports.items()}  # type: ignore[misc]  # nobody else has it yet
        return instance

    def _timed(self, call: Callable[..., Words], sign: int) -> Callable[..., Words]:
        def timed(*words: Word) -> Words:
            started = thread_time()
            try:
                return call(*words)
            finally:
                self._clock.taken += sign * (thread_time() - started)

        return timed
