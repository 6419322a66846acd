"""What an instruction does to the operand stack, found once for each distinct one in a module.

Rules that live here: what a rule asks of the immediates alone - alignment, lanes, indices - is checked here, so
the loop over the code never looks at them; an instruction that pops and pushes fixed types gets a shape of its own,
which the loop handles itself, everything else is a step of `control.py` with its argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from functools import cache
from typing import Any

from simwasm.wasm import limits
from simwasm.wasm.decode import Immediates, decode
from simwasm.wasm.module import ValType
from simwasm.wasm.opcodes import OPCODES, Immediate, Opcode
from simwasm.wasm.reader import VALUE_TYPES
from simwasm.wasm.validate import control
from simwasm.wasm.validate.context import Context, same_kind
from simwasm.wasm.validate.kinds import CODES, FUNCREF, I32, Invalid, signature
from simwasm.wasm.validate.stack import Block


class Shape(IntEnum):
    """How an instruction changes the operand stack; commented is what the two other parts are then."""

    GET = 0  # a local: its index
    PUSH = 1  # nothing, the type pushed
    SET = 2  # a local: its index
    UNARY = 3  # the type popped, the type pushed
    BINARY = 4  # both types popped, the type pushed
    TEE = 5  # a local: its index
    STORE = 6  # both types popped
    POP = 7  # the type popped
    STEP = 8  # the step, its argument


Prepared = tuple[int, Any, Any]
"""A shape and its two parts."""

_LOOP = 0x03

_KEPT = 200_000
"""How many distinct instructions are remembered; a plugin of 1 MB has about 15,000."""


class Prepare(dict[bytes, Prepared]):
    """The distinct instructions of a module, prepared as they are met."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def __missing__(self, piece: bytes) -> Prepared:
        made = _CONSTANTS.get(piece[0]) or _prepare(self._context, *decode(piece))
        if len(self) < _KEPT:
            self[piece] = made
        return made


def _prepare(context: Context, row: Opcode, immediates: Immediates) -> Prepared:
    if row.type is None:
        return _BUILDERS[row.immediate, row.name](context, immediates)
    check = _CHECKS.get(row.immediate)
    if check:
        check(context, row, immediates)
    return _shaped(row)


@cache
def _shaped(row: Opcode) -> Prepared:
    """The shape of an instruction with a fixed type."""
    assert row.type is not None
    return _moving(*signature(row.type))


def _moving(wanted: bytes, given: bytes) -> Prepared:
    """What pops and pushes these types."""
    sides = len(wanted), len(given)
    if sides == (0, 1):
        return Shape.PUSH.value, None, given[0]
    if sides == (1, 1):
        return Shape.UNARY.value, wanted[0], given[0]
    if sides == (2, 1):
        return Shape.BINARY.value, wanted, given[0]
    if sides == (2, 0):
        return Shape.STORE.value, wanted, None
    if sides == (1, 0):
        return Shape.POP.value, wanted[0], None
    return Shape.STEP.value, control.apply, (wanted, given)


def _step(step: control.Step, argument: object = None) -> Prepared:
    return Shape.STEP.value, step, argument


_CONSTANTS: dict[int, Prepared] = {
    row.code: _shaped(row)
    for row in OPCODES
    if row.type and row.immediate in (Immediate.I32, Immediate.I64, Immediate.F32, Immediate.F64)
}
"""Every constant is prepared as every other of its type."""


# What the immediates of instructions with a fixed type have to be.

_WIDTH = re.compile(r"(?:load|store)(\d+)(x)?")
_WIDTHS = {"i32": 4, "i64": 8, "f32": 4, "f64": 8, "v128": 16}


@cache
def width(row: Opcode) -> int:
    """How many bytes an instruction loads or stores."""
    found = _WIDTH.search(row.name)
    if found is None:
        return _WIDTHS[row.name.partition(".")[0]]
    return 8 if found[2] else int(found[1]) // 8


def _address(context: Context, row: Opcode, immediates: Immediates) -> None:
    context.memory()
    natural = width(row).bit_length() - 1
    if immediates[0] > natural:
        raise Invalid(
            f"alignment must not be larger than natural: 2^{immediates[0]} is, 2^{natural} is natural"
        )


