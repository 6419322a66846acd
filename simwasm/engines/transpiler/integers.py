"""Operations on i32 and i64, which are ints 0 <= x < 2**32 or 2**64.

Rules that live here: one definition serves both widths; a truth is 0 or 1, never a bool; a division by zero is
Python's own ZeroDivisionError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simwasm.engines.transpiler.stopped import Stopped
from simwasm.errors import TrapKind

Operation = Callable[..., Any]
"""What it takes and gives depends on the instruction."""


def _compared(width: int) -> dict[str, Operation]:
    """Comparisons; signed ones of numbers whose sign bit is flipped."""
    sign = 1 << (width - 1)
    return {
        "eqz": lambda x: 0 if x else 1,
        "eq": lambda x, y: 1 if x == y else 0,
        "ne": lambda x, y: 1 if x != y else 0,
        "lt_s": lambda x, y: 1 if x ^ sign < y ^ sign else 0,
        "lt_u": lambda x, y: 1 if x < y else 0,
        "gt_s": lambda x, y: 1 if x ^ sign > y ^ sign else 0,
        "gt_u": lambda x, y: 1 if x > y else 0,
        "le_s": lambda x, y: 1 if x ^ sign <= y ^ sign else 0,
        "le_u": lambda x, y: 1 if x <= y else 0,
        "ge_s": lambda x, y: 1 if x ^ sign >= y ^ sign else 0,
        "ge_u": lambda x, y: 1 if x >= y else 0,
    }


def _counted(width: int) -> dict[str, Operation]:
    return {
        "clz": lambda x: width - x.bit_length(),
        "ctz": lambda x: (x & -x).bit_length() - 1 if x else width,
        "popcnt": lambda x: x.bit_count(),
    }


def _computed(width: int) -> dict[str, Operation]:
    mask, sign = (1 << width) - 1, 1 << (width - 1)
    return {
        "add": lambda x, y: x + y & mask,
        "sub": lambda x, y: x - y & mask,
        "mul": lambda x, y: x * y & mask,
        "div_u": lambda x, y: x // y,
        "rem_u": lambda x, y: x % y,
        "and": lambda x, y: x & y,
        "or": lambda x, y: x | y,
        "xor": lambda x, y: x ^ y,
        "shl": lambda x, y: x << y % width & mask,
        "shr_s": lambda x, y: (x ^ sign) - sign >> y % width & mask,
        "shr_u": lambda x, y: x >> y % width,
        "rotl": lambda x, y: (x << y % width | x >> -y % width) & mask,
        "rotr": lambda x, y: (x >> y % width | x << -y % width) & mask,
    }


def _divided(width: int) -> dict[str, Operation]:
    """Signed division, which cuts toward zero where Python's rounds down."""
    mask, sign = (1 << width) - 1, 1 << (width - 1)

    def div_s(x: int, y: int) -> int:
        x, y = (x ^ sign) - sign, (y ^ sign) - sign
        quotient = abs(x) // abs(y)
        if (x < 0) is not (y < 0):
            return -quotient & mask
        if quotient == sign:
            raise Stopped(TrapKind.INTEGER_OVERFLOW)
        return quotient

    def rem_s(x: int, y: int) -> int:
        x, y = (x ^ sign) - sign, (y ^ sign) - sign
        rest = abs(x) % abs(y)
        return -rest & mask if x < 0 else rest

    return {"div_s": div_s, "rem_s": rem_s}


def extend(width: int, narrow: int) -> Operation:
    """Take the low `narrow` bits for a signed number."""
    mask, low, sign = (1 << width) - 1, (1 << narrow) - 1, 1 << (narrow - 1)
    return lambda x: (x & low ^ sign) - sign & mask


def _all(type: str, width: int) -> dict[str, Operation]:
    families = (_compared, _counted, _computed, _divided)
    table = {f"{type}_{name}": run for family in families for name, run in family(width).items()}
    table |= {f"{type}_extend{narrow}_s": extend(width, narrow) for narrow in (8, 16, 32) if narrow < width}
    return table


INTEGERS: dict[str, Operation] = {
    **_all("i32", 32),
    **_all("i64", 64),
    "i32_wrap_i64": lambda x: x & 0xFFFFFFFF,
    "i64_extend_i32_s": extend(64, 32),
    "i64_extend_i32_u": lambda x: x,
}
