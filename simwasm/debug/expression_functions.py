"""The functions of expressions, and how a value is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import IntEnum
from struct import Struct
from typing import Any, NamedTuple

from simwasm.debug.expression_scope import HeaderParts, MemoryParts, Parts
from simwasm.errors import ExpressionError
from simwasm.exchange import to_bytes, to_text
from simwasm.trace.text import value_text

_DIGITS = 300
"""How long a number in JSON may be; Python takes long to read more."""


class Function(NamedTuple):
    """A function: the memory comes first, then what it is given."""

    usage: str
    run: Callable[..., Any]
    fewest: int = 1
    most: int = 1


def _number(format: str) -> Callable[[MemoryParts, Any], int | float]:
    struct = Struct(f"<{format}")

    def read(memory: MemoryParts, at: Any) -> int | float:
        found: int | float = struct.unpack(memory.read(at, struct.size))[0]
        return found

    return read


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return to_bytes(value)
    if isinstance(value, bytes):
        return value
    raise ExpressionError("text or bytes are needed here")


def _len(memory: MemoryParts, value: Any) -> int:
    return value.size() if isinstance(value, MemoryParts) else len(value)


def _hex(memory: MemoryParts, value: Any) -> str:
    return hex(value) if isinstance(value, int) else _bytes(value).hex(" ")


def _json(memory: MemoryParts, value: Any) -> Any:
    try:
        return json.loads(_bytes(value), parse_int=_json_number)
    except ValueError as error:
        raise ExpressionError(f"this is not JSON: {error}") from None


def _json_number(text: str) -> int:
    if len(text) > _DIGITS:
        raise ExpressionError(f"a number of {len(text):,} digits is too large")
    return int(text)


def _int(memory: MemoryParts, value: Any) -> int:
    if isinstance(value, (str, bytes)) and len(value) > _DIGITS:
        raise ExpressionError(f"a number of {len(value):,} digits is too large")
    return int(value)


def _str(memory: MemoryParts, value: Any) -> str:
    return to_text(value) if isinstance(value, bytes) else value if isinstance(value, str) else shown(value)


FUNCTIONS: dict[str, Function] = {
    "u8": Function("u8(address)", _number("B")),
    "u16": Function("u16(address)", _number("H")),
    "u32": Function("u32(address)", _number("I")),
    "u64": Function("u64(address)", _number("Q")),
    "i32": Function("i32(address)", _number("i")),
    "i64": Function("i64(address)", _number("q")),
    "f32": Function("f32(address)", _number("f")),
    "f64": Function("f64(address)", _number("d")),
    "text": Function(
        "text(address, size)", lambda memory, at, size: to_text(memory.read(at, size)), fewest=2, most=2
    ),
    "string": Function(
        "string(address): up to the next NUL", lambda memory, at: to_text(memory.until_nul(at))
    ),
    "find": Function(
        'find("text") or find("text", start)',
        lambda memory, wanted, start=0: memory.find(_bytes(wanted), start),
        most=2,
    ),
    "len": Function("len(value)", _len),
    "hex": Function("hex(value)", _hex),
    "json": Function("json(text)", _json),
    "int": Function("int(text)", _int),
    "str": Function("str(value)", _str),
    "lower": Function("lower(text)", lambda memory, value: _str(memory, value).lower()),
}


def shown(value: Any) -> str:
    """A value on one line."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, IntEnum):
        return f"{value.name} ({int(value)})"
    if isinstance(value, int):
        return f"{value} (0x{value:x})" if abs(value) > 9 else str(value)
    if isinstance(value, bytes):
        return f"{value_text(value)} ({len(value):,} bytes)"
    if isinstance(value, HeaderParts):
        return value_text(value.entries)
    if isinstance(value, Parts):
        return f"{value.name}: {', '.join(value_text(name)[1:-1] for name in list(value.parts)[:40]) or 'nothing'}"
    if isinstance(value, MemoryParts):
        return f"memory of {value.size():,} bytes"
    if isinstance(value, (dict, list)):
        return value_text(json.dumps(value, ensure_ascii=False), 400)[1:-1].replace('\\"', '"')
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown, value[:40])) + (", …" if len(value) > 40 else "") + ")"
    return value_text(value)
