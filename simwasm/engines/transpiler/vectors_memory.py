"""Loads and stores of vectors.

Rules that live here: the memory, a bytearray, comes first, then the lane if there is one, then the operands, the
address with its offset added; what is out of bounds is a `struct.error`, and nothing is written then.
"""

from __future__ import annotations

from struct import Struct

from simwasm.engines.transpiler.integers import Operation
from simwasm.engines.transpiler.vectors import SHAPES

_WHOLE = Struct("16s")
_PIECES = {width: Struct(f"{width // 8}s") for width in SHAPES}


def load(m: bytearray, address: int) -> bytes:
    return _WHOLE.unpack_from(m, address)[0]  # type: ignore[no-any-return]


def _extending(width: int) -> dict[str, Operation]:
    """Eight bytes of lanes, each made twice as wide."""
    narrow, wide = SHAPES[width], SHAPES[width * 2]
    name, code = f"v128_load{width}x{64 // width}", narrow.signed.format[-1]
    signed, unsigned = (Struct(f"<{64 // width}{letter}").unpack_from for letter in (code, code.upper()))
    return {
        f"{name}_s": lambda m, address: wide.signed.pack(*signed(m, address)),
        f"{name}_u": lambda m, address: wide.unsigned.pack(*unsigned(m, address)),
    }


def _one(width: int) -> dict[str, Operation]:
    """One lane: into all of them, into the lowest and zero beyond, or into one of a vector."""
    piece, size = _PIECES[width], width // 8
    read, rest = piece.unpack_from, bytes(16 - size)

    def load_lane(m: bytearray, lane: int, address: int, v: bytes) -> bytes:
        loaded: bytes = read(m, address)[0]
        return v[: lane * size] + loaded + v[lane * size + size :]

    return {
        f"v128_load{width}_splat": lambda m, address: read(m, address)[0] * (16 // size),
        f"v128_load{width}_zero": lambda m, address: read(m, address)[0] + rest,
        f"v128_load{width}_lane": load_lane,
        f"v128_store{width}_lane": lambda m, lane, address, v: piece.pack_into(
            m, address, v[lane * size : lane * size + size]
        ),
    }


MEMORY_VECTORS: dict[str, Operation] = {
    "v128_load": load,
    "v128_store": _WHOLE.pack_into,
    **{name: run for width in (8, 16, 32) for name, run in _extending(width).items()},
    **{name: run for width in SHAPES for name, run in _one(width).items()},
}