def _address_lane(context: Context, row: Opcode, immediates: Immediates) -> None:
    _address(context, row, immediates)
    _lane_of(immediates[2], 16 // width(row))


def _lane(_: Context, row: Opcode, immediates: Immediates) -> None:
    _lane_of(immediates[0], int(row.name.partition(".")[0].partition("x")[2]))


def _shuffle(_: Context, __: Opcode, immediates: Immediates) -> None:
    _lane_of(max(immediates), 32)


def _lane_of(lane: int, lanes: int) -> None:
    if lane >= lanes:
        raise Invalid(f"invalid lane index {lane}: there are {lanes} lanes")


def _memory(context: Context, _: Opcode, __: Immediates) -> None:
    context.memory()


def _data(context: Context, _: Opcode, immediates: Immediates) -> None:
    context.data(immediates[0])


def _data_memory(context: Context, _: Opcode, immediates: Immediates) -> None:
    context.memory()
    context.data(immediates[0])


def _element(context: Context, _: Opcode, immediates: Immediates) -> None:
    context.element(immediates[0])


def _element_table(context: Context, _: Opcode, immediates: Immediates) -> None:
    element, table = immediates
    same_kind(context.table(table), context.element(element))


def _tables(context: Context, _: Opcode, immediates: Immediates) -> None:
    destination, source = immediates
    same_kind(context.table(destination), context.table(source))


def _table(context: Context, _: Opcode, immediates: Immediates) -> None:
    context.table(immediates[0])


_CHECKS: dict[Immediate, Callable[[Context, Opcode, Immediates], None]] = {
    Immediate.ADDRESS: _address,
    Immediate.ADDRESS_LANE: _address_lane,
    Immediate.LANE: _lane,
    Immediate.SHUFFLE: _shuffle,
    Immediate.MEMORY: _memory,
    Immediate.MEMORIES: _memory,
    Immediate.DATA: _data,
    Immediate.DATA_MEMORY: _data_memory,
    Immediate.ELEMENT: _element,
    Immediate.ELEMENT_TABLE: _element_table,
    Immediate.TABLES: _tables,
    Immediate.TABLE: _table,
}


# Instructions whose type depends on the module or on the code around them.


def _kind(immediate: int) -> int:
    """A value type, given as the signed number that decoding makes of its byte."""
    return immediate & 0x7F


def _block_type(context: Context, immediate: int) -> control.Signature:
    if immediate >= 0:
        return context.type(immediate)
    kind = _kind(immediate)
    return b"", bytes((kind,)) if kind in VALUE_TYPES else b""


def _opening(opener: int, step: control.Step) -> Callable[[Context, Immediates], Prepared]:
    """An instruction that opens a block; a branch to a loop goes to its head."""

    def build(context: Context, immediates: Immediates) -> Prepared:
        params, results = _block_type(context, immediates[0])
        return _step(step, Block(opener, params, results, params if opener == _LOOP else results))

    return build


def _br_table(_: Context, immediates: Immediates) -> Prepared:
    if len(immediates) > limits.LABELS + 1:
        raise Invalid(f"br_table with more than {limits.LABELS:,} labels; that is more than is supported")
    default = immediates[-1]
    return _step(control.br_table, (*(set(immediates) - {default}), default))


def _call(context: Context, immediates: Immediates) -> Prepared:
    return _moving(*context.function(immediates[0]))


def _return_call(context: Context, immediates: Immediates) -> Prepared:
    return _step(control.return_call, context.function(immediates[0]))


def _indirect(context: Context, immediates: Immediates) -> control.Signature:
    kind, table = immediates
    if context.table(table) is not ValType.FUNCREF:
        raise Invalid(f"type mismatch: table {table} is not one of functions")
    params, results = context.type(kind)
    return params + bytes((I32,)), results


def _call_indirect(context: Context, immediates: Immediates) -> Prepared:
    return _moving(*_indirect(context, immediates))


def _return_call_indirect(context: Context, immediates: Immediates) -> Prepared:
    return _step(control.return_call, _indirect(context, immediates))


def _select(_: Context, immediates: Immediates) -> Prepared:
    kind = _kind(immediates[0])
    return _step(control.apply, (bytes((kind, kind, I32)), bytes((kind,))))


def _global_get(context: Context, immediates: Immediates) -> Prepared:
    return _moving(b"", bytes((CODES[context.global_(immediates[0]).type],)))


def _global_set(context: Context, immediates: Immediates) -> Prepared:
    kind = context.global_(immediates[0])
    if not kind.mutable:
        raise Invalid(f"global is immutable: global {immediates[0]} is set")
    return _moving(bytes((CODES[kind.type],)), b"")


def _on_table(letters: str) -> Callable[[Context, Immediates], Prepared]:
    """An instruction on a table: `i` is an index or a number, `r` one of the table's references."""
    wanted, given = letters.split(":")

    def build(context: Context, immediates: Immediates) -> Prepared:
        kinds = {"i": I32, "r": CODES[context.table(immediates[0])]}
        return _moving(
            bytes([kinds[letter] for letter in wanted]), bytes([kinds[letter] for letter in given])
        )

    return build


def _ref_null(_: Context, immediates: Immediates) -> Prepared:
    return _moving(b"", bytes((_kind(immediates[0]),)))


def _ref_func(context: Context, immediates: Immediates) -> Prepared:
    context.reference(immediates[0])
    return _moving(b"", bytes((FUNCREF,)))


def _alone(step: control.Step) -> Callable[[Context, Immediates], Prepared]:
    return lambda _, __: _step(step)


def _with_label(step: control.Step) -> Callable[[Context, Immediates], Prepared]:
    return lambda _, immediates: _step(step, immediates[0])


def _with_local(shape: Shape) -> Callable[[Context, Immediates], Prepared]:
    return lambda _, immediates: (shape.value, immediates[0], None)


_BUILDERS: dict[tuple[Immediate, str], Callable[[Context, Immediates], Prepared]] = {
    (Immediate.NONE, "unreachable"): _alone(control.unreachable),
    (Immediate.BLOCK, "block"): _opening(0x02, control.block),
    (Immediate.BLOCK, "loop"): _opening(_LOOP, control.block),
    (Immediate.BLOCK, "if"): _opening(control.IF, control.if_),
    (Immediate.NONE, "else"): _alone(control.else_),
    (Immediate.NONE, "end"): _alone(control.end),
    (Immediate.LABEL, "br"): _with_label(control.br),
    (Immediate.LABEL, "br_if"): _with_label(control.br_if),
    (Immediate.LABELS, "br_table"): _br_table,
    (Immediate.NONE, "return"): _alone(control.return_),
    (Immediate.FUNCTION, "call"): _call,
    (Immediate.INDIRECT, "call_indirect"): _call_indirect,
    (Immediate.FUNCTION, "return_call"): _return_call,
    (Immediate.INDIRECT, "return_call_indirect"): _return_call_indirect,
    (Immediate.NONE, "drop"): _alone(control.drop),
    (Immediate.NONE, "select"): _alone(control.select),
    (Immediate.TYPES, "select"): _select,
    (Immediate.LOCAL, "local.get"): _with_local(Shape.GET),
    (Immediate.LOCAL, "local.set"): _with_local(Shape.SET),
    (Immediate.LOCAL, "local.tee"): _with_local(Shape.TEE),
    (Immediate.GLOBAL, "global.get"): _global_get,
    (Immediate.GLOBAL, "global.set"): _global_set,
    (Immediate.TABLE, "table.get"): _on_table("i:r"),
    (Immediate.TABLE, "table.set"): _on_table("ir:"),
    (Immediate.TABLE, "table.grow"): _on_table("ri:i"),
    (Immediate.TABLE, "table.fill"): _on_table("iri:"),
    (Immediate.HEAP, "ref.null"): _ref_null,
    (Immediate.NONE, "ref.is_null"): _alone(control.ref_is_null),
    (Immediate.FUNCTION, "ref.func"): _ref_func,
}
