"""Runs of real plugins on tape, with their exchanges and log lines, recorded without a debugger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from cases import Case, cases

from simwasm.abi.table import ALLOCATORS, Side
from simwasm.answers import Clusters
from simwasm.debug.seen import Seen
from simwasm.debug.tape import Line, Span, Tape
from simwasm.engines import find
from simwasm.exchange import Exchange
from simwasm.plugin import Plugin
from simwasm.session import DEFAULT_FUEL, Session
from simwasm.trace.event import Event

CASES = {case.id: case for case in cases()}


@cache
def tape_of(id: str) -> Tape:
    """The run of a recorded case; many tests read the same tape."""
    case: Case = CASES[id]
    answering = Clusters(dict(case.clusters))
    return record([case.plugin], case.exchanges, clusters=answering.names, ask_cluster=answering.ask)


def record(plugins: Sequence[Plugin], exchanges: Sequence[Exchange], **options: object) -> Tape:
    """A run of plugins, to its end."""
    recorder = _Recorder(plugins, {"now_ns": exchanges[0].started_ns if exchanges else 0, **options})
    return recorder.run(exchanges)


class _Recorder:
    def __init__(self, plugins: Sequence[Plugin], options: dict[str, object]) -> None:
        self.tape = Tape()
        self._spans: dict[int, Span] = {}
        settings = {"engine": find.engine(None), "fuel": DEFAULT_FUEL, **options}
        self._session = Session(
            plugins,
            observers=[self._watch],
            on_log=lambda line: self.tape.lines.append(Line(len(self.tape), line)),
            **settings,  # type: ignore[arg-type]  # options of Session
        )

    def run(self, exchanges: Iterable[Exchange]) -> Tape:
        with self._session as session:
            for outcome in session.replay(self._begun(exchanges)):
                span = self._spans[id(outcome.exchange)]
                span.outcome, span.last = outcome, len(self.tape)
        self.tape.complete = True
        return self.tape

    def _begun(self, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
        for exchange in exchanges:
            self._spans[id(exchange)] = self.tape.begin(exchange)
            yield exchange

    def _watch(self, event: Event) -> None:
        tape = self.tape
        tape.add(event)
        position = len(tape)
        entered = tape.entered(position)
        if entered.function.side is Side.HOST or entered.function.name in ALLOCATORS:
            return
        vm = next(vm for vm in self._session.proxy.vms if vm.name == entered.vm)
        context = vm.current
        if context is not None and context.stream is not None:
            tape.seen.put(position, Seen().look(context))
            tape.belongs(entered.vm, context.id, self._spans[id(context.stream.exchange)])


__all__ = ["CASES", "record", "tape_of"]
