"""Where vectors may be loaded from and stored to."""

from __future__ import annotations

import struct

import pytest

from simwasm.engines.transpiler.operations import OPERATIONS
from simwasm.wasm.opcodes import OPCODES, Immediate

V = bytes(range(1, 17))
TOUCHES = {"load8x8": 8, "load16x4": 8, "load32x2": 8, "load8_": 1, "load16_": 2, "load32_": 4, "load64_": 8,
           "store8_": 1, "store16_": 2, "store32_": 4, "store64_": 8, "load": 16, "store": 16}  # fmt: skip
NAMES = [
    row.name.replace(".", "_")
    for row in OPCODES
    if row.immediate in (Immediate.ADDRESS, Immediate.ADDRESS_LANE) and row.name.startswith("v128")
]


def _touch(name: str, memory: bytearray, address: int) -> object:
    lane = (0,) if name.endswith("lane") else ()
    operand = (V,) if "lane" in name or "store" in name else ()
    return OPERATIONS[name](memory, *lane, address, *operand)


@pytest.mark.parametrize("name", NAMES)
def test_the_last_bytes_of_the_memory_can_be_reached_and_no_more(name: str) -> None:
    size = next(size for word, size in TOUCHES.items() if name.startswith(f"v128_{word}"))
    memory = bytearray(64)
    _touch(name, memory, 64 - size)
    before = bytes(memory)
    for address in (64 - size + 1, 64, 2**32, 2**33):
        with pytest.raises(struct.error):
            _touch(name, memory, address)
    assert memory == before
