"""Operations on lanes of a byte that a table does: searches in texts are made of them.

i8x16.eq          both xor'ed, and all bits where that is zero
i8x16.bitmask     a digit for each lane, read as a number
"""

from __future__ import annotations

from simwasm.engines.transpiler.integers import Operation

_NUMBERS = range(256)
_EQUAL = bytes(0 if x else 0xFF for x in _NUMBERS)
_UNEQUAL = bytes(0xFF if x else 0 for x in _NUMBERS)
_SIGN = bytes(ord("1") if x & 0x80 else ord("0") for x in _NUMBERS)
_SIZE = bytes(256 - x if x & 0x80 else x for x in _NUMBERS)
_BITS = bytes(x.bit_count() for x in _NUMBERS)

_read = int.from_bytes


BYTE_VECTORS: dict[str, Operation] = {
    "i8x16_splat": lambda x: bytes((x & 0xFF,)) * 16,
    "i8x16_eq": lambda a, b: (
        (_read(a, "little") ^ _read(b, "little")).to_bytes(16, "little").translate(_EQUAL)
    ),
    "i8x16_ne": lambda a, b: (
        (_read(a, "little") ^ _read(b, "little")).to_bytes(16, "little").translate(_UNEQUAL)
    ),
    "i8x16_bitmask": lambda v: int(v.translate(_SIGN)[::-1], 2),
    "i8x16_all_true": lambda v: 0 if 0 in v else 1,
    "i8x16_extract_lane_u": lambda lane, v: v[lane],
    "i8x16_abs": lambda v: v.translate(_SIZE),
    "i8x16_popcnt": lambda v: v.translate(_BITS),
}
"""They replace those that serve all shapes."""
