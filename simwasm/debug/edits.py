"""Changes that somebody made by hand amid a callback: another value in a local, an operand, a global or memory.

Rule: an edit belongs to a branch, and is made again at its moment whenever the run comes by there, so what follows from
it repeats as everything else does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwasm.debug.instant import Moment

if TYPE_CHECKING:
    from simwasm.debug.code import Code
    from simwasm.engines.engine import Steppable

_SHOWN = 60
Content = int | float | bytes


@dataclass(frozen=True, slots=True)
class Edit:
    """One change."""

    callback: int
    """The position where the callback begins that it is in."""
    moment: Moment
    slot: str
    """`l3`, `s0`, `g1`; or `memory`."""
    value: Content
    level: int = 0
    """Of locals and operands: how many functions out, from the innermost."""
    at: int = 0
    """Of memory: the address."""

    def __str__(self) -> str:
        slot = f"memory[0x{self.at:x}]" if self.slot == "memory" else self.slot
        value = self.value.hex(" ") if isinstance(self.value, bytes) else str(self.value)
        return f"{slot} = {value[:_SHOWN]}{'…' if len(value) > _SHOWN else ''}"

    def make(self, code: Code, instance: Steppable) -> None:
        """Change it."""
        if self.slot == "memory":
            assert isinstance(self.value, bytes)
            instance.memory.write(self.at, self.value)
        elif self.slot.startswith("g"):
            assert not isinstance(self.value, bytes)
            instance.set_global(code.global_exports[int(self.slot[1:])], self.value)
        else:
            instance.assign(self.level, self.slot, self.value)
