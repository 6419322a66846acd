"""Valid modules made at random, the same for the same seed, that use all that the engines can do.

A module ends whatever it does: every function and every loop that can be reached by any branch takes from the
global `left` and stops with `unreachable` when there is none; other loops count down a local of their own.
What is compared of it is the same on all engines: a NaN that was computed is made canonical before its bits
can be seen (`random_code.Code.settled`).

Rules that live here: what a module is made of, apart from code; `Shape` tells code what there is to use.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from random_code import Code
from random_shapes import NUMBERS, PAGE, REFERENCES, Global, Shape, Signature, Table, Type


@dataclass(frozen=True)
class Made:
    """A module as text, and which of its exports can be called with numbers.

    `new` says that it uses what old engines lack: tail calls and vectors.
    """

    text: str
    functions: tuple[tuple[str, Signature], ...]
    globals: tuple[str, ...]
    new: bool


HOSTS = (Signature(("i32",), ("i32",)), Signature(("i64", "f64"), ("f32",)), Signature(("f32",), ()))
"""Host functions, imported as `h0`, `h1`, …"""


def made(seed: int) -> Made:
    """The module of that seed."""
    chance = random.Random(seed)
    shape = _shape(chance)
    functions = [_function(shape, chance, index) for index in range(len(HOSTS), len(shape.functions))]
    called = [
        (f"f{index}", signature) for index, signature in enumerate(shape.functions) if signature.is_numeric
    ]
    fields = [*_declared(shape), *_segments(shape, chance), *functions, _look(shape)]
    names = tuple(f"g{index}" for index, given in enumerate(shape.globals) if index and given.type in NUMBERS)
    return Made(
        _module(fields), tuple(called[len(HOSTS) :]), names, shape.tail_calls or "v128" in shape.types
    )


def _module(fields: list[str]) -> str:
    return "(module\n" + "\n".join(fields) + ")"


def _shape(chance: random.Random) -> Shape:
    vectors, tail_calls = chance.random() < 0.4, chance.random() < 0.1
    types: tuple[Type, ...] = (*NUMBERS, *(("v128",) if vectors else ()), *REFERENCES)
    weights = [6, 3, 2, 2, *([6] if vectors else []), 1, 1]

    def some(most: int) -> tuple[Type, ...]:
        return tuple(chance.choices(types, weights, k=chance.randint(0, most)))

    signatures = [Signature(some(4), some(3)) for _ in range(chance.randint(1, 4))]
    functions = [
        chance.choice((*signatures, Signature(("i32", "i32"), ("i32",)))) for _ in range(chance.randint(2, 6))
    ]
    globals = [Global("i32", True), *(Global(type, chance.random() < 0.8) for type in types * 2)]
    tables = (Table("funcref", 8, 10), Table("funcref", chance.randint(0, 5), 6), Table("externref", 3, 5))
    entries = tuple(chance.choices(range(len(HOSTS) + len(functions)), k=7))
    return Shape((*HOSTS, *functions), len(HOSTS), tuple(globals), tables, types, entries, tail_calls)


def _declared(shape: Shape) -> list[str]:
    imports = [f'(import "env" "h{index}" (func {signature.text}))' for index, signature in enumerate(HOSTS)]
    globals = [
        f'(global (export "{"left" if not index else f"g{index}"}") {given.text} ({given.zero}))'
        for index, given in enumerate(shape.globals)
    ]
    tables = [f"(table {table.size} {table.most} {table.type})" for table in shape.tables]
    return [*imports, '(memory (export "memory") 1 3)', *tables, *globals]


def _segments(shape: Shape, chance: random.Random) -> list[str]:
    def functions(count: int) -> str:
        return " ".join(str(chance.randrange(len(shape.functions))) for _ in range(count))

    def data(size: int) -> str:
        return '"' + "".join(f"\\{byte:02x}" for byte in chance.randbytes(size)) + '"'

    return [
        f"(elem (i32.const 0) func {' '.join(map(str, shape.entries))})",
        f"(elem func {functions(4)})",
        f"(elem declare func {' '.join(map(str, range(len(shape.functions))))})",
        f"(elem funcref (ref.null func) (ref.func {shape.first_own}))",
        f"(data (i32.const {chance.randrange(64)}) {data(300)})",
        f"(data {data(40)})",
        f"(data (i32.const {PAGE - 100}) {data(100)})",
        "(data)",
    ]


def _function(shape: Shape, chance: random.Random, index: int) -> str:
    signature = shape.functions[index]
    exported = f' (export "f{index}")' if signature.is_numeric else ""
    code = Code(shape, chance, index)
    body = code.body()
    locals = " ".join(f"(local {type})" for type in code.locals[len(signature.params) :])
    return f"(func{exported} {signature.text} {locals}\n{body})"


def _look(shape: Shape) -> str:
    """A function that writes to memory what cannot be seen from outside."""
    told = [
        f"(v128.store (i32.const {at * 16}) (global.get {at}))"
        for at, given in enumerate(shape.globals)
        if given.type == "v128"
    ]
    told += [
        f"(i32.store8 (i32.const {512 + at}) (ref.is_null (global.get {at})))"
        for at, given in enumerate(shape.globals)
        if given.type in REFERENCES
    ]
    for at, table in enumerate(shape.tables):
        told.append(f"(i32.store8 (i32.const {600 + 64 * at}) (table.size {at}))")
        told += [
            f"(if (i32.gt_u (table.size {at}) (i32.const {entry})) (then "
            f"(i32.store8 (i32.const {601 + 64 * at + entry}) (ref.is_null (table.get {at} (i32.const {entry}))))))"
            for entry in range(table.most)
        ]
    return f'(func (export "look") {" ".join(told)})'
