"""One exchange of a recipe, played for a test: what became of it, and every call in it.

    seen = play(Recipe(plugin="plugin.wasm", traffic=("login.har",)), exchange=2)
    assert seen.outcome.status == 403
    assert seen.calls("proxy_on_request_headers")[0].result is HeadersAction.PAUSE

Rule: exchanges before it are played too, since a plugin remembers them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from simwasm.debug.branch import Interposed, Override
from simwasm.debug.start import read_inputs
from simwasm.errors import InputError, Trap
from simwasm.host.outcome import Outcome
from simwasm.recipe import Recipe
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


class Instead(NamedTuple):
    """What to say in somebody's place, at a call of a function."""

    exchange: int
    """Counted from 0; -1 is the start-up. If all are played together, they count as the first."""
    call: str
    nth: int
    """How many calls of that name come before it in the exchange."""
    said: Override


class _Watch:
    """Keeps the events of an exchange, and says what is to be said in somebody's place."""

    def __init__(self, overrides: Iterable[Instead]) -> None:
        self.events: list[Event] = []
        self._wanted = {(each.exchange, each.call, each.nth): each.said for each in overrides}
        self._here: dict[int, Override] = {}
        self._counts: Counter[str] = Counter()
        self._exchange, self._at = -1, 0
        self.between = Interposed(lambda: self._at, lambda: self._here, lambda number, fuel: None)
        if self._wanted:
            self._here[0] = (
                Override()
            )  # no call begins at 0: whoever asks for overrides sees that there are some

    def see(self, event: Event) -> None:
        """Keep an event as the host is told of it."""
        self._at = event.seq
        if isinstance(event, Entered):
            name = event.function.name
            said = self._wanted.pop((self._exchange, name, self._counts[name]), None)
            self._counts[name] += 1
            if said is not None:
                self._here[event.seq] = said
        elif isinstance(event, Left) and (said := self._here.get(event.opened)) and said.callback:
            event = event._replace(result=said.result)
        self.events.append(event)

    def next(self, exchange: int) -> None:
        """The next exchange begins: what went by is forgotten."""
        self._exchange = exchange
        self._counts.clear()
        self.events.clear()

    def missed(self) -> None:
        """Complain about what nobody asked for."""
        for exchange, call, nth in self._wanted:
            if exchange <= self._exchange:
                raise InputError(
                    f"OVERRIDES: there is no call {nth} of {call} in exchange {exchange} any more: "
                    "make the branch and its test anew"
                )


def play(recipe: Recipe, exchange: int = 0, overrides: Iterable[Instead] = ()) -> Played:
    """Play the exchanges of a recipe up to one of them, counted from 0."""
    inputs = read_inputs(recipe)
    if not 0 <= exchange < len(inputs.exchanges):
        raise InputError(f"there is no exchange {exchange}: the traffic has {len(inputs.exchanges)}")
    wanted, watch = inputs.exchanges[exchange], _Watch(overrides)
    with inputs.session(observers=[watch.see], between=watch.between) as session:
        watch.next(0)
        for number, outcome in enumerate(session.replay(inputs.exchanges, together=inputs.together), 1):
            if outcome.exchange is wanted:
                watch.missed()
                return Played(outcome, _calls(watch.events))
            if not inputs.together:
                watch.next(number)
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
