"""Operations on lanes of floats.

Rules that live here: what computes makes NaNs quiet; what only moves or changes signs, and `pmin` and `pmax`, which
choose one of their operands, work on the bits.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from operator import add, gt, lt, mul, sub

from simwasm.engines.transpiler.floats import (
    ceil,
    divide,
    floor,
    greatest,
    least,
    nearest,
    root,
    saturate,
    trunc,
)
from simwasm.engines.transpiler.integers import Operation
from simwasm.engines.transpiler.vectors import F32X4, F64X2, SHAPES, Read, Shape, Write, named, singles
from simwasm.engines.transpiler.vectors_integers import compared

_SIGNS = {
    32: int.from_bytes(b"\0\0\0\x80" * 4, "little"),
    64: int.from_bytes(b"\0\0\0\0\0\0\0\x80" * 2, "little"),
}
_I32X4, _I32, _U32 = SHAPES[32].unsigned.pack, SHAPES[32].signed.unpack, SHAPES[32].unsigned.unpack


def _computed(read: Read, write: Callable[[list[float]], bytes]) -> dict[str, Operation]:
    unary = {"sqrt": root, "ceil": ceil, "floor": floor, "trunc": trunc, "nearest": nearest}
    binary = {"add": add, "sub": sub, "mul": mul, "div": divide, "min": least, "max": greatest}
    return {
        **{name: _of_one(operate, read, write) for name, operate in unary.items()},
        **{name: _of_two(operate, read, write) for name, operate in binary.items()},
    }


def _of_one(operate: Operation, read: Read, write: Write) -> Operation:
    return lambda v: write([*map(operate, read(v))])


def _of_two(operate: Operation, read: Read, write: Write) -> Operation:
    return lambda a, b: write([*map(operate, read(a), read(b))])


def _signs(shape: Shape) -> dict[str, Operation]:
    signs = _SIGNS[shape.width]
    others = signs ^ (1 << 128) - 1
    return {
        "neg": lambda v: (int.from_bytes(v, "little") ^ signs).to_bytes(16, "little"),
        "abs": lambda v: (int.from_bytes(v, "little") & others).to_bytes(16, "little"),
    }


def _comparisons(read: Read, shape: Shape) -> dict[str, Operation]:
    return {
        name: compared(getattr(operator, name), read, shape.signed.pack)
        for name in ("eq", "ne", "lt", "gt", "le", "ge")
    }


def _choices(read: Read, shape: Shape) -> dict[str, Operation]:
    return {"pmin": _chosen(gt, read, shape), "pmax": _chosen(lt, read, shape)}


def _chosen(second: Operation, read: Read, shape: Shape) -> Operation:
    """The second operand where that is asked for; else the first."""
    bits, write = shape.unsigned.unpack, shape.unsigned.pack

    def choose(a: bytes, b: bytes) -> bytes:
        chosen = map(second, read(a), read(b))
        return write(*[y if which else x for which, x, y in zip(chosen, bits(a), bits(b), strict=True)])

    return choose


def _all(read: Read, shape: Shape, write: Callable[[list[float]], bytes]) -> dict[str, Operation]:
    return {**_computed(read, write), **_signs(shape), **_comparisons(read, shape), **_choices(read, shape)}


def _trunc(signed: bool) -> dict[str, Operation]:
    cut, sign = saturate(32, signed), "s" if signed else "u"
    return {
        f"i32x4_trunc_sat_f32x4_{sign}": lambda v: _I32X4(*map(cut, F32X4.unpack(v))),
        f"i32x4_trunc_sat_f64x2_{sign}_zero": lambda v: _I32X4(*map(cut, F64X2.unpack(v)), 0, 0),
    }


FLOAT_VECTORS: dict[str, Operation] = {
    **named("f32x4", _all(F32X4.unpack, SHAPES[32], singles)),
    **named("f64x2", _all(F64X2.unpack, SHAPES[64], lambda values: F64X2.pack(*values))),
    **_trunc(True),
    **_trunc(False),
    "f32x4_convert_i32x4_s": lambda v: singles(_I32(v)),
    "f32x4_convert_i32x4_u": lambda v: singles(_U32(v)),
    "f64x2_convert_low_i32x4_s": lambda v: F64X2.pack(*_I32(v)[:2]),
    "f64x2_convert_low_i32x4_u": lambda v: F64X2.pack(*_U32(v)[:2]),
    "f32x4_demote_f64x2_zero": lambda v: singles((*F64X2.unpack(v), 0.0, 0.0)),
    "f64x2_promote_low_f32x4": lambda v: F64X2.pack(*[x * 1.0 for x in F32X4.unpack(v)[:2]]),
}
