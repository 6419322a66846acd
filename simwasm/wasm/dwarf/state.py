"""What can be read where a guest stands, for those who work out where its variables are.

Rule: any part may be missing, and what needs it ends with `Unknown`, which says what is missing and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

Word = int | float | bytes | None
"""A value of Wasm's; None for a reference or one that is not known."""


class Unknown(Exception):
    """A value that cannot be told; the text says why."""


class State(NamedTuple):
    """One active function of the guest: its locals and operands, and what all functions share."""

    locals: Sequence[Word] | None = None
    stack: Sequence[Word] | None = None
    """The operand stack, the bottom first."""
    memory: Callable[[int, int], bytes | None] | None = None
    """Bytes at an address, so many; None or fewer where memory ends."""
    globals: Callable[[int], Word] | None = None
    pointer: int | None = None
    """The stack pointer, if this function is the innermost: it serves where locals are not known."""


NOWHERE = State()
_NO_LOCALS = "needs the function's locals: the engine python has them (zoom in)"
_NO_STACK = "needs the operand stack: the engine python has it (zoom in)"
_NO_GLOBALS = "needs a global that is not known here"
_NO_MEMORY = "needs the plugin's memory, which is not known here"


def local(state: State, index: int) -> int | float | bytes:
    """A local of the function."""
    if state.locals is None:
        raise Unknown(_NO_LOCALS)
    return _one(state.locals, index, f"the function has no local {index}")


def operand(state: State, index: int) -> int | float | bytes:
    """A value on the operand stack, counted from the bottom."""
    if state.stack is None:
        raise Unknown(_NO_STACK)
    return _one(state.stack, index, "not computed yet")


def variable(state: State, index: int) -> int | float | bytes:
    """A global of the module."""
    found = state.globals(index) if state.globals is not None else None
    if found is None:
        raise Unknown(_NO_GLOBALS)
    return found


def memory(state: State, address: int, size: int) -> bytes:
    """Bytes of the memory."""
    if state.memory is None:
        raise Unknown(_NO_MEMORY)
    found = state.memory(address, size) if address >= 0 else None
    if found is None or len(found) < size:
        raise Unknown(f"0x{address & 0xFFFFFFFFFFFFFFFF:x} is outside the plugin's memory")
    return bytes(found[:size])


def _one(words: Sequence[Word], index: int, why: str) -> int | float | bytes:
    found = words[index] if index < len(words) else None
    if found is None:
        raise Unknown(why)
    return found
