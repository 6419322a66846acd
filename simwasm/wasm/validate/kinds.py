"""Operand types while code is validated: one byte each, so that the operand stack is a string of bytes.

Many operands are then compared, pushed or popped at once at the speed of C, which is why no type and no code,
however hostile, makes validation slow.

Rules that live here: a value type is the byte that stands for it in the binary; three more bytes mark where the
operands of a block begin, in code that can be reached and in code that cannot, and an operand of unknown type.
"""

from __future__ import annotations

from collections.abc import Iterable

from simwasm.wasm.module import FuncType, ValType
from simwasm.wasm.reader import VALUE_TYPES

FLOOR = 0
"""Where the operands of a block begin: nothing can be popped below."""

ANY = 1
"""The same after an unconditional branch: below it is whatever is asked for."""

UNKNOWN = 2
"""An operand that came from `ANY` and may have any type."""

CODES: dict[ValType, int] = {kind: code for code, kind in VALUE_TYPES.items()}
"""The byte of every value type."""

I32 = CODES[ValType.I32]
FUNCREF = CODES[ValType.FUNCREF]
NUMBERS = frozenset((UNKNOWN, *(CODES[kind] for kind in ValType if not kind.value.endswith("ref"))))
"""What `select` without a type chooses between."""

REFERENCES = frozenset((UNKNOWN, FUNCREF, CODES[ValType.EXTERNREF]))

_KNOWN = bytes(0 if code == UNKNOWN else 0xFF for code in range(256))


class Invalid(Exception):
    """A rule is broken; who knows the place makes a `BadModule` of it."""


def coded(kinds: Iterable[ValType]) -> bytes:
    """Types as bytes."""
    return bytes([CODES[kind] for kind in kinds])


def signature(kind: FuncType) -> tuple[bytes, bytes]:
    """What a function takes and gives."""
    return coded(kind.params), coded(kind.results)


def shown(codes: bytes | bytearray) -> str:
    """Types as the specification writes a sequence of them; of many the last ones.

    >>> shown(coded([ValType.I32, ValType.F64]))
    '[i32 f64]'
    """
    names = [VALUE_TYPES[code].value if code in VALUE_TYPES else "?" for code in codes[-8:]]
    return f"[{' '.join(['…', *names] if len(codes) > 8 else names)}]"


def fits(there: bytes | bytearray, wanted: bytes) -> bool:
    """Whether as many operands are of the types wanted, unknown ones being of any."""
    if there == wanted:
        return True
    if UNKNOWN not in there:
        return False
    mask = int.from_bytes(there.translate(_KNOWN), "little")
    return (int.from_bytes(there, "little") ^ int.from_bytes(wanted, "little")) & mask == 0
