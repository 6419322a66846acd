"""What `align.py` asks of two runs, wherever their rows are: exchanges, in them callbacks, in them rows.

Each has things that stand for it at several degrees of likeness. Rule: what is equal by one is equal by all that are
named behind it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple, Protocol


class Likeness(NamedTuple):
    """What stands for a row."""

    content: Hashable
    """The whole row."""
    called: Hashable
    """The function and its arguments."""
    call: Hashable
    """The function and what the call is about."""
    name: Hashable
    """The function."""


class Marks(Protocol):
    """The rows of a callback."""

    @property
    def spelled(self) -> Sequence[Hashable]:
        """What stands for each row as it is spelled: rows may be the same though it differs."""
        ...

    def likeness(self, row: int, /) -> Likeness:
        """What stands for a row, by its place in the callback."""
        ...


class Block(Protocol):
    """A callback of the host with all that is in it."""

    @property
    def rows(self) -> range:
        """Its rows."""
        ...

    @property
    def content(self) -> Hashable:
        """What stands for all of it."""
        ...

    @property
    def heading(self) -> Hashable:
        """What stands for its first row."""
        ...

    @property
    def callback(self) -> Hashable:
        """What stands for its function."""
        ...

    @property
    def closed(self) -> bool:
        """Whether its last row is where it returned or trapped."""
        ...

    def marks(self) -> Marks:
        """Its rows."""
        ...


class Blocks(Protocol):
    """The callbacks of an exchange."""

    @property
    def contents(self) -> Sequence[Hashable]:
        """What stands for each of them."""
        ...

    def rows(self, first: int, end: int, /) -> range:
        """The rows of some of them."""
        ...

    def some(self, first: int, end: int, /) -> Sequence[Block]:
        """Some of them."""
        ...


class Exchange(Protocol):
    """The callbacks from one stream's creation to the next one's."""

    @property
    def rows(self) -> range:
        """Its rows."""
        ...

    @property
    def content(self) -> Hashable:
        """What stands for all of it."""
        ...

    @property
    def callbacks(self) -> Hashable:
        """What stands for the first rows of its callbacks."""
        ...

    @property
    def opens(self) -> bool:
        """Whether a stream is created in it; what comes before the first one is no exchange of anybody's."""
        ...

    def inside(self) -> Blocks:
        """Its callbacks."""
        ...
