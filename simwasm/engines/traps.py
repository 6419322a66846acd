"""What engines say when a guest stops, in one vocabulary.

Rules that live here:

* Kinds are found by table.
* Frames are innermost first, of the guest call that stopped and not of those around it; of the first `FRAMES`
  that an engine gives, those of the module as it was loaded.
* A guest that was made to stop by a door of wasmer's has that door's frame first, beyond the `FRAMES`.
* A guest that ran out of stack has no frames, because how deep it got is the engine's affair.
* A guest that was refused fuel stopped for the reason its `Fuel` gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from math import inf

from simwasm.engines.engine import Binary
from simwasm.engines.fuel import Fuel
from simwasm.errors import Frame, Trap, TrapKind
from simwasm.wasm.cursor import Cursor
from simwasm.wasm.module import Kind, Module

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


Stop = tuple[TrapKind, list[RawFrame], str]
"""What an engine said, read: the kind, the frames, and the message if it is of no known kind."""


def wasmer_trap(error: RuntimeError) -> Stop | None:
    """Read wasmer's text; None if a host function raised this, or something was called wrongly."""
    text = str(error)
    if is_own(error) or not text.startswith(_WASMER_PREFIX):
        return None
    message = text[len(_WASMER_PREFIX) : text.find("\n") % (len(text) + 1)]
    kind = KINDS.get(message)
    frames = [
        (int(match[1]), int(match[2], 16)) for match in islice(_WASMER_FRAME.finditer(text), FRAMES + 1)
    ]
    if kind is not None:
        return kind, frames, ""
    return (TrapKind.OTHER, frames, message) if frames else None


def is_own(error: BaseException) -> bool:
    """Whether Python code raised an error, caught one frame up; wasmer's have no frame of their own."""
    return error.__traceback__ is not None and error.__traceback__.tb_next is not None


def trap(stop: Stop, binary: Binary, fuel: Fuel) -> Trap:
    """The error for a guest that stopped."""
    kind, raw, detail = stop
    if kind is TrapKind.STACK_EXHAUSTED or not raw:
        return Trap(kind, (), detail)
    rewritten = binary()
    found = [rewritten.origin(function, offset) for function, offset in raw[:FRAMES]]
    if kind is TrapKind.UNREACHABLE and found[0] is None and fuel.refused is not None:
        kind = fuel.refused
    return Trap(kind, _known(found, rewritten.module), detail)


def frames(raw: list[RawFrame], binary: Binary) -> tuple[Frame, ...]:
    """The frames of a guest that was left by an `Unwind`."""
    rewritten = binary()
    return _known([rewritten.origin(function, offset) for function, offset in raw[:FRAMES]], rewritten.module)


def _known(found: list[Frame | None], module: Module) -> tuple[Frame, ...]:
    return tuple(_of_this_call([frame for frame in found if frame is not None], module))


def _of_this_call(frames: list[Frame], module: Module) -> Iterator[Frame]:
    """The frames up to the first that is calling the host: beyond it are those of earlier guest calls."""
    imported = len(module.imported(Kind.FUNCTION))
    for index, frame in enumerate(frames):
        if index and _callee(module.data, frame.offset) < imported:
            return
        yield frame


def _callee(data: bytes, offset: int) -> float:
    """The function that a `call` calls; infinity for any other instruction."""
    if data[offset] != _CALL:
        return inf
    return Cursor(data, offset + 1, len(data), "code").u32()


_CALL = 0x10
