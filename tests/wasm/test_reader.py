"""Files that are modules, files that are not, and files that are broken."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwasm.errors import BadModule, PluginError
from simwasm.wasm.encode import name, section, u32, vector
from simwasm.wasm.inspect import inspect
from simwasm.wasm.module import Bounds, FuncType, GlobalType, MemoryType, Mode, Span, TableType, ValType
from simwasm.wasm.reader import SECTIONS, read_module
from simwasm.wasm.rewrite import rewrite

Assemble = Callable[..., bytes]
HEADER = b"\0asm\1\0\0\0"


def survives(data: bytes) -> None:
    """Reading, rewriting and inspecting end well or in a PluginError."""
    try:
        rewrite(read_module(data))
        inspect(data)
    except PluginError:
        pass


def tar_of(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("plugin.wasm")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty; did the build succeed"),
        (gzip.compress(b"x", mtime=0), "gzip file; unpack it"),
        (b"\x7fELF\x02\x01\x01\0", "native (ELF) binary; build for a wasm32 target"),
        (b"PK\x03\x04...", "zip file"),
        (tar_of(b"\0asm"), "tar file; the .wasm file .* is inside"),
        (b"<!DOCTYPE html><html>", "web page; the download probably failed"),
        (b"\n <html>", "web page"),
        (b"(module)", "text format; convert it with wat2wasm"),
        (
            b"version https://git-lfs",
            r"it is text \(starts with 'version https://git-'\); is this the .wasm file",
        ),
        (b"\x01\x02\x03\x04\x05", "starts with 01 02 03 04; is this the .wasm file your build produced"),
        (b"\0asm\x0d\0\1\0", r"WebAssembly component \(version 0x1000d\).*wasm32-wasip1"),
        (b"\0asm\2\0\0\0", "Wasm version 2; only version 1"),
        (b"\0asm\1", "cut short"),
    ],
)
def test_a_file_that_is_no_module_is_told_what_it_is(data: bytes, told: str) -> None:
    with pytest.raises(BadModule, match=told.replace("(ELF)", r"\(ELF\)")):
        read_module(data)


def test_a_header_alone_is_a_module() -> None:
    assert read_module(HEADER).sections == ()


def test_a_plugin_cut_short_anywhere_is_a_module_or_refused(small_plugin: bytes) -> None:
    for size in range(len(small_plugin)):
        survives(small_plugin[:size])


@pytest.mark.parametrize("flip", [0xFF, 0x01])
def test_a_plugin_with_any_byte_changed_is_a_module_or_refused(small_plugin: bytes, flip: int) -> None:
    for at in range(len(small_plugin)):
        survives(small_plugin[:at] + bytes((small_plugin[at] ^ flip,)) + small_plugin[at + 1 :])


@given(st.binary(max_size=200))
def test_any_bytes_after_the_header_are_a_module_or_refused(data: bytes) -> None:
    survives(HEADER + data)


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]), st.binary(max_size=40)))
)
def test_any_bytes_in_sections_are_a_module_or_refused(contents: list[tuple[int, bytes]]) -> None:
    survives(HEADER + b"".join(section(number, content) for number, content in contents))


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7, 9, 10, 11])
def test_a_huge_count_is_refused_before_memory_is_taken(number: int) -> None:
    data = HEADER + section(number, b"\xff\xff\xff\xff\x0f")
    tracemalloc.start()
    with pytest.raises(BadModule, match="4294967295 items announced, more than the bytes left can hold"):
        read_module(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_ten_times_as_many_functions_take_no_hundred_times_as_long() -> None:
    few, many = _processor_time(4_000), _processor_time(40_000)
    assert many < 40 * few


def _processor_time(count: int) -> float:
    """What reading and rewriting so many functions takes, whatever else the machine does."""
    bodies = u32(count) + b"\x02\x00\x0b" * count
    data = (
        HEADER
        + section(1, b"\x01\x60\x00\x00")
        + section(3, u32(count) + b"\0" * count)
        + section(10, bodies)
    )
    began = time.process_time()
    rewrite(read_module(data))
    return time.process_time() - began


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        (
            [(3, b"\0"), (1, b"\0")],
            "unexpected content after last section: repeated or out of order in the type section at offset 0xb",
        ),
        ([(1, b"\0"), (1, b"\0")], "repeated"),
        ([(14, b"\0")], "malformed section id 14 at offset 0x8"),
        ([(13, b"\0")], "exception handling is not supported"),
        (
            [(1, b"\1\x5f\0")],
            "malformed function type 0x5f: it belongs to garbage collection, which is not supported",
        ),
        ([(1, b"\1\x60\1\x42\0")], "malformed value type 0x42 in the type section at offset 0xd"),
        ([(2, b"\1\0\0\0\0")], "unknown type 0: there are none in the import section"),
        ([(2, b"\1\1\xff\0\0\0")], "malformed UTF-8 encoding of a name"),
        (
            [(2, b"\1\0\0\4\0")],
            "malformed import kind 0x04: a tag, which belongs to exception handling",
        ),
        ([(3, b"\1\0")], "unknown type 0: there are none in the function section"),
        (
            [(1, b"\1\x60\0\0"), (3, b"\1\0")],
            "inconsistent lengths: 1 functions are declared and 0 have code",
        ),
        ([(4, b"\1\x7f\0\0")], "malformed reference type: i32"),
        ([(5, b"\1\3\0\1")], "a shared memory is not supported"),
        ([(5, b"\1\4\0")], "a 64-bit memory is not supported"),
        ([(5, b"\2\0\0\0\0")], "multiple memories"),
        ([(6, b"\1\x7f\2\x41\0\x0b")], "malformed mutability 0x02"),
        ([(6, b"\1\x7f\0\x10\0\x0b")], "constant expression required, not call"),
        ([(7, b"\1\1m\2\0")], "unknown memory 0, exported as 'm'"),
        ([(8, b"\0")], "unknown function 0: there are none in the start section"),
        ([(9, b"\1\x09")], "unknown kind 9 of element segment"),
        ([(9, b"\1\1\0\1\0")], "unknown function 0: there are none in the element section"),
        ([(11, b"\1\3")], "unknown kind 3 of data segment"),
        ([(11, b"\1\1\x05ab")], "segment of 5 bytes"),
        ([(1, b"\0\0")], "1 bytes too many in the type section"),
        ([(1, b"\x80\x80\x80\x80\x10")], "integer too large"),
    ],
)
def test_a_broken_section_is_named_with_the_offset(contents: list[tuple[int, bytes]], told: str) -> None:
    data = HEADER + b"".join(section(number, content) for number, content in contents)
    with pytest.raises(BadModule, match=told):
        read_module(data)


def test_imports_have_their_types(assemble: Assemble) -> None:
    module = read_module(
        assemble(
            '(module (import "env" "f" (func (param i32 i64) (result f64))) (import "env" "t" (table 1 externref))'
            '(import "env" "m" (memory 2 3)) (import "env" "g" (global (mut i64))))'
        )
    )
    assert [item.type for item in module.imports] == [
        FuncType((ValType.I32, ValType.I64), (ValType.F64,)),
        TableType(ValType.EXTERNREF, Bounds(1, None)),
        MemoryType(Bounds(2, 3)),
        GlobalType(ValType.I64, True),
    ]


ELEMENTS = """(module (table $t 9 funcref) (table $u 9 funcref) (func $f) (func $g)
  (elem (table $t) (i32.const 1) func $f $g) (elem (table $u) (i32.const 2) func $g) (elem func $f)
  (elem declare func $g) (elem (table $u) (i32.const 0) funcref (ref.null func) (ref.func $g))
  (elem externref (ref.null extern)))"""


def test_every_kind_of_element_segment_is_read(assemble: Assemble) -> None:
    module = read_module(assemble(ELEMENTS))
    found = [(item.mode, item.table, item.type, len(item.items)) for item in module.elements]
    assert found == [
        (Mode.ACTIVE, 0, ValType.FUNCREF, 2),
        (Mode.ACTIVE, 1, ValType.FUNCREF, 1),
        (Mode.PASSIVE, 0, ValType.FUNCREF, 1),
        (Mode.DECLARATIVE, 0, ValType.FUNCREF, 1),
        (Mode.ACTIVE, 1, ValType.FUNCREF, 2),
        (Mode.PASSIVE, 0, ValType.EXTERNREF, 1),
    ]


def test_every_kind_of_data_segment_is_read(assemble: Assemble) -> None:
    module = read_module(assemble('(module (memory 1) (data (i32.const 7) "active") (data "passive"))'))
    found = [(item.mode, module.data[item.span.start : item.span.end]) for item in module.segments]
    assert found == [(Mode.ACTIVE, b"active"), (Mode.PASSIVE, b"passive")]


def test_locals_are_runs_of_one_type(assemble: Assemble) -> None:
    module = read_module(assemble("(module (func (param i32) (local i64 i64 i64 f32)))"))
    assert module.bodies[0].locals == ((3, ValType.I64), (1, ValType.F32))


def test_custom_sections_keep_name_and_place() -> None:
    module = read_module(HEADER + section(0, name("note") + b"hello"))
    (span,) = module.customs("note")
    assert module.data[span.start : span.end] == b"hello" and span == Span(15, 20)


def test_constant_expressions_may_compute() -> None:
    """Extended constant expressions: an address as the sum of a global and a number."""
    sum_ = b"\x23\x00\x41\x08\x6a\x0b"
    data = (
        HEADER
        + section(2, vector([name("e") + name("g") + b"\x03\x7f\x00"]))
        + section(6, b"\1\x7f\0" + sum_)
    )
    assert read_module(data).globals[0].init.size == len(sum_)


def test_functions_know_their_type(small_plugin: bytes) -> None:
    module = read_module(small_plugin)
    (export,) = (item for item in module.exports if item.name == "proxy_on_request_headers")
    two = (ValType.I32, ValType.I32)
    assert module.function_type(export.index) == FuncType(two, (ValType.I32,))


def test_sections_are_where_wasm_objdump_finds_them(plugin: bytes, wabt: Callable[..., str]) -> None:
    printed = re.findall(r"start=0x([0-9a-f]+) end=0x([0-9a-f]+)", wabt(plugin, "wasm-objdump", "-h"))
    named = [section.end for section in read_module(plugin).sections]
    assert [int(end, 16) for _, end in printed] == named


def test_exports_are_those_wasm_objdump_finds(plugin: bytes, wabt: Callable[..., str]) -> None:
    printed = wabt(plugin, "wasm-objdump", "-x", "-j", "Export")
    found = re.findall(r" - (?:func|table|memory|global)\[(\d+)\].* -> \"(.*)\"", printed)
    assert [(int(index), label) for index, label in found] == [
        (e.index, e.name) for e in read_module(plugin).exports
    ]


def test_sections_have_names_in_errors() -> None:
    assert SECTIONS[10] == "code"
