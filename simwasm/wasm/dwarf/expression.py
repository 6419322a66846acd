"""DWARF's expressions: where a variable is, worked out for a place where the guest stands.

    evaluate(b"\\x91\\x0c", state, frame_base)       # DW_OP_fbreg 12: Memory(address)

Rules that live here: operations are a table; numbers are those of a 64-bit machine, addresses those of Wasm's 32; an
expression takes at most `MOST` steps; what it lacks is `Unknown`, what is no expression is `Broken`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from simwasm.wasm.dwarf import state as states
from simwasm.wasm.dwarf.cursor import Bytes
from simwasm.wasm.dwarf.sections import Broken
from simwasm.wasm.dwarf.state import State, Unknown

MOST = 1000
_DEEPEST = 256
_ADDRESS = 0xFFFF_FFFF
_WORD = 0xFFFF_FFFF_FFFF_FFFF


class Memory(NamedTuple):
    """A variable in memory."""

    address: int


class Held(NamedTuple):
    """A variable that is in no memory, or in no place at all: its value."""

    value: int | float | bytes


class Pieces(NamedTuple):
    """A variable in pieces: the size of each, and where it is; None where a piece is nowhere."""

    parts: tuple[tuple[int, Memory | Held | None], ...]


Location = Memory | Held | Pieces


class Context(NamedTuple):
    """What an expression may ask for."""

    state: State
    frame_base: Callable[[], int] | None = None
    address: Callable[[int], int] | None = None
    """An address of the unit's table, by number."""


def evaluate(expression: bytes, context: Context) -> Location:
    """Work out where a variable is."""
    return _Evaluation(expression, context).run()


def content(location: Location, offset: int, size: int, state: State) -> bytes:
    """The bytes of a variable, or of a part of it."""
    if isinstance(location, Memory):
        return states.memory(state, (location.address + offset) & _ADDRESS, size)
    if isinstance(location, Held):
        whole = _as_bytes(location.value, offset + size)
        return whole[offset : offset + size].ljust(size, b"\0")
    return _joined(location, offset, size, state)


def _joined(location: Pieces, offset: int, size: int, state: State) -> bytes:
    found = b""
    begin = 0
    for extent, part in location.parts:
        first, last = max(offset, begin), min(offset + size, begin + extent)
        if first < last:
            if part is None:
                raise Unknown("optimised out")
            found += content(part, first - begin, last - first, state)
        begin += extent
    if len(found) < size:
        raise Unknown("optimised out")
    return found


