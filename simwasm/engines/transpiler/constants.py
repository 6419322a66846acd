"""Constant expressions: what globals begin with, where segments go, what is in an element.

Rules that live here: integers are unsigned, as in generated code; what an expression may refer to has been validated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import add, mul, sub
from typing import Any, Protocol

from simwasm.engines.transpiler.floats import f32_reinterpret_i32, f64_reinterpret_i64
from simwasm.wasm.decode import decode, split
from simwasm.wasm.module import Module, Span

_MASK_32, _MASK_64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF


class Known(Protocol):
    """What an expression may refer to."""

    def value(self, index: int) -> object:
        """What a global is now."""
        ...

    def function(self, index: int) -> object:
        """A reference to a function."""
        ...


_MAKE: dict[str, Callable[[int], object]] = {
    "i32.const": lambda value: value & _MASK_32,
    "i64.const": lambda value: value & _MASK_64,
    "f32.const": f32_reinterpret_i32,
    "f64.const": f64_reinterpret_i64,
    "v128.const": lambda bits: bits.to_bytes(16, "little"),
    "ref.null": lambda _: None,
}
_COMPUTE: dict[str, tuple[Callable[[int, int], int], int]] = {
    f"i{size}.{word}": (operation, mask)
    for size, mask in ((32, _MASK_32), (64, _MASK_64))
    for word, operation in (("add", add), ("sub", sub), ("mul", mul))
}


_ONE = re.compile(
    rb"[\x41\x42\x23\xd2][\x80-\xff]*[\x00-\x7f]|\xd0.|\x43.{4}|\x44.{8}|\xfd\x0c.{16}", re.DOTALL
)
"""One instruction, as nearly all expressions are; telling those apart that are more takes a while to prepare."""


_I32 = re.compile(rb"\x41[\x80-\xff]*[\x00-\x7f]\x0b")


def constant(data: bytes, span: Span) -> int | None:
    """The value of an expression that is an i32 and refers to nothing; None for another one."""
    if _I32.fullmatch(data, span.start, span.end) is None:
        return None
    value: int = decode(data[span.start : span.end - 1])[1][0]
    return value & _MASK_32


def evaluate(module: Module, span: Span, known: Known) -> Any:
    """The value of an expression."""
    stack: list[Any] = []
    whole = module.data[span.start : span.end - 1]
    for piece in [whole] if _ONE.fullmatch(whole) else split(whole, 0, len(whole)):
        opcode, immediates = decode(piece)
        if opcode.name in _MAKE:
            stack.append(_MAKE[opcode.name](immediates[0]))
        elif opcode.name in _COMPUTE:
            operation, mask = _COMPUTE[opcode.name]
            right = stack.pop()
            stack.append(operation(stack.pop(), right) & mask)
        elif opcode.name == "global.get":
            stack.append(known.value(immediates[0]))
        else:
            stack.append(known.function(immediates[0]))
    return stack.pop()
