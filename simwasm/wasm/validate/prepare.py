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


Rule = Callable[[Context, Immediates], Prepared]
"""What makes an instruction of a row ready, or says what is wrong with its immediates."""

Check = Callable[[Context, Immediates], None]


class Prepare(dict[bytes, Prepared]):
    """The distinct instructions of a module, prepared as they are met."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._rules = _rules()

    def __missing__(self, piece: bytes) -> Prepared:
        row, immediates = decode(piece)
        made = self._rules[row.prefix, row.code](self._context, immediates)
        if len(self) < _KEPT:
            self[piece] = made
        return made


@cache
def _rules() -> dict[tuple[int, int], Rule]:
    """The rule of every row, by its prefix and code."""
    return {(row.prefix, row.code): _rule(row) for row in OPCODES}


def _rule(row: Opcode) -> Rule:
    if row.type is None:
        return _BUILDERS[row.immediate, row.name]
    made = _moving(*signature(row.type))
    if row.immediate not in _CHECKS:
        return lambda _, __: made
    check = _CHECKS[row.immediate](row)

    def checked(context: Context, immediates: Immediates) -> Prepared:
        check(context, immediates)
        return made

    return checked


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


# What the immediates of instructions with a fixed type have to be.

_WIDTH = re.compile(r"(?:load|store)(\d+)(x)?")
_WIDTHS = {"i32": 4, "i64": 8, "f32": 4, "f64": 8, "v128": 16}


def width(row: Opcode) -> int:
    """How many bytes an instruction loads or stores."""
    found = _WIDTH.search(row.name)
    if found is None:
        return _WIDTHS[row.name.partition(".")[0]]
    return 8 if found[2] else int(found[1]) // 8


def _address(row: Opcode) -> Check:
    natural = width(row).bit_length() - 1

    def check(context: Context, immediates: Immediates) -> None:
        context.memory()
        exponent = immediates[0]
        if exponent > natural:
            sizes = f"2^{exponent} is, 2^{natural} is natural"
            raise Invalid(f"alignment must not be larger than natural: {sizes}")

    return check


def _address_lane(row: Opcode) -> Check:
    address, lane = _address(row), _lane_of(16 // width(row))

    def check(context: Context, immediates: Immediates) -> None:
        address(context, immediates)
        lane(context, immediates[2:])

    return check


def _lane(row: Opcode) -> Check:
    return _lane_of(int(row.name.partition(".")[0].partition("x")[2]))


def _shuffle(_: Opcode) -> Check:
    return _lane_of(32)


def _lane_of(lanes: int) -> Check:
    def check(_: Context, immediates: Immediates) -> None:
        lane = max(immediates)
        if lane >= lanes:
            raise Invalid(f"invalid lane index {lane}: there are {lanes} lanes")

    return check


def _for_all(check: Check) -> Callable[[Opcode], Check]:
    """The same for every row with that kind of immediate."""
    return lambda _: check


def _memory(context: Context, _: Immediates) -> None:
    context.memory()


def _data(context: Context, immediates: Immediates) -> None:
    context.data(immediates[0])


def _data_memory(context: Context, immediates: Immediates) -> None:
    context.memory()
    context.data(immediates[0])


def _element(context: Context, immediates: Immediates) -> None:
    context.element(immediates[0])


def _element_table(context: Context, immediates: Immediates) -> None:
    element, table = immediates
    same_kind(context.table(table), context.element(element))


def _tables(context: Context, immediates: Immediates) -> None:
    destination, source = immediates
    same_kind(context.table(destination), context.table(source))


def _table(context: Context, immediates: Immediates) -> None:
    context.table(immediates[0])


_CHECKS: dict[Immediate, Callable[[Opcode], Check]] = {
    Immediate.ADDRESS: _address,
    Immediate.ADDRESS_LANE: _address_lane,
    Immediate.LANE: _lane,
    Immediate.SHUFFLE: _shuffle,
    Immediate.MEMORY: _for_all(_memory),
    Immediate.MEMORIES: _for_all(_memory),
    Immediate.DATA: _for_all(_data),
    Immediate.DATA_MEMORY: _for_all(_data_memory),
    Immediate.ELEMENT: _for_all(_element),
    Immediate.ELEMENT_TABLE: _for_all(_element_table),
    Immediate.TABLES: _for_all(_tables),
    Immediate.TABLE: _for_all(_table),
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


def _opening(opener: int, step: control.Step) -> Rule:
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


def _on_table(letters: str) -> Rule:
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


def _alone(step: control.Step) -> Rule:
    return lambda _, __: _step(step)


def _with_label(step: control.Step) -> Rule:
    return lambda _, immediates: _step(step, immediates[0])


def _with_local(shape: Shape) -> Rule:
    return lambda _, immediates: (shape.value, immediates[0], None)


_BUILDERS: dict[tuple[Immediate, str], Rule] = {
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
