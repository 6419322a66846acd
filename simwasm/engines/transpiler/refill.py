"""What generated code calls when its fuel has run out."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, CodeType

from simwasm.engines.fuel import Fuel
from simwasm.engines.transpiler.boundary import host_function
from simwasm.engines.transpiler.stopped import Stopped
from simwasm.errors import TrapKind
from simwasm.wasm.module import FuncType, ValType

_ASK = FuncType((), (ValType.I32,))


def refilling(counter: CellType, fuel: Fuel) -> Callable[[], None]:
    """A function that adds to the counter what it is granted, or stops the guest."""
    ask = host_function(_ASK, fuel.slice)

    def refill() -> None:
        granted = ask()
        if not granted:
            raise Stopped(fuel.refused or TrapKind.UNREACHABLE)
        counter.cell_contents += granted

    return refill


def is_refill(code: CodeType) -> bool:
    """Whether a frame's code is that function's."""
    return code.co_name == "refill" and code.co_filename == refilling.__code__.co_filename
