"""Machine code is led back to the instructions that it was made of."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise

import pytest

from simwasm.engines.native import NativeCode, address_map, native
from simwasm.errors import InputError
from simwasm.plugin import Plugin
from simwasm.wasm.decode import instructions
from simwasm.wasm.module import Module

FLAT = struct.pack("<I6I", 3, 0, 4, 9, 0xFFFF_FFFF, 100, 96)
BLOCKS = struct.pack("<II4I", 4, 2, 0, 0, 16, 6) + bytes(
    [1, 4 << 1, 0xE4, 0x00, 5 << 1, 0x7C, 2 << 1, 0xC8, 0x01]
)
"""0: nothing; 4: 100; 9: four less; then a block that begins at 16, 18: 200."""


@pytest.fixture(scope="module")
def plugin(sample: Callable[..., Plugin]) -> Plugin:
    return sample("allow_header_as")


@pytest.fixture(scope="module")
def code(plugin: Plugin) -> NativeCode:
    return native("wasmtime", plugin.wasm)


def own(module: Module) -> range:
    first = len(module.functions)
    return range(len(module.imports), len(module.imports) + first)


def test_the_older_map_is_read() -> None:
    assert address_map(FLAT, 20) == [(0, None), (4, 100), (9, 96)]


def test_the_newer_map_is_read() -> None:
    assert address_map(BLOCKS, 20) == [(0, None), (4, 100), (9, 96), (18, 200)]


@pytest.mark.parametrize(
    "data", [b"", b"\1", FLAT[:-1], BLOCKS[:-1], b"\xff" * 40, struct.pack("<I4I", 2, 9, 4, 1, 1)]
)
def test_a_map_of_no_known_form_is_none(data: bytes) -> None:
    assert address_map(data, 1 << 30) is None


def test_all_machine_code_belongs_to_instructions_of_its_function(plugin: Plugin, code: NativeCode) -> None:
    """Of a whole plugin, every offset is where an instruction of that very function begins."""
    module = plugin.module
    led_back = 0
    for function, body in zip(own(module), module.bodies, strict=True):
        starts = {each.offset for each in instructions(module.data, body.code, body.end)}
        offsets = {line.offset for line in code.lines(function)} - {None}
        assert offsets <= starts
        led_back += len(offsets)
    assert led_back > 3000


def test_machine_code_is_whole(plugin: Plugin, code: NativeCode) -> None:
    """Nothing is left out between two instructions."""
    for function in own(plugin.module):
        lines = list(code.lines(function))
        assert sum(len(line.bytes) for line in lines) <= code.size(function)
        assert all(line.address + len(line.bytes) == after.address for line, after in pairwise(lines))


def test_an_imported_function_has_none(code: NativeCode) -> None:
    assert (code.size(0), list(code.lines(0))) == (0, [])


def test_an_engine_that_makes_none_is_refused(plugin: Plugin) -> None:
    with pytest.raises(InputError, match="known are wasmtime, wasmer"):
        native("python", plugin.wasm)
