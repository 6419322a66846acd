"""What looks for some kinds of problems: the handlers it may have.

Rules: handlers are looked up by function once a run, and asked in the order of the table; they only remember and tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from simwasm.lints.lint import Call, Ended, Lint, Over
from simwasm.lints.run import Run

Begins = Mapping[str, Callable[[Call], None]]
Ends = Mapping[str, Callable[[Call, Ended], None]]


class Watcher:
    """One topic of a run."""

    LINTS: ClassVar[tuple[Lint, ...]] = ()

    def __init__(self, run: Run) -> None:
        self.run = run

    def begins(self) -> Begins:
        """Who wants to know when a call begins, by the function's name."""
        return {}

    def ends(self) -> Ends:
        """Who wants to know when a call has ended, by the function's name."""
        return {}

    def claim(self, call: Call, ended: Ended) -> Lint | None:
        """The lint that explains why the host did not do what it was asked for."""
        return None

    def exchange(self, over: Over) -> None:
        """An exchange has ended."""

    def over(self) -> None:
        """The run has ended."""
