"""A real run that somebody looks at from inside: at every event the guest stands still, which is what a stop is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.arguments import Argument, arguments
from simwasm.debug.consequences import Consequence, consequence
from simwasm.debug.expression_scope import Scope, scope_at
from simwasm.debug.state import State, read
from simwasm.debug.tape import Tape
from simwasm.debug.waiting import status
from simwasm.engines.engine import Engine, Memory
from simwasm.exchange import Exchange, Message
from simwasm.host.outcome import Outcome
from simwasm.host.proxy import Proxy
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left


@dataclass(frozen=True)
class Standing:
    """One stands at the event that has just been announced."""

    proxy: Proxy
    tape: Tape
    memory: Memory | None

    @property
    def position(self) -> int:
        return len(self.tape)

    @property
    def state(self) -> State:
        return read(self.proxy, self.tape, self.position)

    @property
    def consequence(self) -> Consequence:
        found = consequence(self.state, self.tape, self.position)
        assert found is not None
        return found

    @property
    def status(self) -> str:
        """How the first open exchange stands."""
        state = self.state
        return status(state, state.streams[0])

    @property
    def arguments(self) -> dict[str, Argument]:
        """The arguments of the call by name."""
        event = self.tape.at(self.position)
        ended = event if isinstance(event, Left) else None
        found = arguments(
            self.tape.entered(self.position),
            ended,
            memory=self.memory,
            tape=self.tape,
            after=ended is not None,
        )
        return {argument.name: argument for argument in found}

    @property
    def scope(self) -> Scope:
        return scope_at(self.state, self.tape, self.position, self.memory)


Look = Callable[[Standing], object]


def visit(
    engine: Engine,
    plugins: Plugin | Sequence[Plugin],
    exchanges: Sequence[Exchange | Message],
    looks: dict[str, Look],
    *,
    together: bool = False,
    **options: object,
) -> list[Outcome]:
    """Run exchanges, and look when a function is entered (`name`) or has returned (`-name`), each time it is."""
    tape = Tape(lambda: 0)
    chain = [plugins] if isinstance(plugins, Plugin) else list(plugins)
    looked: set[str] = set()

    def watch(event: Event) -> None:
        tape.add(event)
        entered = tape.entered(len(tape))
        if entered.function.name in ALLOCATORS:
            return
        _begin(session.proxy, tape, event)
        name = entered.function.name if event is entered else f"-{entered.function.name}"
        if name in looks:
            looked.add(name)
            started = next(each for each in session.started if each.vm.name == entered.vm)
            memory = started.instance.memory if started.instance is not None else None
            looks[name](Standing(session.proxy, tape, memory))

    session = Session(chain, engine=engine, observers=[watch], **options)  # type: ignore[arg-type]  # of Session
    given = [
        item if isinstance(item, Exchange) else Exchange(str(i), 0, item) for i, item in enumerate(exchanges)
    ]
    with session:
        outcomes = list(session.replay(given, together=together))
    assert looked == looks.keys(), f"never came to {looks.keys() - looked}"
    return outcomes


def _begin(proxy: Proxy, tape: Tape, event: Event) -> None:
    """Put an exchange on tape when a plugin gets to know of it."""
    if (
        not isinstance(event, Entered)
        or event.function.name != "proxy_on_context_create"
        or not event.args[1]
    ):
        return
    vm = next(vm for vm in proxy.vms if vm.name == event.vm)
    stream = vm.contexts[event.args[0]].stream
    assert stream is not None
    span = tape.spans[-1] if tape.spans and tape.spans[-1].exchange is stream.exchange else None
    if span is None:
        span = tape.begin(stream.exchange)
        span.first = event.seq
    tape.belongs(event.vm, event.context, span)
