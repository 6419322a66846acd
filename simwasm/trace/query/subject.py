"""What a query is asked about: a row, and what a row does not know about itself.

Rule: whoever goes through very many rows brings a subject of its own that makes only what is asked for.
"""

from __future__ import annotations

from typing import Protocol

from simwasm.exchange import Exchange
from simwasm.trace.event import Entered, Left, Trapped
from simwasm.trace.rows import Kind, Row


class Surroundings(Protocol):
    """What is around a call."""

    def exchange(self, entered: Entered, position: int, /) -> tuple[int, Exchange] | None:
        """The exchange it belongs to, and its number, from 1."""
        ...

    def callback(self, position: int, /) -> str:
        """The name of the host's callback that it is in, or is; empty for none."""
        ...


class Subject(Protocol):
    """A row as a query sees it."""

    @property
    def entered(self) -> Entered: ...
    @property
    def ended(self) -> Left | Trapped | None:
        """How the call ended; None on a row where a callback begins, whatever is known of its end."""
        ...

    @property
    def kind(self) -> Kind: ...
    @property
    def position(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def took_ns(self) -> int: ...
    @property
    def around(self) -> Surroundings: ...


class Nowhere:
    """Nothing is known of what is around."""

    def exchange(self, entered: Entered, position: int, /) -> None:
        return None

    def callback(self, position: int, /) -> str:
        return ""


NOWHERE: Surroundings = Nowhere()


class RowSubject:
    """A row with its surroundings."""

    __slots__ = ("entered", "ended", "kind", "position", "depth", "took_ns", "around")

    def __init__(self, row: Row, around: Surroundings) -> None:
        self.entered = row.entered
        self.ended = None if row.kind is Kind.CALLBACK else row.ended
        self.kind = row.kind
        self.position = row.position
        self.depth = row.depth
        self.took_ns = row.took_ns
        self.around = around
