"""The debugger without its screen: how long it takes to record, to step, and to go back anywhere.

The run has 100,000 events: requests through `samples/allow_header`, eight callbacks and three host calls each.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from random import Random
from statistics import quantiles
from threading import Thread
from time import perf_counter, sleep

from benchmarks.replay import PLUGIN
from benchmarks.row import MICROSECONDS, MILLISECONDS, Measure, Row, Target, in_turns
from simwasm.debug.debugger import Debugger
from simwasm.debug.inputs import Inputs
from simwasm.debug.stop import Stop
from simwasm.engines.find import engine
from simwasm.exchange import Exchange, request, response
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Event

_A_REQUEST = 22
"""Events of one request."""
_ASKED = request("GET", "/", headers=[("user-agent", "wrk/4.1.0"), ("accept", "*/*"), ("allow", "true")])
_ANSWER = response(200, headers=[("content-type", "text/plain")], body=b"ok")


def rows(*, rounds: int = 3, events: int = 100_000) -> Iterator[Row]:
    """Recording, steps and returns."""
    inputs = Inputs((Plugin("allow_header", PLUGIN.read_bytes()),), exchanges(events // _A_REQUEST))
    recorded, watched = in_turns(rounds, _recorded(inputs), _watched(inputs))
    yield Row("debugger", "an event recorded / replayed and kept", MICROSECONDS, recorded, watched, Target(3))
    with _debugging(inputs) as debugger:
        yield from _moves(debugger, rounds, events)
    late, counting = in_turns(rounds, lambda: _waits(inputs), _waits_for_counting)
    what = "others kept waiting while it records, worst of 100 / while a thread counts"
    yield Row("debugger", what, MILLISECONDS, late, counting, Target(2))


def _moves(debugger: Debugger, rounds: int, events: int) -> Iterator[Row]:
    steps, back, anywhere = in_turns(rounds, _steps(debugger), _back(debugger), _goto(debugger))
    yield Row("debugger", "a step, 95 in 100", MILLISECONDS, steps, target=Target(30, MILLISECONDS))
    what = f"a step back, anywhere in {events:,} events, the worst of 40 / going there"
    yield Row("debugger", what, MILLISECONDS, back, anywhere, Target(200, MILLISECONDS))


def exchanges(count: int) -> tuple[Exchange, ...]:
    """So many requests that the plugin lets pass."""
    return tuple(Exchange(str(number), 0, _ASKED, _ANSWER) for number in range(count))


@contextmanager
def _debugging(inputs: Inputs) -> Iterator[Debugger]:
    debugger = Debugger(inputs)
    try:
        debugger.open().result()
        yield debugger
    finally:
        debugger.close()


def _recorded(inputs: Inputs) -> Measure:
    """Microseconds an event, with the plugin's start and the way back to the first row."""

    def measure() -> float:
        started = perf_counter()
        with _debugging(inputs) as debugger:
            taken = perf_counter() - started
            count = len(debugger.tape)
        gc.collect()
        return taken * 1e6 / count

    return measure


def _watched(inputs: Inputs) -> Measure:
    """Microseconds an event when all that is done with it is to keep it."""

    def measure() -> float:
        events: list[Event] = []
        started = perf_counter()
        with Session(inputs.plugins, engine=engine(inputs.engine), observers=[events.append]) as session:
            for _ in session.replay(inputs.exchanges):
                pass
        taken = perf_counter() - started
        count = len(events)
        events.clear()
        gc.collect()
        return taken * 1e6 / count

    return measure


def _steps(debugger: Debugger, count: int = 100) -> Measure:
    """Milliseconds from asking for a step until it stands."""

    def measure() -> float:
        debugger.goto(len(debugger.tape) // 2).result()
        return quantiles([_taken(debugger.step) for _ in range(count)], n=20)[-1]

    return measure


def _back(debugger: Debugger, count: int = 40) -> Measure:
    def measure() -> float:
        places, worst = Random(1), 0.0
        for _ in range(count):
            debugger.goto(places.randrange(len(debugger.tape) // 100, len(debugger.tape))).result()
            worst = max(worst, _taken(lambda: debugger.step(back=True)))
        return worst

    return measure


def _goto(debugger: Debugger, count: int = 40) -> Measure:
    def measure() -> float:
        places, last = Random(2), len(debugger.tape)
        return max(_taken(lambda: debugger.goto(places.randrange(last // 100, last))) for _ in range(count))

    return measure


def _taken(verb: Callable[[], Future[Stop]]) -> float:
    started = perf_counter()
    verb().result()
    return (perf_counter() - started) * 1e3


def _waits(inputs: Inputs) -> float:
    debugger = Debugger(inputs)
    try:
        opened = debugger.open()
        return _lateness(lambda: not opened.done())
    finally:
        debugger.close()


def _waits_for_counting() -> float:
    """With the interpreter shared with a thread that does nothing but compute, which is as good as it gets."""
    end = perf_counter() + 1

    def count() -> None:
        while perf_counter() < end:
            pass

    thread = Thread(target=count)
    thread.start()
    try:
        return _lateness(thread.is_alive)
    finally:
        thread.join()


def _lateness(going: Callable[[], bool]) -> float:
    """How many milliseconds later than asked for a thread wakes up that sleeps again and again: the worst of 100."""
    late: list[float] = []
    while going() or len(late) < 2:
        started = perf_counter()
        sleep(0.001)
        late.append((perf_counter() - started - 0.001) * 1e3)
    return quantiles(late, n=100)[-1]
