"""One case of a suite, whatever file it comes from: a name, a place, and how it is played.

    def play(bench): result = bench.load("plugin.wasm", config="{}").send("GET", "/"); yield Miss("…", 12)

Rules: playing a case loads its plugins through the bench, which knows what the command line said and keeps them until
their traces were looked at; what is not as expected is a `Miss`, told as it is found; whatever makes playing impossible
is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simwasm.errors import SimwasmError
    from simwasm.suites.bench import Bench


class Miss(NamedTuple):
    """Something that is not as it was expected."""

    message: str
    """In one line: `status: expected 403, came 200`."""
    line: int = 0
    """Where the expectation is written; 0 for the line of its case."""
    row: int | None = None
    """The row of the plugin's trace that shows it, from 1."""
    details: str = ""
    """More lines: a diff, the callback around that row."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case."""

    name: str
    file: str
    line: int
    play: Callable[[Bench], Iterable[Miss]]
    """Plays it, and gives what was not as expected."""
    skip: str = ""
    """Why it is not played."""
    error: SimwasmError | None = None
    """What is wrong with its file, of which it takes the place."""


def unreadable(file: str, error: SimwasmError) -> Case:
    """What stands for a file that cannot be read, so that others are played and a report tells of it."""
    return Case(file, file, 0, lambda bench: (), error=error)
