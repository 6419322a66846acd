"""What a reader or writer of traffic has to tell besides exchanges: nothing is lost silently.

Three kinds: an entry that is left out by design (a request that got no answer), something that a format cannot carry or
a recording has lost, and an entry that is broken. Whoever has nobody to tell of a broken entry gets it as an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simwasm.errors import TrafficError


def _nothing(text: str) -> None:
    """Hear a note and forget it."""


def _fail(error: TrafficError) -> None:
    raise error


@dataclass(frozen=True, slots=True)
class Notes:
    """Who hears what."""

    left_out: Callable[[str], None] = _nothing
    """An entry that is skipped by design, or something that was lost and does not matter to everybody."""
    broken: Callable[[TrafficError], None] = _fail
    """An entry that cannot be read, or where the file is cut; reading goes on behind it if this returns."""


def telling(tell: Callable[[str], None]) -> Notes:
    """Notes that all go to one function, as texts."""
    return Notes(tell, lambda error: tell(f"{error}; left out"))
