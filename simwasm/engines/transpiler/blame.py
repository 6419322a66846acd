"""What a guest was stopped by, read from the exception that left it.

Generated code checks nothing that Python checks: a load out of bounds is an IndexError, a division by zero is a
ZeroDivisionError. What such an error means is told by the instruction on the line where it came up.

Rules that live here: what a host function raised is never read; nor is what no instruction can raise, which is a
fault of simwasm's own and comes out as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from simwasm.engines.transpiler.boundary import CALLING, GUEST_CALL, HOST
from simwasm.engines.transpiler.codes import Made
from simwasm.engines.transpiler.functions import GUEST
from simwasm.engines.transpiler.refill import is_refill
from simwasm.engines.transpiler.stopped import Stopped
from simwasm.errors import TrapKind
from simwasm.wasm.decode import opcode
from simwasm.wasm.module import Module

_OURS = (str(Path(__file__).parent), GUEST_CALL)
"""The files of what is called by generated code, and calls it, on behalf of the guest."""


class Place(NamedTuple):
    """An instruction that a function of the guest was at."""

    module: Module
    function: int
    offset: int


class Left(NamedTuple):
    """How a guest call was left."""

    places: tuple[Place, ...]
    """Innermost first."""
    by_host: bool
    """Whether a host function, or a hook, raised what left it."""
    refuelling: bool
    """Whether the guest was asking for fuel."""


def left(error: BaseException) -> Left:
    """Read the traceback of the error that left a guest call, which begins there."""
    places: list[Place] = []
    by_host = refuelling = False
    for step in _steps(error.__traceback__):
        code = step.tb_frame.f_code
        if code.co_filename == HOST:
            by_host = step.tb_lineno >= CALLING
            break
        functions = step.tb_frame.f_globals.get(GUEST)
        refuelling = refuelling or is_refill(code)
        if functions is not None:
            made: Made = functions.known(code)
            places.append(Place(functions.codes.module, made.function, made.offsets[step.tb_lineno]))
        elif not code.co_filename.startswith(_OURS):
            by_host = True  # a hook
            break
    return Left(tuple(reversed([*_still_there(places)])), by_host, refuelling)


def _still_there(places: list[Place]) -> Iterator[Place]:
    """The places, outermost first, without functions that ended with the call of the next one."""
    for place in places[:-1]:
        if not opcode(place.module.data, place.offset).name.startswith("return_call"):
            yield place
    yield from places[-1:]


def _steps(step: TracebackType | None) -> Iterator[TracebackType]:
    while step is not None:
        yield step
        step = step.tb_next


def kind(error: BaseException, place: Place | None) -> TrapKind | None:
    """Why a guest stopped that was left by this, at that place; None if no guest raises it."""
    if isinstance(error, Stopped):
        return error.kind
    if isinstance(error, RecursionError):
        return TrapKind.STACK_EXHAUSTED
    if place is None or not isinstance(error, _RAISED):
        return None
    name = _instruction(place)
    return next((read(error) for words, read in _READ if any(word in name for word in words)), None)


_RAISED = (IndexError, ZeroDivisionError, OverflowError, ValueError, struct.error)


def _always(kind: TrapKind) -> Callable[[BaseException], TrapKind]:
    return lambda _: kind


def _truncated(error: BaseException) -> TrapKind:
    """What `int` says about an infinity, or about no number."""
    return TrapKind.INTEGER_OVERFLOW if isinstance(error, OverflowError) else TrapKind.BAD_CONVERSION


_READ: tuple[tuple[tuple[str, ...], Callable[[BaseException], TrapKind]], ...] = (
    (("call_indirect", "table."), _always(TrapKind.TABLE_BOUNDS)),
    (("load", "store", "memory."), _always(TrapKind.MEMORY_BOUNDS)),
    (("div", "rem"), _always(TrapKind.DIVIDE_BY_ZERO)),
    (("trunc",), _truncated),
)
"""By what the instruction's name has in it."""


def _instruction(place: Place) -> str:
    """The name of the instruction there."""
    return opcode(place.module.data, place.offset).name
