"""Values as a person types them: text as it is, `7` or `0x2f40`, `true`, names of numbers.

Header pairs are `name: value | other: value`; bytes that are no text are `0x` and hex digits. Rule: what `typed` gives
is read by `read_value` as the same value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simwasm.abi.kinds import Form, Param
from simwasm.errors import InputError
from simwasm.exchange import to_bytes
from simwasm.trace.text import value_text

_NUMBERS = {Form.U32: (0, 32), Form.I32: (1, 32), Form.U64: (0, 64), Form.I64: (1, 64)}
"""Whether a form has a sign, and its bits."""


def typed(value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
        return (
            text if text.encode() == value and text.isprintable() and text[:2] != "0x" else "0x" + value.hex()
        )
    if isinstance(value, tuple):
        return (
            " | ".join(f"{name}: {text}" for name, text in value)
            if _are_pairs(value)
            else ".".join(map(str, value))
        )
    return value if isinstance(value, str) else value_text(value)


def _are_pairs(value: tuple[Any, ...]) -> bool:
    return all(isinstance(item, tuple) and len(item) == 2 for item in value)


def read_value(param: Param, text: str, *, number: bool = False) -> Any:
    """The value that was typed for a parameter."""
    form = Form.U32 if number else param.form
    if form in _NUMBERS:
        return _number(param.name, text.strip(), *_NUMBERS[form])
    if form is Form.FLAG:
        if text.strip().lower() not in ("true", "false"):
            raise InputError(f"{param.name} is true or false")
        return text.strip().lower() == "true"
    if form is Form.ENUM and param.enum is not None:
        return _member(param, text.strip())
    if form is Form.PAIRS:
        return tuple(_pairs(param.name, text))
    if form is Form.DATA:
        return _bytes(param.name, text)
    return text


def _number(name: str, text: str, signed: int, bits: int) -> int:
    try:
        found = int(text[:40], 0)
    except ValueError:
        raise InputError(f"{name} is a number, such as 7 or 0x2f40") from None
    low = -(1 << (bits - 1)) if signed else 0
    if not low <= found < 1 << (bits - signed):
        raise InputError(f"{name} has {bits} bits: {found} does not fit")
    return found


def _member(param: Param, text: str) -> Any:
    assert param.enum is not None
    if text.upper() not in param.enum.__members__:
        raise InputError(f"{param.name} is one of {', '.join(param.enum.__members__)}")
    return param.enum[text.upper()]


def _bytes(name: str, text: str) -> bytes:
    if not text.startswith("0x"):
        return to_bytes(text)
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise InputError(f"{name}: after 0x come pairs of hex digits") from None


def _pairs(name: str, text: str) -> Iterator[tuple[str, str]]:
    for part in filter(str.strip, text.split(" | ")):
        key, colon, value = (
            part.strip().partition(": ") if not part.strip().startswith(":") else _pseudo(part.strip())
        )
        if not colon or not key.strip():
            raise InputError(f"{name}: write `name: value | other: value`")
        yield key.strip().lower(), value.strip()


def _pseudo(part: str) -> tuple[str, str, str]:
    key, colon, value = part[1:].partition(": ")
    return ":" + key, colon, value
