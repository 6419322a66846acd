"""What a test says in somebody's place: the host is not asked, or what a callback returned is another.

Rules: calls of a function are counted from 0 over the plugin's whole life; what is recorded is what was said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simwasm.abi.enums import Status
from simwasm.abi.table import Form, Function, Side
from simwasm.abi.table import named as functions
from simwasm.debug.branch import Interposed, Override
from simwasm.errors import InputError
from simwasm.trace.event import Entered, Left

if TYPE_CHECKING:
    from simwasm.trace.event import Event, Observer


_KINDS: dict[Form, type] = {
    Form.TEXT: str,
    Form.DATA: bytes,
    Form.BLOB: bytes,
    Form.PAIRS: tuple,
    Form.STRINGS: tuple,
}
"""What comes out is of these types, or a number."""


def _check(function: Function, answer: Status, values: tuple[object, ...]) -> None:
    """Refuse values that the function does not give."""
    wanted = function.outputs
    fits = len(values) == len(wanted) and all(
        isinstance(value, _KINDS.get(param.form, int)) for value, param in zip(values, wanted, strict=True)
    )
    if not fits and (values or answer is Status.OK):
        given = ", ".join(f"{param.name}: {_KINDS.get(param.form, int).__name__}" for param in wanted)
        raise InputError(f"instead: {function.name} gives {given or 'nothing'}, and not {values!r}")


class Instead:
    """Answers that wait for their calls."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[str, int], Override] = {}
        self._here: dict[int, Override] = {0: Override()}  # whoever asks sees that there is something
        self._counts: Counter[str] = Counter()
        self._at = 0

    def say(self, function: str, answer: object, values: tuple[object, ...], nth: int) -> None:
        """Put something in the place of a call."""
        found = functions(function)
        if not found:
            raise InputError(
                f"instead: no version of the ABI has {function}; `simwasm abi` lists what there is"
            )
        if found[0].side is Side.PLUGIN:
            said = Override(result=answer, callback=True)
        elif isinstance(answer, Status):
            _check(found[0], answer, values)
            said = Override(answer, values)
        else:
            raise InputError(f"instead: {function} is answered with a Status, not with {answer!r}")
        self._wanted[function, nth] = said

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
