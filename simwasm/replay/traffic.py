"""The traffic of a run: what is chosen of it, once or several times over, and how far it has been read.

Rules: it is read again for every round, so that it may be of any size; only what is short is kept, which standard input
has to be if it is to come again. What is left out or broken is told in the first round.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from simwasm import recipe as recipes
from simwasm.errors import InputError, SimwasmError
from simwasm.exchange import Exchange
from simwasm.recipe import Recipe
from simwasm.traffic.notes import Notes
from simwasm.traffic.opening import STDIN, Source, sources
from simwasm.traffic.selection import Selection

KEPT = 1_000
"""How many exchanges are kept for the next round, if there are no more."""
KEPT_BYTES = 16 << 20
"""How long their bodies may be."""
_SILENT = Notes(broken=lambda error: None)


class Traffic:
    """What is to be replayed."""

    def __init__(self, recipe: Recipe, selection: Selection, notes: Notes, rounds: int = 1) -> None:
        self._recipe = recipe
        self._selection = selection
        self._notes = notes
        self.rounds = rounds
        self._kept: list[Exchange] | None = [] if rounds > 1 else None
        """Those of the first round, until they are too many."""
        self._bytes = 0
        self._round = 0
        self._source: Source | None = None
        self._read = 0
        """Bytes of the files that have been read to their end."""
        self._begun = self._exchanges()
        self.first = next(self._begun, None)
        """The first exchange."""

    def each_round(self) -> Iterator[Iterator[Exchange]]:
        """The exchanges of every round."""
        if self.first is None:
            return
        yield self._noted(chain([self.first], self._begun))
        for number in range(1, self.rounds):
            self._round = number
            yield iter(self._kept) if self._kept is not None else self._exchanges()

    def _exchanges(self) -> Iterator[Exchange]:
        notes = self._notes if not self._round else _SILENT
        found = recipes.exchanges(self._recipe, notes, self._opened)
        return self._selection.of(found)

    def _noted(self, exchanges: Iterator[Exchange]) -> Iterator[Exchange]:
        for exchange in exchanges:
            if self._kept is not None:
                self._keep(exchange)
            yield exchange

    def _keep(self, exchange: Exchange) -> None:
        assert self._kept is not None
        self._kept.append(exchange)
        self._bytes += _size(exchange)
        if len(self._kept) <= KEPT and self._bytes <= KEPT_BYTES:
            return
        self._kept = None
        for name in self._recipe.traffic:
            if _comes_once(name):
                raise InputError(
                    f"{name}: is too long to be replayed {self.rounds} times: it can be read once; save it to a file"
                )

    def _opened(self, source: Source) -> None:
        if self._source is not None:
            self._read += self._source.position()
        self._source = source

    @property
    def position(self) -> int:
        """How many bytes have been read, in all rounds."""
        return self._read + (self._source.position() if self._source is not None else 0)

    def size(self) -> int | None:
        """How many bytes there are to be read in all rounds; None if nobody knows."""
        total = 0
        with suppress(SimwasmError, OSError):
            for source in sources(self._recipe.traffic):
                if source.size is None:
                    return None
                total += source.size
            return total * (self.rounds if self._kept is None else 1)
        return None


def _size(exchange: Exchange) -> int:
    answer = exchange.response
    pieces = exchange.request.body if answer is None else (*exchange.request.body, *answer.body)
    return sum(len(piece.data) for piece in pieces)


def _comes_once(name: str) -> bool:
    """Whether this can be read once only: standard input, and pipes with a name."""
    if name == STDIN:
        return True
    with suppress(OSError, ValueError):
        return stat.S_ISFIFO(os.stat(name).st_mode)
    return False


def later(exchange: Exchange, by: int) -> Exchange:
    """The same exchange so many nanoseconds later."""
    return replace(exchange, started_ns=exchange.started_ns + by) if by else exchange
