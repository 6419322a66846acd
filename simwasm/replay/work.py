"""What a process can be given to do with exchanges: a replay, or anything else that tells what came of each of them.

Rule: a work is sent to the process; the part of it that the process does is made there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from simwasm.exchange import Exchange
from simwasm.replay.summary import Summary
from simwasm.session import Session

if TYPE_CHECKING:
    from simwasm.replay.shard import Ended, Result


class Part(Protocol):
    """What one process does."""

    @property
    def session(self) -> Session:
        """Whose plugins are stopped if they compute when everything is to end."""
        ...

    def start(self) -> tuple[str, str]:
        """Start the plugins; what was printed."""
        ...

    def unheard(self) -> tuple[str, str]:
        """What was printed and not given to anybody yet."""
        ...

    def results(self, numbered: Iterable[tuple[int, Exchange]]) -> Iterator[Result]:
        """Play exchanges."""
        ...

    def round_ended(self, requests: int) -> None:
        """All of the traffic was played once, of which so many requests were for this part."""
        ...

    def taken(self) -> Summary:
        """What has come of it since this was asked the last time."""
        ...

    def ended(self, *, stopped: bool = True) -> Ended:
        """Stop the plugins and sum up; plugins that are in the middle of something are left as they are."""
        ...


class Work(Protocol):
    """What is to be done."""

    def portable(self) -> Work:
        """The same without what every process finds out by itself."""
        ...

    def of_worker(self, number: int) -> Work:
        """The same for one of several processes, from 1."""
        ...

    def part(self) -> Part:
        """Make what a process does."""
        ...
