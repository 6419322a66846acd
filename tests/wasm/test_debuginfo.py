"""Whether DWARF can be believed: a unit with one function each time, at an address that is true or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simwasm.wasm.debuginfo import inspect_debug_info
from simwasm.wasm.encode import name, section
from simwasm.wasm.reader import read_module

Assemble = Callable[..., bytes]

# Two kinds of entries: a compile unit with children, and a subprogram with an address (DW_AT_low_pc).
ABBREVIATIONS = bytes.fromhex("01 11 01 00 00  02 2e 00 11 01 00 00  00")


def with_dwarf(wasm: bytes, *addresses: int) -> bytes:
    """Append DWARF 4 that says functions begin at these addresses."""
    entries = b"\x01" + b"".join(b"\x02" + address.to_bytes(4, "little") for address in addresses) + b"\x00"
    header = b"\x04\x00" + bytes(4) + b"\x04"
    info = (len(header) + len(entries)).to_bytes(4, "little") + header + entries
    debug_info = section(0, name(".debug_info") + info)
    return wasm + debug_info + section(0, name(".debug_abbrev") + ABBREVIATIONS)


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        ((2,), "DWARF ok"),
        ((2, 0xFFFFFFFF, 0xFFFFFFFE), "DWARF ok"),
        ((3,), "DWARF stale"),
        ((0,), "DWARF without addresses"),
        ((), "DWARF without addresses"),
    ],
)
def test_dwarf_is_believed_if_functions_begin_where_it_says(
    assemble: Assemble, addresses: tuple[int, ...], told: str
) -> None:
    """Addresses count from the contents of the code section: one byte of count, one of size, then the body."""
    module = read_module(with_dwarf(assemble("(module (func))"), *addresses))
    assert inspect_debug_info(module).kind.value.startswith(told)


def test_how_many_functions_match_is_counted_without_dead_ones(assemble: Assemble) -> None:
    found = inspect_debug_info(read_module(with_dwarf(assemble("(module (func))"), 2, 7, 0xFFFFFFFF)))
    assert (found.matching, found.sampled) == (1, 2)


def test_dwarf_that_cannot_be_read_is_a_finding(assemble: Assemble) -> None:
    wasm = assemble("(module (func))") + section(0, name(".debug_info") + b"\xff\x00\x00\x00\x04\x00garbage")
    assert inspect_debug_info(read_module(wasm)).kind.value == "DWARF that cannot be read"
