"""What probes cost a Go plugin while nobody watches, and while somebody does.

Both sides replay the same requests and are compiled with singlepass; one has a probe at every statement of the plugin,
or at every instruction, the other has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import process_time

from benchmarks.row import MICROSECONDS, Measure, Row, Target, in_turns
from simwasm.engines.engine import Engine, Steppable
from simwasm.engines.probing import probing
from simwasm.engines.wasmer_engine import WasmerEngine
from simwasm.exchange import Exchange, request
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.wasm.probes import Probes

PLUGIN = Path(__file__).parents[1] / "samples" / "allow_header_go" / "plugin.wasm"
_HEADERS = [("user-agent", "wrk/4.1.0"), ("accept", "*/*"), ("allow", "true")]


def rows(*, requests: int = 10, rounds: int = 200) -> Iterator[Row]:
    """Idle probes of both kinds, and what one costs that is told."""
    statements, every = probing("wasmer", Probes()), probing("wasmer", Probes(every=True))
    sides = (_replayed(engine, requests) for engine in (WasmerEngine("singlepass"), statements, every))
    peer, few, many = in_turns(rounds, *sides)
    what = "a request of a Go plugin, idle probes at every {} / none"
    yield Row("probes", what.format("statement"), MICROSECONDS, few, peer, Target(1.1))
    yield Row("probes", what.format("instruction"), MICROSECONDS, many, peer)
    (told,) = in_turns(max(3, rounds // 40), _told(every))
    yield Row("probes", "an instruction told", MICROSECONDS, told)


def _replayed(engine: Engine, requests: int) -> Measure:
    """Microseconds of the processor for a request."""
    session = _session(engine)
    exchanges = [
        Exchange(str(number), 0, request("GET", "/", headers=_HEADERS)) for number in range(requests)
    ]

    def measure() -> float:
        started = process_time()
        passed = sum(outcome.status == 200 for outcome in session.replay(exchanges))
        taken = process_time() - started
        assert passed == requests
        return taken * 1e6 / requests

    return measure


def _told(engine: Engine) -> Measure:
    """Microseconds for each instruction that a hook is told."""
    session = _session(engine)
    instance = session.started[0].instance
    assert isinstance(instance, Steppable)
    told: list[int] = []
    exchange = Exchange("1", 0, request("GET", "/", headers=_HEADERS))

    def measure() -> float:
        told.clear()
        instance.watch(told.append)
        started = process_time()
        list(session.replay([exchange]))
        taken = process_time() - started
        instance.watch(None)
        return taken * 1e6 / len(told)

    return measure


def _session(engine: Engine) -> Session:
    session = Session([Plugin("go", PLUGIN.read_bytes())], engine=engine)
    session.start()
    return session
