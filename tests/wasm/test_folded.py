"""Folded code assembles to the instructions that it was made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import wasmtime

from simwasm.wasm.decode import instructions
from simwasm.wasm.disasm import Line, Listing
from simwasm.wasm.folded import fold
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module

PLUGINS = sorted(Path(__file__).parents[2].glob("samples/*/plugin.wasm"))
_FUNCTION = re.compile(r"^  \(func \(;(\d+);\)(?P<head>[^\n]*)(?P<body>(?:\n    [^\n]*)*)\)$", re.MULTILINE)
_LOCALS = re.compile(r"^\s*\(local[^)]*\)")


def listed(function: str) -> list[Line]:
    return list(fold(Listing(read_module(bytes(wasmtime.wat2wasm(f"(module {function})")))), 0))


def written(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines)


def code(module: Module) -> list[list[tuple[object, ...]]]:
    """All instructions of a module, without their places."""
    return [[each[1:] for each in instructions(module.data, body.code, body.end)] for body in module.bodies]


def test_operands_are_inside_of_their_operator() -> None:
    (line,) = listed("(func (param i32) local.get 0 i32.const 1 i32.add drop)")
    assert line.text == "(drop (i32.add (local.get 0) (i32.const 1)))"


def test_an_expression_too_long_for_a_line_has_one_for_each_operand() -> None:
    lines = listed("(func (param $a_long_name i32) " + "local.get 0 " * 9 + "i32.add " * 8 + "drop)")
    assert len(lines) > 2
    assert all(len(line.text) < 100 for line in lines)


def test_what_a_block_leaves_is_taken_by_an_operator_without_operands() -> None:
    lines = listed("(func (result i32) (i32.add (block (result i32) i32.const 1) (i32.const 2)))")
    assert [line.text for line in lines] == [
        "(block (result i32)", "(i32.const 1))", "(i32.const 2)", "(i32.add)"
    ]  # fmt: skip


def test_the_arms_of_an_if_are_named() -> None:
    lines = listed("(func (param i32) (if (local.get 0) (then nop) (else unreachable)))")
    assert [line.text for line in lines] == [
        "(if (local.get 0)", "(then", "(nop))", "(else", "(unreachable)))"
    ]  # fmt: skip


def test_blocks_nested_without_measure_are_folded() -> None:
    """Python's recursion limit is no limit of the plugin's."""
    lines = listed("(func " + "block " * 5000 + "end " * 5000 + ")")
    assert len(lines) == 5000
    assert lines[-1].text == "(block" + ")" * 5000


def test_expressions_nested_without_measure_are_folded() -> None:
    lines = listed("(func i32.const 1 " + "i32.eqz " * 5000 + "drop)")
    (body,) = code(read_module(bytes(wasmtime.wat2wasm(f"(module (func {written(lines)}))"))))
    assert len(body) == 5003


def test_values_that_nobody_takes_do_not_pile_up() -> None:
    lines = listed("(func " + "i32.const 1 " * 5000 + "drop " * 5000 + ")")
    assert sum("i32.const" in line.text for line in lines) == 5000


@pytest.mark.parametrize("name", ["allow_header", "allow_header_as", "allow_header_c"])
def test_a_plugin_folded_and_assembled_is_the_same_code(name: str, wabt: Callable[..., str]) -> None:
    """The declarations are wasm2wat's, the code is ours."""
    plugin = next(path for path in PLUGINS if path.parent.name == name).read_bytes()
    module = read_module(plugin)
    listing = Listing(module)

    def ours(match: re.Match[str]) -> str:
        function = int(match[1])
        declared = _LOCALS.match(match["body"])
        body = written(fold(listing, function))
        return f"  (func (;{function};){match['head']}{declared[0] if declared else ''}\n{body})"

    source = wabt(plugin, "wasm2wat", "--no-debug-names", "--enable-all")
    assert code(read_module(bytes(wasmtime.wat2wasm(_FUNCTION.sub(ours, source))))) == code(module)
