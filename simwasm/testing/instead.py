"""What a test says in somebody's place: the host is not asked, or what a callback returned is another.

Rules: calls of a function are counted from 0 over the plugin's whole life, in a chain those of all plugins; what is
recorded is what was said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from simwasm.abi.enums import Status
from simwasm.abi.table import Abi, Function, Side, callbacks, host_functions
from simwasm.debug.branch import Interposed, Override
from simwasm.debug.override_text import fitting
from simwasm.errors import InputError
from simwasm.trace.event import Entered, Left

if TYPE_CHECKING:
    from simwasm.trace.event import Event, Observer


class Instead:
    """Answers that wait for their calls."""

    def __init__(self, abis: Iterable[Abi]) -> None:
        self._functions: dict[str, Function] = {}
        for abi in abis:
            calls = {name: row for (_, name), row in host_functions(abi).items()}
            self._functions = {**calls, **callbacks(abi), **self._functions}
        self._wanted: dict[tuple[str, int], Override] = {}
        self._here: dict[int, Override] = {0: Override()}  # whoever asks sees that there is something
        self._counts: Counter[str] = Counter()
        self._at = 0

    def say(self, function: str, answer: object, values: tuple[object, ...], nth: int) -> None:
        """Put something in the place of a call."""
        row = self._functions.get(function)
        if row is None:
            raise InputError(
                f"instead: the plugin's ABI has no {function}; `simwasm abi` lists what there is"
            )
        if row.side is Side.PLUGIN:
            said = Override(result=answer, callback=True)
        elif not isinstance(answer, Status):
            raise InputError(f"instead: {function} is answered with a Status, not with {answer!r}")
        elif values and answer is not Status.OK:
            raise InputError(f"instead: {function} gives values only with Status.OK")
        else:
            said = Override(answer, values)
        try:
            self._wanted[function, nth] = fitting(row, said)
        except InputError as error:
            raise InputError(f"instead{str(error).removeprefix('override')}") from None

    @property
    def waiting(self) -> tuple[str, ...]:
        """The functions whose calls have not come."""
        return tuple(function for function, _ in self._wanted)

    def between(self) -> Interposed:
        """Who stands between guests and host."""
        return Interposed(lambda: self._at, lambda: self._here, lambda number, fuel: None)

    def heard(self, observers: Sequence[Observer]) -> Observer:
        """An observer that tells others what was said."""

        def hear(event: Event) -> None:
            self._at = event.seq
            if isinstance(event, Entered):
                self._meet(event)
            elif isinstance(event, Left) and (said := self._here.get(event.opened)) and said.callback:
                event = event._replace(result=said.result)
            for tell in observers:
                tell(event)

        return hear

    def _meet(self, call: Entered) -> None:
        name = call.function.name
        said = self._wanted.pop((name, self._counts[name]), None)
        self._counts[name] += 1
        if said is not None:
            self._here[call.seq] = said
