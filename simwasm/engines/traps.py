"""What engines say when a guest stops, in one vocabulary.

Rules that live here: kinds are found by table; frames are innermost first, at most `FRAMES` of them counted
before the functions that rewriting added are left out, with places of the module as it was loaded; a guest
that ran out of stack has no frames, because how deep it got is the engine's affair; a guest that was refused
fuel stopped for the reason its `Fuel` gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from simwasm.engines.engine import Origin
from simwasm.engines.fuel import Fuel
from simwasm.errors import Frame, Trap, TrapKind

FRAMES = 20
"""As many as Envoy logs, and wasmtime keeps."""

RawFrame = tuple[int, int]
"""A function and a file offset, both of the module that the engine runs."""

KINDS: dict[str, TrapKind] = {
    "unreachable": TrapKind.UNREACHABLE,
    "out of bounds memory access": TrapKind.MEMORY_BOUNDS,
    "misaligned heap": TrapKind.MEMORY_ALIGNMENT,
    "unaligned atomic access": TrapKind.MEMORY_ALIGNMENT,
    "undefined element: out of bounds table access": TrapKind.TABLE_BOUNDS,
    "out of bounds table access": TrapKind.TABLE_BOUNDS,
    "uninitialized element": TrapKind.UNINITIALIZED_ELEMENT,
    "indirect call type mismatch": TrapKind.INDIRECT_TYPE,
    "integer overflow": TrapKind.INTEGER_OVERFLOW,
    "integer divide by zero": TrapKind.DIVIDE_BY_ZERO,
    "invalid conversion to integer": TrapKind.BAD_CONVERSION,
    "call stack exhausted": TrapKind.STACK_EXHAUSTED,
}
"""Trap messages of wasmer 2, and what they are."""

_WASMER_FRAME = re.compile(r"^    at .* \(.*\[(\d+)\]:0x([0-9a-f]+)\)$", re.MULTILINE)
_WASMER_PREFIX = "RuntimeError: "


def wasmer_trap(error: RuntimeError) -> tuple[TrapKind, list[RawFrame]] | None:
    """Read wasmer's text; None if a host function raised this, or something was called wrongly.

    A host function's error passed through its Python frame, wasmer's own did not.
    """
    if error.__traceback__ is None or error.__traceback__.tb_next is not None or len(error.args) != 1:
        return None
    text = error.args[0]
    if not isinstance(text, str) or not text.startswith(_WASMER_PREFIX):
        return None
    message = text[len(_WASMER_PREFIX) : text.find("\n") % (len(text) + 1)]
    kind = KINDS.get(message)
    if kind is None:
        return None
    found = islice(_WASMER_FRAME.finditer(text), FRAMES)
    return kind, [(int(match[1]), int(match[2], 16)) for match in found]


def trap(kind: TrapKind, raw: Iterable[RawFrame], origin: Origin, fuel: Fuel) -> Trap:
    """The error for a guest that stopped."""
    if kind is TrapKind.STACK_EXHAUSTED:
        return Trap(kind)
    found = [origin(function, offset) for function, offset in islice(raw, FRAMES)]
    if kind is TrapKind.UNREACHABLE and found and found[0] is None and fuel.refused is not None:
        kind = fuel.refused
    frames: tuple[Frame, ...] = tuple(frame for frame in found if frame is not None)
    return Trap(kind, frames)
