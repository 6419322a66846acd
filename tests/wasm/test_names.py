"""What functions are called."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwasm.wasm.encode import name, section, u32
from simwasm.wasm.names import function_names, read_names, readable
from simwasm.wasm.reader import read_module

Assemble = Callable[..., bytes]
TEXT = '(module $m (import "env" "log" (func)) (func $a (param $x i32) (local $y i32)) (func (export "b")) (func))'


def test_the_name_section_comes_first(assemble: Assemble) -> None:
    assert function_names(read_module(assemble(TEXT, "--debug-names")))[1] == "a"


def test_without_a_name_imports_and_exports_name_functions(assemble: Assemble) -> None:
    assert function_names(read_module(assemble(TEXT))) == ("log", "func[1]", "b", "func[3]")


def test_modules_and_locals_have_names(assemble: Assemble) -> None:
    names = read_names(read_module(assemble(TEXT, "--debug-names")))
    assert (names.module, names.locals[1]) == ("m", {0: "x", 1: "y"})


def test_a_broken_name_section_keeps_what_came_before(assemble: Assemble) -> None:
    functions = b"\x02\x01" + name("kept") + b"\x02\x7fcut"
    broken = assemble(TEXT) + section(0, name("name") + b"\x01" + u32(len(functions)) + functions)
    assert function_names(read_module(broken)) == ("log", "kept", "b", "func[3]")


@given(st.binary(max_size=60))
def test_any_name_section_loads(content: bytes) -> None:
    wasm = b"\0asm\1\0\0\0" + section(0, name("name") + content)
    assert function_names(read_module(wasm)) == ()


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"),
        ("_ZN4core3ptr27drop_in_place$LT$$RF$u8$GT$17h0123456789abcdefE", "core::ptr::drop_in_place<&u8>"),
        (
            "_ZN41_$LT$T$u20$as$u20$a..b..Into$LT$U$GT$$GT$4into17h0123456789abcdefE",
            "<T as a::b::Into<U>>::into",
        ),
        ("core::ptr::drop_in_place$LT$$RF$u8$GT$::h0123456789abcdef", "core::ptr::drop_in_place<&u8>"),
        ("_$LT$T$u20$as$u20$a..b..Into$GT$::into::h0123456789abcdef", "<T as a::b::Into>::into"),
        ("::h0123456789abcdef", "::h0123456789abcdef"),
        ("_ZN3fooEv", "foo()"),
        ("_RNvC3foo3bar", "foo::bar"),
        ("_ZN99fooE", "_ZN99fooE"),
        ("_RNvC9foo3bar", "_RNvC9foo3bar"),
        ("_Z", "_Z"),
        ("proxy_on_start", "proxy_on_start"),
        ("main.(*context).OnStart", "main.(*context).OnStart"),
        ("malloc", "malloc"),
        ("", ""),
    ],
)
def test_names_of_rust_and_cpp_become_readable_and_others_stay(symbol: str, shown: str) -> None:
    assert readable(symbol) == shown


def test_every_rust_name_of_a_plugin_becomes_readable(plugin: bytes) -> None:
    assert not [text for text in function_names(read_module(plugin)) if "17h" in text]
