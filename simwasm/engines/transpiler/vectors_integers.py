"""Operations on integer lanes whose results have the lanes' own width.

Rules that live here: one definition serves all four shapes; a comparison answers with all bits of a lane.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable

from simwasm.engines.transpiler.integers import Operation
from simwasm.engines.transpiler.vectors import SHAPES, Read, Shape, Write, named


def lanewise(operate: Operation, read: Read, write: Write) -> Operation:
    """An operation on two lanes, made one on two vectors."""
    return lambda a, b: write(*map(operate, read(a), read(b)))


def compared(operate: Operation, read: Read, write: Write) -> Operation:
    """A comparison of two lanes, made one of two vectors: -1 has all bits."""
    return lambda a, b: write(*map(operator.neg, map(operate, read(a), read(b))))


def wrapped(operate: Operation, shape: Shape) -> Operation:
    """An operation on two lanes whose result may be too large or negative."""
    read, write, mask = shape.unsigned.unpack, shape.unsigned.pack, shape.mask
    return lambda a, b: write(*[x & mask for x in map(operate, read(a), read(b))])


def _saturated(operate: Operation, read: Read, shape: Shape, signed: bool) -> Operation:
    limit = limited(shape, signed)
    return lambda a, b: limit(map(operate, read(a), read(b)))


def limited(shape: Shape, signed: bool) -> Callable[[Iterable[int]], bytes]:
    """Writes lanes; of what is too small or too large, the nearest that a lane can hold."""
    write = shape.signed.pack if signed else shape.unsigned.pack
    least, greatest = (-(1 << (shape.width - 1)), shape.mask >> 1) if signed else (0, shape.mask)

    def limit(lanes: Iterable[int]) -> bytes:
        return write(*[x if least <= x <= greatest else least if x < least else greatest for x in lanes])

    return limit


def _average(x: int, y: int) -> int:
    return x + y + 1 >> 1


def _multiply_q15(x: int, y: int) -> int:
    return x * y + 0x4000 >> 15


def _computed(shape: Shape) -> dict[str, Operation]:
    s, u, signed, write = shape.signed.unpack, shape.unsigned.unpack, shape.signed.pack, shape.unsigned.pack
    mask = shape.mask
    return {
        "add": wrapped(operator.add, shape),
        "sub": wrapped(operator.sub, shape),
        "mul": wrapped(operator.mul, shape),
        "min_s": lanewise(min, s, signed),
        "max_s": lanewise(max, s, signed),
        "min_u": lanewise(min, u, write),
        "max_u": lanewise(max, u, write),
        "avgr_u": lanewise(_average, u, write),
        "neg": lambda v: write(*[-x & mask for x in u(v)]),
        "abs": lambda v: write(*map(abs, s(v))),
    }


def _limits(shape: Shape) -> dict[str, Operation]:
    s, u = shape.signed.unpack, shape.unsigned.unpack
    return {
        "add_sat_s": _saturated(operator.add, s, shape, True),
        "sub_sat_s": _saturated(operator.sub, s, shape, True),
        "add_sat_u": _saturated(operator.add, u, shape, False),
        "sub_sat_u": _saturated(operator.sub, u, shape, False),
        "q15mulr_sat_s": _saturated(_multiply_q15, s, shape, True),
    }


def _shifted(shape: Shape) -> dict[str, Operation]:
    s, u, signed, write = shape.signed.unpack, shape.unsigned.unpack, shape.signed.pack, shape.unsigned.pack
    width, mask = shape.width, shape.mask

    def shl(v: bytes, by: int) -> bytes:
        by %= width
        return write(*[x << by & mask for x in u(v)])

    def shr_s(v: bytes, by: int) -> bytes:
        by %= width
        return signed(*[x >> by for x in s(v)])

    def shr_u(v: bytes, by: int) -> bytes:
        by %= width
        return write(*[x >> by for x in u(v)])

    return {"shl": shl, "shr_s": shr_s, "shr_u": shr_u}


def _comparisons(shape: Shape) -> dict[str, Operation]:
    write = shape.signed.pack
    ordered = {
        f"{name}_{sign}": compared(getattr(operator, name), read, write)
        for name in ("lt", "gt", "le", "ge")
        for sign, read in (("s", shape.signed.unpack), ("u", shape.unsigned.unpack))
    }
    equal = {name: compared(getattr(operator, name), shape.signed.unpack, write) for name in ("eq", "ne")}
    return {**equal, **ordered}


def _asked(shape: Shape) -> dict[str, Operation]:
    u, s = shape.unsigned.unpack, shape.signed.unpack
    return {
        "all_true": lambda v: 0 if 0 in u(v) else 1,
        "bitmask": lambda v: sum([1 << lane for lane, x in enumerate(s(v)) if x < 0]),
    }


_FAMILIES = (_computed, _limits, _shifted, _comparisons, _asked)

INTEGER_VECTORS: dict[str, Operation] = {
    name: run
    for shape in SHAPES.values()
    for family in _FAMILIES
    for name, run in named(shape.name, family(shape)).items()
}
