"""Where a call is in what a test sees of an exchange: whose it is, and how many of its name come before.

Rules are those of `simwasm.testing`: a callback is that of its context's exchange; the answer to a callout is whose the
callout was; whatever else is called while exchanges are open (a tick, a queue) is all of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.tape import Span, Tape
from simwasm.trace.event import Entered, Left

_CALLOUTS = ("proxy_http_call", "proxy_grpc_call", "proxy_grpc_stream")
_ANSWERS = (
    "proxy_on_http_call_response", "proxy_on_grpc_receive_initial_metadata", "proxy_on_grpc_receive",
    "proxy_on_grpc_receive_trailing_metadata", "proxy_on_grpc_close",
)  # fmt: skip
Alike = Callable[[Entered], bool]


class Places:
    """The calls of a tape, by whose they are."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._owners: dict[int, tuple[int, ...]] = {}
        """The numbers of the exchanges that a callback of the host's is for, by its position."""
        askers: dict[tuple[str, int], tuple[int, ...]] = {}
        for position, event in enumerate(tape.events, 1):
            if not isinstance(event, Entered):
                continue
            if not tape.around(position):
                self._owners[position] = self._of(position, event, askers)
            elif event.function.name in _CALLOUTS:
                self._note(position, event, askers)

    def owners(self, position: int) -> tuple[int, ...]:
        """The numbers of the exchanges that see a call."""
        return self._owners[self._tape.calls_at(position)[0]]

    def before(self, number: int, position: int, alike: Alike) -> int:
        """How many calls of an exchange are alike and begin before this position."""
        return sum(at < position for at in self.every(number, alike))

    def every(self, number: int, alike: Alike) -> Iterator[int]:
        """The positions of the calls of an exchange that are alike."""
        tape = self._tape
        for begin, owners in self._owners.items():
            if number in owners:
                for position in range(begin, (tape.end_of(begin) or len(tape)) + 1):
                    event = tape.at(position)
                    if isinstance(event, Entered) and alike(event):
                        yield position

    def _of(
        self, position: int, entered: Entered, askers: dict[tuple[str, int], tuple[int, ...]]
    ) -> tuple[int, ...]:
        span = self._tape.span_of(entered)
        found = (span.index,) if span else tuple(self._open(position))
        if entered.function.name in _ANSWERS:
            return askers.get((entered.vm, entered.args[1]), found)
        return found

    def _open(self, position: int) -> Iterator[int]:
        return (span.index for span in self._tape.spans if _is_open(span, position))

    def _note(self, position: int, entered: Entered, askers: dict[tuple[str, int], tuple[int, ...]]) -> None:
        end = self._tape.end_of(position)
        left = self._tape.at(end) if end else None
        if isinstance(left, Left) and left.values:
            span = self._tape.span_of(entered)
            askers[entered.vm, left.values[0]] = (span.index,) if span else self.owners(position)


def _is_open(span: Span, position: int) -> bool:
    return span.first <= position and not 0 < span.last < position


def called(name: str) -> Alike:
    """The calls of one function."""
    return lambda entered: entered.function.name == name


def same(entered: Entered) -> Alike:
    """The calls of a function with the same arguments."""
    return lambda other: other.function.name == entered.function.name and other.args == entered.args


def is_allocator(entered: Entered) -> bool:
    """Whether the host asks for memory."""
    return entered.function.name in ALLOCATORS
