"""What a trap is between the function that stopped and the boundary of the export."""

from __future__ import annotations

from simwasm.errors import TrapKind


class Stopped(Exception):
    """The guest stopped; the boundary makes a `Trap` with frames of it."""

    def __init__(self, kind: TrapKind) -> None:
        super().__init__(kind.value)
        self.kind = kind
