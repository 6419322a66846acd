"""Relaxed SIMD: operations of which processors may give one of several results.

Rules that live here: the result is the one of the specification's deterministic profile. That is the result of the
operation of the same name without `relaxed` where there is one, and one rounding of a multiplication with addition.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import inf, isfinite, nextafter
from operator import neg
from struct import Struct

from simwasm.engines.transpiler.floats import i64_reinterpret_f64
from simwasm.engines.transpiler.integers import Operation
from simwasm.engines.transpiler.vectors import (
    F32X4,
    F64X2,
    SHAPES,
    VECTORS,
    Write,
    bitselect,
    named,
    singles,
    swizzle,
)
from simwasm.engines.transpiler.vectors_floats import FLOAT_VECTORS
from simwasm.engines.transpiler.vectors_integers import INTEGER_VECTORS
from simwasm.engines.transpiler.vectors_widths import WIDTHS, dot


def fused64(x: float, y: float, z: float) -> float:
    """x * y + z, rounded once."""
    if not (x and y and isfinite(x) and isfinite(y) and isfinite(z)):
        return x * y + z
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        return inf if exact > 0 else -inf


def fused32(x: float, y: float, z: float) -> float:
    """The same of 32-bit floats, rounded to odd: the product is exact, and only the rounding to come counts."""
    product = x * y
    result = product + z
    if not isfinite(result):
        return result
    back = result - product
    rest = (product - (result - back)) + (z - back)
    if rest and not i64_reinterpret_f64(result) & 1:
        return nextafter(result, inf if rest > 0 else -inf)
    return result


def _fused(
    operate: Callable[[float, float, float], float], floats: Struct, write: Write
) -> dict[str, Operation]:
    read = floats.unpack
    return {
        "relaxed_madd": lambda a, b, c: write([*map(operate, read(a), read(b), read(c))]),
        "relaxed_nmadd": lambda a, b, c: write([*map(operate, map(neg, read(a)), read(b), read(c))]),
    }


_dot = dot(16)
_add_pairs, _add = WIDTHS["i32x4_extadd_pairwise_i16x8_s"], INTEGER_VECTORS["i32x4_add"]

_STRICT = {**VECTORS, **INTEGER_VECTORS, **FLOAT_VECTORS}

RELAXED: dict[str, Operation] = {
    **named("f32x4", _fused(fused32, F32X4, singles)),
    **named("f64x2", _fused(fused64, F64X2, lambda values: F64X2.pack(*values))),
    **{
        f"{shape}_relaxed_{name}": _STRICT[f"{shape}_{name}"]
        for shape in ("f32x4", "f64x2")
        for name in ("min", "max")
    },
    **{f"{shape.name}_relaxed_laneselect": bitselect for shape in SHAPES.values()},
    **{
        f"i32x4_relaxed_trunc_{floats}": _STRICT[f"i32x4_trunc_sat_{floats}"]
        for floats in ("f32x4_s", "f32x4_u", "f64x2_s_zero", "f64x2_u_zero")
    },
    "i8x16_relaxed_swizzle": swizzle,
    "i16x8_relaxed_q15mulr_s": _STRICT["i16x8_q15mulr_sat_s"],
    "i16x8_relaxed_dot_i8x16_i7x16_s": _dot,
    "i32x4_relaxed_dot_i8x16_i7x16_add_s": lambda a, b, c: _add(_add_pairs(_dot(a, b)), c),
}
