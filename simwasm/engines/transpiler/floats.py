"""Operations on f32 and f64, which are Python floats; an f32 is one that 32 bits can hold.

A NaN needs no class of its own. Python keeps all bits of a float, those of a signalling NaN too, until it computes
with it; so do negation, `abs` and `copysign`, which is what Wasm wants. The NaN of an f32 is the float with the same
sign, the same signalling bit and the same payload, shifted up.

Rules that live here:

* Processors make a signalling NaN quiet when they convert between 32 and 64 bits, memoryviews and structs with
  them. So what reads or writes an f32 must ask whether it is a NaN, and take `f32_reinterpret_i32` and
  `i32_reinterpret_f32` then.
* Results of arithmetic are quiet, also where nothing is computed: `x + y` where one of them is a NaN.
* One rounding: computing in 64 bits and then rounding to 32 is exact for + - * / and the square root, because
  53 >= 2 * 24 + 2, but not for large integers, which are rounded to odd first.
* `_F`, `_I`, … look at the same eight bytes. That is safe among threads: no other one gets to run between a line
  that writes and the next one that reads, because there is no call and no jump.
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, inf, sqrt

from simwasm.engines.transpiler.integers import Operation
from simwasm.engines.transpiler.stopped import Stopped
from simwasm.errors import TrapKind

_bytes = memoryview(bytearray(8))
_F, _I = _bytes[:4].cast("f"), _bytes[:4].cast("I")
_D, _Q = _bytes.cast("d"), _bytes.cast("Q")

NAN = inf - float("inf")
"""What the processor makes when there is no answer."""

_EXPONENT32, _QUIET32, _PAYLOAD32 = 0x7F800000, 0x400000, 0x7FFFFF
_WHOLE = float(1 << 52)
"""From here on every float is an integer."""


def single(x: float) -> float:
    """Round to 32 bits."""
    _F[0] = x
    return _F[0]


# Bits.


def f64_reinterpret_i64(bits: int) -> float:
    _Q[0] = bits
    return _D[0]


def i64_reinterpret_f64(x: float) -> int:
    _D[0] = x
    return _Q[0]


def f32_reinterpret_i32(bits: int) -> float:
    if bits & 0x7FFFFFFF > _EXPONENT32:
        return f64_reinterpret_i64((bits & 0x80000000) << 32 | 0x7FF << 52 | (bits & _PAYLOAD32) << 29)
    _I[0] = bits
    return _F[0]


def i32_reinterpret_f32(x: float) -> int:
    if x == x:
        _F[0] = x
        return _I[0]
    bits = i64_reinterpret_f64(x)
    return bits >> 32 & 0x80000000 | _EXPONENT32 | (bits >> 29 & _PAYLOAD32 or _QUIET32)


# Arithmetic.


def divide(x: float, y: float) -> float:
    return x / y if y else x * copysign(inf, y)


def root(x: float) -> float:
    return sqrt(x) if x >= 0.0 else NAN if x < 0.0 else x + x


def least(x: float, y: float) -> float:
    if x < y:
        return x
    if y < x:
        return y
    return x if x == y != 0.0 else -(-x - y)


def greatest(x: float, y: float) -> float:
    if x > y:
        return x
    if y > x:
        return y
    return x if x == y != 0.0 else x + y


# Rounding to an integer, which keeps the sign of a zero.


def floor(x: float) -> float:
    return x // 1.0 if -_WHOLE < x < _WHOLE else x + 0.0


def ceil(x: float) -> float:
    return -(-x // 1.0) if -_WHOLE < x < _WHOLE else x + 0.0


def trunc(x: float) -> float:
    return floor(x) if x > 0.0 else ceil(x)


def nearest(x: float) -> float:
    return copysign(abs(x) + _WHOLE - _WHOLE, x) if -_WHOLE < x < _WHOLE else x + 0.0


# Conversions from integers.


def signed32(x: int) -> int:
    return (x ^ 0x80000000) - 0x80000000


def signed64(x: int) -> int:
    return (x ^ 0x8000000000000000) - 0x8000000000000000


def single_of(x: int) -> float:
    """Round an integer to 32 bits, once: what 53 bits cannot hold is first rounded to odd."""
    return single(x if -(1 << 53) < x < 1 << 53 else x & -0x800 | (0x800 if x & 0x7FF else 0))


# Conversions to integers.


def _cut(width: int, signed: bool) -> Operation:
    """Cut toward zero; what the integer cannot hold traps."""
    mask, low, high = (1 << width) - 1, *_bounds(width, signed)

    def cut(x: float) -> int:
        if low < x < high:
            return int(x) & mask
        raise Stopped(TrapKind.INTEGER_OVERFLOW if x == x else TrapKind.BAD_CONVERSION)

    return cut


def saturate(width: int, signed: bool) -> Operation:
    """Cut toward zero; what the integer cannot hold becomes the nearest that it can, NaN becomes zero."""
    mask, low, high = (1 << width) - 1, *_bounds(width, signed)
    least, greatest = (1 << (width - 1), mask >> 1) if signed else (0, mask)

    def cut(x: float) -> int:
        if low < x < high:
            return int(x) & mask
        return (greatest if x > 0.0 else least) if x == x else 0

    return cut


def _bounds(width: int, signed: bool) -> tuple[int, int]:
    """What is cut lies between, both exclusive; as integers, because -2**63 - 1 is no float."""
    return (-(1 << (width - 1)) - 1, 1 << (width - 1)) if signed else (-1, 1 << width)


def _conversions(type: str, of: Callable[[int], float]) -> dict[str, Operation]:
    return {
        f"{type}_convert_i32_s": lambda x: of(signed32(x)),
        f"{type}_convert_i32_u": of,
        f"{type}_convert_i64_s": lambda x: of(signed64(x)),
        f"{type}_convert_i64_u": of,
    }


def _cuts(type: str, width: int) -> dict[str, Operation]:
    cut_s, cut_u = _cut(width, True), _cut(width, False)
    saturate_s, saturate_u = saturate(width, True), saturate(width, False)
    return {
        f"{type}_trunc_f32_s": cut_s,
        f"{type}_trunc_f32_u": cut_u,
        f"{type}_trunc_f64_s": cut_s,
        f"{type}_trunc_f64_u": cut_u,
        f"{type}_trunc_sat_f32_s": saturate_s,
        f"{type}_trunc_sat_f32_u": saturate_u,
        f"{type}_trunc_sat_f64_s": saturate_s,
        f"{type}_trunc_sat_f64_u": saturate_u,
    }


_OF_BOTH: dict[str, Operation] = {
    "eq": lambda x, y: 1 if x == y else 0,
    "ne": lambda x, y: 1 if x != y else 0,
    "lt": lambda x, y: 1 if x < y else 0,
    "gt": lambda x, y: 1 if x > y else 0,
    "le": lambda x, y: 1 if x <= y else 0,
    "ge": lambda x, y: 1 if x >= y else 0,
    "abs": abs,
    "neg": lambda x: -x,
    "copysign": copysign,
    "ceil": ceil,
    "floor": floor,
    "trunc": trunc,
    "nearest": nearest,
    "min": least,
    "max": greatest,
}
"""What needs no rounding."""

FLOATS: dict[str, Operation] = {
    **{f"{type}_{name}": run for type in ("f32", "f64") for name, run in _OF_BOTH.items()},
    "f32_add": lambda x, y: single(x + y),
    "f32_sub": lambda x, y: single(x - y),
    "f32_mul": lambda x, y: single(x * y),
    "f32_div": lambda x, y: single(divide(x, y)),
    "f32_sqrt": lambda x: single(root(x)),
    "f64_add": lambda x, y: x + y,
    "f64_sub": lambda x, y: x - y,
    "f64_mul": lambda x, y: x * y,
    "f64_div": divide,
    "f64_sqrt": root,
    "f32_demote_f64": single,
    "f64_promote_f32": lambda x: x * 1.0,
    "f32_reinterpret_i32": f32_reinterpret_i32,
    "f64_reinterpret_i64": f64_reinterpret_i64,
    "i32_reinterpret_f32": i32_reinterpret_f32,
    "i64_reinterpret_f64": i64_reinterpret_f64,
    **_conversions("f32", single_of),
    **_conversions("f64", float),
    **_cuts("i32", 32),
    **_cuts("i64", 64),
}
