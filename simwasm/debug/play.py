"""One exchange of a recipe, played for a test: what became of it, and every call in it.

    seen = play(Recipe(plugin="plugin.wasm", traffic=("login.har",)), exchange=2)
    assert seen.outcome.status == 403
    assert seen.calls("proxy_on_request_headers")[0].result is HeadersAction.PAUSE

Rule: exchanges before it are played too, since a plugin remembers them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from simwasm.debug.start import read_inputs
from simwasm.engines.find import engine
from simwasm.errors import InputError, Trap
from simwasm.host.outcome import Outcome
from simwasm.recipe import Recipe
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left


class Call(NamedTuple):
    """A callback or host call, ended."""

    name: str
    args: tuple[Any, ...]
    result: Any
    """A host call's status, what a callback returned; None if it trapped."""
    values: tuple[Any, ...]
    """What was given through out parameters."""
    trap: Trap | None


@dataclass(frozen=True, slots=True)
class Played:
    """An exchange that was played."""

    outcome: Outcome
    every: tuple[Call, ...]
    """Each call in it, in the order in which they began."""

    def calls(self, name: str) -> list[Call]:
        """The calls of one function."""
        return [call for call in self.every if call.name == name]


def play(recipe: Recipe, exchange: int = 0) -> Played:
    """Play the exchanges of a recipe up to one of them, counted from 0."""
    inputs = read_inputs(recipe)
    if not 0 <= exchange < len(inputs.exchanges):
        raise InputError(f"there is no exchange {exchange}: the traffic has {len(inputs.exchanges)}")
    wanted, events = inputs.exchanges[exchange], list[Event]()
    with Session(
        inputs.plugins,
        engine=engine(inputs.engine),
        observers=[events.append],
        clusters=inputs.clusters,
        ask_upstream=inputs.ask_upstream,
        ask_cluster=inputs.ask_cluster,
        profile=inputs.profile,
        now_ns=inputs.now_ns,
        limits=inputs.limits,
        fuel=inputs.fuel,
    ) as session:
        events.clear()
        for outcome in session.replay(inputs.exchanges, together=inputs.together):
            if outcome.exchange is wanted:
                return Played(outcome, _calls(events))
            if not inputs.together:
                events.clear()
    raise InputError(f"exchange {exchange} has not ended")


def _calls(events: list[Event]) -> tuple[Call, ...]:
    ends = {event.opened: event for event in events if not isinstance(event, Entered)}
    begun = [event for event in events if isinstance(event, Entered)]
    return tuple(_call(event, ends[event.seq]) for event in begun if event.seq in ends)


def _call(entered: Entered, ended: Event) -> Call:
    name, args = entered.function.name, entered.args
    if isinstance(ended, Left):
        return Call(name, args, ended.result, ended.values, None)
    return Call(name, args, None, (), None if isinstance(ended, Entered) else ended.trap)