def _as_bytes(value: int | float | bytes, size: int) -> bytes:
    """A value as it would be in memory, in so many bytes."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, float):
        return struct.pack("<f", value) if size <= 4 else struct.pack("<d", value)
    width = max(size, 8)
    return (value & (1 << 8 * width) - 1).to_bytes(width, "little")


class _Evaluation:
    """One expression being worked out."""

    def __init__(self, expression: bytes, context: Context) -> None:
        self.code = Bytes(expression)
        self.context = context
        self.stack: list[int | float | bytes] = []
        self.value = False
        """Whether the top of the stack is the variable itself, not its address."""
        self.parts: list[tuple[int, Memory | Held | None]] = []

    def run(self) -> Location:
        for _ in range(MOST):
            if self.code.at >= self.code.end:
                break
            self._step(self.code.number(1))
        else:
            raise Broken("an expression without end")
        if self.parts:
            return Pieces(tuple(self.parts))
        found = self._top()
        if found is None:
            raise Unknown("optimised out")
        return found

    def _step(self, op: int) -> None:
        if _LIT0 <= op <= _LIT31:
            self.value = False
            self.push(op - _LIT0)
            return
        if op == _PIECE:
            self._piece()
            return
        operation = _OPERATIONS.get(op)
        if operation is None:
            raise Unknown(f"in a place that is not understood (operation 0x{op:02x})")
        self.value = False
        operation(self)

    def _piece(self) -> None:
        """What was worked out so far is where a part is; nothing, if that part is nowhere."""
        self.parts.append((self.code.unsigned(), self._top()))
        self.stack.clear()
        self.value = False

    def _top(self) -> Memory | Held | None:
        if not self.stack:
            return None
        top = self.stack[-1]
        return Held(top) if self.value else Memory(self.integer(top) & _ADDRESS)

    def push(self, value: int | float | bytes) -> None:
        """Put a value on the stack; an integer as 64 bits."""
        if len(self.stack) >= _DEEPEST:
            raise Broken("an expression with too many values")
        self.stack.append(value & _WORD if isinstance(value, int) else value)

    def pop(self) -> int:
        """Take an integer from the stack."""
        if not self.stack:
            raise Broken("an expression that takes what is not there")
        return self.integer(self.stack.pop())

    def integer(self, value: int | float | bytes) -> int:
        """The value, which has to be an integer."""
        if not isinstance(value, int):
            raise Unknown("in a place that is computed from what is no integer")
        return value

    def pick(self, index: int) -> None:
        """Put a copy of an earlier value on the stack."""
        if index >= len(self.stack):
            raise Broken("an expression that takes what is not there")
        self.push(self.stack[-1 - index])


def _constant(size: int, *, signed: bool) -> Callable[[_Evaluation], None]:
    return lambda run: run.push(run.code.number(size, signed=signed))


def _two(compute: Callable[[int, int], int]) -> Callable[[_Evaluation], None]:
    def apply(run: _Evaluation) -> None:
        right = run.pop()
        run.push(int(compute(run.pop(), right)))

    return apply


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _divide(left: int, right: int) -> int:
    if not right:
        raise Unknown("divided by zero")
    left, right = _signed(left), _signed(right)
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _modulo(left: int, right: int) -> int:
    if not right:
        raise Unknown("divided by zero")
    return left % right


def _wasm(run: _Evaluation) -> None:
    kind = run.code.number(1)
    index = run.code.number(4) if kind == 3 else run.code.unsigned()
    read = {0: states.local, 1: states.variable, 2: states.operand, 3: states.variable}.get(kind)
    if read is None:
        raise Unknown(f"in a place of Wasm that is not known (kind {kind})")
    found = read(run.context.state, index)
    run.push(found)
    run.value = True


def _frame(run: _Evaluation) -> None:
    offset = run.code.signed()
    if run.context.frame_base is None:
        raise Unknown("in a frame that the debug information does not tell of")
    run.push(run.context.frame_base() + offset)


def _frame_address(run: _Evaluation) -> None:
    if run.context.frame_base is None:
        raise Unknown("in a frame that the debug information does not tell of")
    run.push(run.context.frame_base())


def _of_table(run: _Evaluation) -> None:
    index = run.code.unsigned()
    if run.context.address is None:
        raise Unknown("at an address of a table that is not there")
    run.push(run.context.address(index))


def _read(size: int) -> Callable[[_Evaluation], None]:
    def apply(run: _Evaluation) -> None:
        wanted = size or run.code.number(1)
        if wanted > 8:
            raise Broken("an address of more than eight bytes")
        found = states.memory(run.context.state, run.pop() & _ADDRESS, wanted)
        run.push(int.from_bytes(found, "little"))

    return apply


def _is_value(run: _Evaluation) -> None:
    if not run.stack:
        raise Broken("an expression that takes what is not there")
    run.value = True


def _implicit(run: _Evaluation) -> None:
    run.push(run.code.take(run.code.unsigned()))
    run.value = True


def _branch(run: _Evaluation) -> None:
    distance = run.code.number(2, signed=True)
    at = run.code.at + distance
    if not 0 <= at <= run.code.end:
        raise Broken("an expression that goes on elsewhere")
    run.code.at = at


def _maybe(run: _Evaluation) -> None:
    if run.pop():
        _branch(run)
    else:
        run.code.take(2)


def _swap(run: _Evaluation) -> None:
    top, below = run.pop(), run.pop()
    run.push(top)
    run.push(below)


def _rotate(run: _Evaluation) -> None:
    first, second, third = run.pop(), run.pop(), run.pop()
    for value in (first, third, second):
        run.push(value)


def _entry(run: _Evaluation) -> None:
    raise Unknown("what it was when the function began, which is not kept")


_LIT0, _LIT31, _PIECE = 0x30, 0x4F, 0x93
_OPERATIONS: dict[int, Callable[[_Evaluation], None]] = {
    0x03: _constant(4, signed=False),  # addr
    0x06: _read(4),  # deref
    0x08: _constant(1, signed=False),  # const1u and so on
    0x09: _constant(1, signed=True),
    0x0A: _constant(2, signed=False),
    0x0B: _constant(2, signed=True),
    0x0C: _constant(4, signed=False),
    0x0D: _constant(4, signed=True),
    0x0E: _constant(8, signed=False),
    0x0F: _constant(8, signed=True),
    0x10: lambda run: run.push(run.code.unsigned()),  # constu
    0x11: lambda run: run.push(run.code.signed()),  # consts
    0x12: lambda run: run.pick(0),  # dup
    0x13: lambda run: (run.pop(), None)[1],  # drop
    0x14: lambda run: run.pick(1),  # over
    0x15: lambda run: run.pick(run.code.number(1)),
    0x16: _swap,
    0x17: _rotate,
    0x19: lambda run: run.push(abs(_signed(run.pop()))),
    0x1A: _two(lambda left, right: left & right),
    0x1B: _two(_divide),
    0x1C: _two(lambda left, right: left - right),
    0x1D: _two(_modulo),
    0x1E: _two(lambda left, right: left * right),
    0x1F: lambda run: run.push(-run.pop()),  # neg
    0x20: lambda run: run.push(~run.pop()),  # not
    0x21: _two(lambda left, right: left | right),
    0x22: _two(lambda left, right: left + right),
    0x23: lambda run: run.push(run.pop() + run.code.unsigned()),  # plus_uconst
    0x24: _two(lambda left, right: left << right if right < 64 else 0),
    0x25: _two(lambda left, right: left >> right),
    0x26: _two(lambda left, right: _signed(left) >> right),  # shra
    0x27: _two(lambda left, right: left ^ right),
    0x28: _maybe,  # bra
    0x29: _two(lambda left, right: left == right),
    0x2A: _two(lambda left, right: _signed(left) >= _signed(right)),
    0x2B: _two(lambda left, right: _signed(left) > _signed(right)),
    0x2C: _two(lambda left, right: _signed(left) <= _signed(right)),
    0x2D: _two(lambda left, right: _signed(left) < _signed(right)),
    0x2E: _two(lambda left, right: left != right),
    0x2F: _branch,  # skip
    0x91: _frame,  # fbreg
    0x94: _read(0),  # deref_size
    0x96: lambda run: None,  # nop
    0x9C: _frame_address,  # call_frame_cfa
    0x9E: _implicit,  # implicit_value
    0x9F: _is_value,  # stack_value
    0xA1: _of_table,  # addrx
    0xA2: _of_table,  # constx
    0xA3: _entry,  # entry_value
    0xED: _wasm,  # WASM_location
}
