"""Operations that take integer lanes of one width and give them of another.

Rules that live here: what widens is exact; what narrows saturates, and takes its lanes for signed ones.
"""

from __future__ import annotations

from operator import add, mul

from simwasm.engines.transpiler.integers import Operation
from simwasm.engines.transpiler.vectors import SHAPES, Read, Write, named
from simwasm.engines.transpiler.vectors_integers import limited


def _widened(width: int) -> dict[str, Operation]:
    """From lanes half as wide: those of the lower half, those of the upper half, and pairs of neighbours."""
    wide, narrow, half = SHAPES[width], SHAPES[width // 2], 64 // (width // 2)
    table: dict[str, Operation] = {}
    for sign, read, write in (
        ("s", narrow.signed.unpack, wide.signed.pack),
        ("u", narrow.unsigned.unpack, wide.unsigned.pack),
    ):
        for name, part in (("low", slice(half)), ("high", slice(half, None))):
            table[f"extend_{name}_{narrow.name}_{sign}"] = _extend(read, write, part)
            table[f"extmul_{name}_{narrow.name}_{sign}"] = _multiply(read, write, part)
        table[f"extadd_pairwise_{narrow.name}_{sign}"] = _add_pairs(read, write)
    return table


def _extend(read: Read, write: Write, part: slice) -> Operation:
    return lambda v: write(*read(v)[part])


def _multiply(read: Read, write: Write, part: slice) -> Operation:
    return lambda a, b: write(*map(mul, read(a)[part], read(b)[part]))


def _add_pairs(read: Read, write: Write) -> Operation:
    def add_pairs(v: bytes) -> bytes:
        lanes = read(v)
        return write(*map(add, lanes[::2], lanes[1::2]))

    return add_pairs


def _narrowed(width: int) -> dict[str, Operation]:
    """From lanes twice as wide, those of the first operand first."""
    wide, narrow = SHAPES[width * 2], SHAPES[width]
    read, signed, unsigned = wide.signed.unpack, limited(narrow, True), limited(narrow, False)
    return {
        f"narrow_{wide.name}_s": lambda a, b: signed(read(a) + read(b)),
        f"narrow_{wide.name}_u": lambda a, b: unsigned(read(a) + read(b)),
    }


def dot(width: int) -> Operation:
    """Multiply, and add neighbours; the one sum that does not fit, of four least numbers, wraps."""
    read, write, mask = SHAPES[width // 2].signed.unpack, SHAPES[width].unsigned.pack, SHAPES[width].mask

    def multiply_and_add(a: bytes, b: bytes) -> bytes:
        products = [*map(mul, read(a), read(b))]
        return write(*[x & mask for x in map(add, products[::2], products[1::2])])

    return multiply_and_add


WIDTHS: dict[str, Operation] = {
    **{
        name: run
        for width in (16, 32, 64)
        for name, run in named(SHAPES[width].name, _widened(width)).items()
    },
    **{name: run for width in (8, 16) for name, run in named(SHAPES[width].name, _narrowed(width)).items()},
    "i32x4_dot_i16x8_s": dot(32),
}
