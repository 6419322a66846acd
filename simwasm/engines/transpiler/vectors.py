"""Operations on v128, which is sixteen bytes: taking lanes out and putting them in, and what has no lanes.

Rules that live here: a lane, or the sixteen of a shuffle as one sequence, comes before the operands. Lanes are read
and written by structs that are made once; f32 lanes that may be too large or a NaN go through `floats_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

from simwasm.engines.transpiler.floats import (
    f32_reinterpret_i32,
    f64_reinterpret_i64,
    i32_reinterpret_f32,
    i64_reinterpret_f64,
)
from simwasm.engines.transpiler.integers import Operation

Read = Callable[[bytes], tuple[Any, ...]]
Write = Callable[..., bytes]

ZERO = bytes(16)
_ONES = (1 << 128) - 1

_read = int.from_bytes


def _bits(x: int) -> bytes:
    return x.to_bytes(16, "little")


@dataclass(frozen=True, slots=True)
class Shape:
    """Integer lanes of a vector: how many bits each has, and how all are read and written."""

    name: str
    width: int
    signed: Struct
    unsigned: Struct

    @property
    def mask(self) -> int:
        """All bits of a lane."""
        return (1 << self.width) - 1


SHAPES = {
    width: Shape(
        f"i{width}x{128 // width}",
        width,
        Struct(f"<{128 // width}{code}"),
        Struct(f"<{128 // width}{code.upper()}"),
    )
    for width, code in ((8, "b"), (16, "h"), (32, "i"), (64, "q"))
}
"""The four shapes, by the width of their lanes."""

F32X4, F64X2 = Struct("<4f"), Struct("<2d")

_four = memoryview(bytearray(16))
_F = _four.cast("f")


def singles(values: Iterable[float]) -> bytes:
    """Round to 32 bits; a struct would refuse what is too large for them."""
    _F[0], _F[1], _F[2], _F[3] = values
    return _four.tobytes()


def _lanes(shape: Shape) -> dict[str, Operation]:
    """Reading one lane of integers, replacing one and filling all."""
    read, write, count, mask = shape.unsigned.unpack, shape.unsigned.pack, 128 // shape.width, shape.mask
    signed = shape.signed.unpack

    def replace_lane(lane: int, v: bytes, x: int) -> bytes:
        lanes = list(read(v))
        lanes[lane] = x & mask
        return write(*lanes)

    narrow = {
        "extract_lane_s": lambda lane, v: signed(v)[lane] & 0xFFFFFFFF,
        "extract_lane_u": lambda lane, v: read(v)[lane],
    }
    return {
        "splat": lambda x: write(*[x & mask] * count),
        "replace_lane": replace_lane,
        **(narrow if shape.width < 32 else {"extract_lane": narrow["extract_lane_u"]}),
    }


def _float_lanes(
    integers: dict[str, Operation], bits: Callable[[float], int], value: Callable[[int], float]
) -> dict[str, Operation]:
    """The same for lanes of floats, of which all bits are kept."""
    splat, replace, extract = integers["splat"], integers["replace_lane"], integers["extract_lane"]
    return {
        "splat": lambda x: splat(bits(x)),
        "replace_lane": lambda lane, v, x: replace(lane, v, bits(x)),
        "extract_lane": lambda lane, v: value(extract(lane, v)),
    }


def named(shape: str, operations: dict[str, Operation]) -> dict[str, Operation]:
    """The operations under the names they have with that shape."""
    return {f"{shape}_{name}": run for name, run in operations.items()}


def shuffle(lanes: Sequence[int], a: bytes, b: bytes) -> bytes:
    both = a + b
    return bytes([both[lane] for lane in lanes])


def swizzle(v: bytes, lanes: bytes) -> bytes:
    """What is out of range is zero."""
    return lanes.translate(v + bytes(240))


def bitselect(a: bytes, b: bytes, mask: bytes) -> bytes:
    other = _read(b, "little")
    return _bits((_read(a, "little") ^ other) & _read(mask, "little") ^ other)


_INTEGER_LANES = {width: _lanes(shape) for width, shape in SHAPES.items()}

VECTORS: dict[str, Operation] = {
    **{
        name: run
        for width, shape in SHAPES.items()
        for name, run in named(shape.name, _INTEGER_LANES[width]).items()
    },
    **named("f32x4", _float_lanes(_INTEGER_LANES[32], i32_reinterpret_f32, f32_reinterpret_i32)),
    **named("f64x2", _float_lanes(_INTEGER_LANES[64], i64_reinterpret_f64, f64_reinterpret_i64)),
    "i8x16_shuffle": shuffle,
    "i8x16_swizzle": swizzle,
    "v128_not": lambda v: _bits(_read(v, "little") ^ _ONES),
    "v128_and": lambda a, b: _bits(_read(a, "little") & _read(b, "little")),
    "v128_andnot": lambda a, b: _bits(_read(a, "little") & (_read(b, "little") ^ _ONES)),
    "v128_or": lambda a, b: _bits(_read(a, "little") | _read(b, "little")),
    "v128_xor": lambda a, b: _bits(_read(a, "little") ^ _read(b, "little")),
    "v128_bitselect": bitselect,
    "v128_any_true": lambda v: 1 if v != ZERO else 0,
}
