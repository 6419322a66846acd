"""What of the traffic was left out or broken: the first of it is told at once on standard error, and all is counted."""

from __future__ import annotations

from simwasm.cli import output
from simwasm.errors import TrafficError
from simwasm.replay.summary import Places
from simwasm.traffic.notes import Notes

TOLD = 20
"""How many notes are told one by one."""


class Noticed:
    """Hears of it."""

    def __init__(self) -> None:
        self.left_out, self.broken = Places(), Places()
        self.notes = Notes(self._hear_left_out, self._hear_broken)

    def _hear_left_out(self, text: str) -> None:
        self._hear(self.left_out, text, text)

    def _hear_broken(self, error: TrafficError) -> None:
        self._hear(self.broken, str(error), f"{error}; left out")

    def _hear(self, places: Places, text: str, told: str) -> None:
        places.add(text)
        if places.count <= TOLD:
            output.tell(told)
        elif places.count == TOLD + 1:
            output.tell("there are more of these; they are counted")

    def counted(self) -> None:
        """Tell how many there were, if not all were told."""
        for places, what in ((self.broken, "broken"), (self.left_out, "left out")):
            if places.count > TOLD:
                output.tell(f"{places.count:,} entries of the traffic were {what}")
