"""Debug information that is broken, or made to break whoever reads it: it ends soon, and is no error."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from debugged import read

from simwasm.wasm.debuginfo import inspect_debug_info
from simwasm.wasm.dwarf.expression import Context, Held, Memory, evaluate
from simwasm.wasm.dwarf.sections import PROBLEMS
from simwasm.wasm.dwarf.state import State, Unknown
from simwasm.wasm.encode import name, section, u32
from simwasm.wasm.lines import Lines
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module

EMPTY = bytes.fromhex("0061736d 01000000 01040160 0000 03020100 0a040102 000b")
"""A module with one function of no instructions but its end, at address 2."""
BODY = read_module(EMPTY).bodies[0]
STATE = State(
    [66_000, 5, 2.5, b"x" * 16, None],
    [1, 2.5],
    lambda at, size: bytes(min(size, 1 << 16)),
    lambda index: 66_000,
)
UNIT, FUNCTION, VARIABLE, TYPE, BLOCK, ARRAY, RANGE = 1, 2, 3, 4, 5, 6, 7
ABBREVIATIONS = bytes.fromhex(
    "01 11 01  11 01  12 06  10 17  00 00"  # a unit: from, how far, its lines
    "02 2e 01  11 01  12 06  00 00"  # a function
    "03 34 00  03 08  49 13  02 18  00 00"  # a variable: name, type, place
    "04 26 00  49 13  00 00"  # const of a type
    "05 0b 01  11 01  12 06  00 00"  # a block
    "06 01 01  49 13  00 00"  # an array
    "07 21 00  37 0f  00 00"  # how many
    "08 13 01  03 08  0b 0f  00 00"  # a structure: name, size
    "09 0d 00  03 08  49 13  38 0f  00 00"  # a member
    "00"
)
HEAD = 11
ADDRESS = (2).to_bytes(4, "little") + (2).to_bytes(4, "little")


def module(entries: bytes, lines: bytes = b"", abbreviations: bytes = ABBREVIATIONS) -> Module:
    """The module with these entries in a unit of DWARF 4."""
    content = b"\x04\x00" + bytes(4) + b"\x04" + bytes([UNIT]) + ADDRESS + bytes(4) + entries
    info = len(content).to_bytes(4, "little") + content
    sections = {".debug_info": info, ".debug_abbrev": abbreviations, ".debug_line": lines}
    return read_module(EMPTY + b"".join(section(0, name(key) + value) for key, value in sections.items()))


def function(entries: bytes) -> bytes:
    return bytes([FUNCTION]) + ADDRESS + entries + b"\x00\x00"


def variable(kind: int, place: bytes = b"\x03\x00\x00\x00\x00") -> bytes:
    return bytes([VARIABLE]) + b"v\x00" + kind.to_bytes(4, "little") + u32(len(place)) + place


@contextmanager
def soon(seconds: float = 8) -> Iterator[None]:
    """What does not end for hours has to end at once; a slow machine takes its time."""
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds


def look(found: Module) -> list[str]:
    """Ask everything, and return the values."""
    lines = Lines(found)
    values = []
    for body in found.bodies[:8]:
        for offset in (body.code, (body.code + body.end) // 2):
            lines.at(offset)
            for each in lines.variables.at(offset).variables:
                value = each.value(STATE)
                assert value.text or value.reason
                assert len(value.text) < 100_000
                values.append(value.text or value.reason)
    inspect_debug_info(found)
    return values


START = HEAD + 1 + 8 + 4 + 1 + 8
"""Where the first entry of a function is."""


def test_the_smallest_debug_information_is_read() -> None:
    """Which shows that what follows is broken where it should be."""
    base = bytes([8]) + b"pair\x00\x08\x00"
    assert look(module(function(variable(START) + base))) == ["{…}"] or look(module(function(base))) == []


def test_a_type_that_is_itself_ends() -> None:
    circle = bytes([TYPE]) + START.to_bytes(4, "little")
    with soon():
        values = look(module(function(circle + variable(START))))
    assert values and all("does not tell" in value for value in values)


def test_a_structure_that_has_itself_ends() -> None:
    circle = (
        bytes([8])
        + b"s\x00\x08"
        + b"".join(b"\x09m\x00" + START.to_bytes(4, "little") + b"\x00" for _ in range(50))
        + b"\x00"
    )
    with soon():
        values = look(module(function(circle + variable(START))))
    assert values and all(value.startswith("{m: {m: ") for value in values)


def test_an_array_of_arrays_of_billions_ends() -> None:
    size = b"\x07\xff\xff\xff\xff\x07"
    array = bytes([ARRAY]) + START.to_bytes(4, "little") + size * 500 + b"\x00"
    with soon():
        assert look(module(function(array + variable(START))))


def test_a_number_of_a_million_bytes_is_given_up() -> None:
    with soon():
        look(module(function(b"\xff" * 1_000_000)))
        look(module(b"", abbreviations=b"\xff" * 1_000_000))


def test_a_million_entries_are_given_up() -> None:
    with soon(20):
        look(module(function(variable(START) * 12_000)))
        look(module((bytes([BLOCK]) + ADDRESS) * 12_000))


def test_a_million_files_of_no_size_are_not_made() -> None:
    """A head of DWARF 5 that announces four thousand million folders, each of no bytes."""
    for entry in (b"\x00", b"\x01\x01\x19"):
        head = b"\x05\x00\x04\x00" + (60).to_bytes(4, "little") + b"\x01\x01\x01\xfb\x0e\x0d" + bytes(12)
        lines = head + entry + b"\xff\xff\xff\xff\x0f" + bytes(60)
        with soon():
            look(module(b"", len(lines).to_bytes(4, "little") + lines))


def test_a_program_of_millions_of_lines_is_given_up() -> None:
    head = (
        b"\x04\x00"
        + (20).to_bytes(4, "little")
        + b"\x01\x01\x01\xfb\x0e\x0d"
        + bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1])
    )
    lines = head + b"\x00a\x00\x00\x00\x00\x00" + b"\x00\x05\x02\x02\x00\x00\x00" + b"\x20" * 600_000
    with soon(20):
        look(module(b"", len(lines).to_bytes(4, "little") + lines))


@pytest.mark.parametrize(
    "expression",
    [
        b"\x2f\xfd\xff", b"\x12", b"\x22", b"\x96" * 5000, b"\x30" * 5000, b"\x06", b"\x31\x30\x1b", b"\xed\x09\x00",
        b"\xed", b"\x9e\xff\x7f", b"\x93\x04", b"\x91\x00", b"\xa1\x00", b"\xff", b"", b"\x9f", b"\x15\x09", b"\x17",
        b"\xed\x00\x63\x9f", b"\xed\x02\x63\x9f", b"\xed\x00\x02\x22", b"\x3f\x94\x20", b"\x31\x08\xff\x24\x08\xff\x24",
    ],
)  # fmt: skip
def test_a_broken_expression_ends_with_a_reason(expression: bytes) -> None:
    try:
        place = evaluate(expression, Context(STATE))
    except PROBLEMS as error:
        assert str(error)
    else:
        assert isinstance(place, (Memory, Held)) or place.parts == ((4, None),)


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("03 10000000", Memory(16)),
        ("08 ff 9f", Held(255)),
        ("09 ff 9f", Held((1 << 64) - 1)),
        ("35 33 1c 9f", Held(2)),
        ("35 33 1b 9f", Held(1)),
        ("33 1f 35 1b 9f", Held(0)),
        ("35 33 1d 9f", Held(2)),
        ("31 34 24 9f", Held(16)),
        ("31 1f 34 26 9f", Held((1 << 64) - 1)),
        ("31 32 16 1c 9f", Held(1)),
        ("31 32 33 17 1c 9f", Held((1 << 64) - 1)),
        ("31 23 07", Memory(8)),
        ("31 28 0200 32 9f 33 9f", Held(3)),
        ("30 28 0100 96 32 9f", Held(2)),
        ("ed 00 01 9f", Held(5)),
        ("ed 02 01 9f", Held(2.5)),
        ("ed 03 00000000 23 04", Memory(66_004)),
        ("9e 03 616263", Held(b"abc")),
    ],
)
def test_operations_compute_what_dwarf_says(expression: str, place: Memory | Held) -> None:
    assert evaluate(bytes.fromhex(expression), Context(STATE)) == place


def test_what_is_not_known_is_said_to_be_so() -> None:
    for expression, why in (
        (b"\xed\x00\x00\x9f", "locals"),
        (b"\xed\x02\x00\x9f", "operand"),
        (b"\xed\x01\x00", "global"),
        (b"\x30\x06", "memory"),
    ):
        with pytest.raises(Unknown, match=why):
            evaluate(expression, Context(State()))


def test_changed_debug_information_is_no_error() -> None:
    chance = random.Random(11)
    originals = [read(f"{each}.wasm") for each in ("shapes.dwarf4.O2", "shapes.dwarf5.O0", "texts.dwarf5.O2")]
    with soon(60):
        for _ in range(50):
            original = chance.choice(originals)
            data = bytearray(original.data)
            parts = [each for each in original.sections if each.name.startswith(".debug")]
            for _ in range(chance.choice((1, 3, 20))):
                part = chance.choice(parts)
                data[chance.randrange(part.start, part.end)] = chance.choice(
                    (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
                )
            look(read_module(bytes(data)))
