"""What one step is: a call between plugin and host, a line of source, or an instruction.

The timeline is the same in all three: instructions lie between the events of the tape, and a step of any unit stops at
the rows of calls that it comes by, unless it goes over them.
"""

from __future__ import annotations

from enum import Enum


class Unit(Enum):
    """How far one step goes; the value is how it is told."""

    CALL = "ABI call"
    LINE = "source line"
    INSTRUCTION = "instruction"

    @property
    def following(self) -> Unit:
        """The next one, round the end."""
        units = tuple(Unit)
        return units[(units.index(self) + 1) % len(units)]

    @property
    def inside(self) -> bool:
        """Whether its steps lead into the code of callbacks."""
        return self is not Unit.CALL
