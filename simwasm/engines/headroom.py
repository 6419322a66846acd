"""A guard between a wasmer guest and its host functions: is there stack left for Python?

wasmer runs the guest on the thread's own stack and turns any overflow into a jump back to where the guest was
called. When it is the guest that overflows, that is a trap. When it is a host function - and in a recursion
that calls the host it always is, because Python needs more stack than a guest's frame - the jump skips
Python's own frames and leaves the interpreter broken. So host functions are called through a second module,
which first needs more stack than they do.

    guest --import--> door: call headroom(31); call the host function --> Python

`headroom` has a frame of 8 KiB, because in a branch that is never taken so many values have to wait for a
call, and calls itself 31 times. Entering a frame touches all of it (Cranelift's stack probe), which is what
overflows; nothing else happens in it. Together that is 256 KiB.

The door is also where a guest can be made to stop. An exception of Python's leaves no trace of the guest's stack,
a trap does: if a global is set while the host function runs, the door ends in `unreachable`.

Rules that live here: the door changes no word; it costs 0.2 us; its own frame is the first of the trap that it makes.
"""

from __future__ import annotations

from collections.abc import Sequence

from simwasm.wasm.encode import name, s32, section, u32, vector
from simwasm.wasm.module import FuncType, ValType

STOP = "stop"
"""The import of the global that makes a door end in a trap."""

_STOP, _USED = 0, 1  # globals
_LEVELS = 32
_VALUES = 512

_CODES = {ValType.I32: 0x7F, ValType.I64: 0x7E, ValType.F32: 0x7D, ValType.F64: 0x7C}
_V128, _I32 = 0x7B, 0x7F
_END, _IF, _VOID = b"\x0b", b"\x04", b"\x40"


def doors(kinds: Sequence[FuncType]) -> bytes:
    """A module that imports functions of these types as "" "0", "1" and so on, and exports a door to each.

    It also imports the global "" `STOP`, a mutable i32.
    """
    count = len(kinds)
    types = [_type(kind) for kind in kinds]
    return b"\0asm\1\0\0\0" + b"".join(
        (
            section(1, vector([*types, b"\x60\x01\x7f\x00"])),
            section(2, vector([*(_import(str(i)) + b"\x00" + u32(i) for i in range(count)), _stop()])),
            section(3, vector(u32(i) for i in (count, *range(count)))),
            section(6, vector([bytes((_I32, 1)) + _const(0) + _END])),
            section(7, vector(name(str(i)) + b"\x00" + u32(count + 1 + i) for i in range(count))),
            section(10, vector(map(_sized, [_headroom(count), *_doors(kinds)]))),
        )
    )


def _type(kind: FuncType) -> bytes:
    params, results = (vector(bytes((_CODES[k],)) for k in side) for side in (kind.params, kind.results))
    return b"\x60" + params + results


def _import(item: str) -> bytes:
    return name("") + name(item)


def _stop() -> bytes:
    return _import(STOP) + bytes((3, _I32, 1))


def _doors(kinds: Sequence[FuncType]) -> list[bytes]:
    check = _const(_LEVELS - 1) + _call(len(kinds))
    stop = b"\x23" + u32(_STOP) + _IF + _VOID + b"\x00" + _END  # global.get, unreachable
    return [
        vector([]) + check + b"".join(map(_get, range(len(kind.params)))) + _call(i) + stop + _END
        for i, kind in enumerate(kinds)
    ]


def _headroom(itself: int) -> bytes:
    """(param levels): call itself while levels > 0; if they were < 0, keep many values alive."""
    local = vector([u32(_VALUES) + bytes((_V128,))])
    made = _get(0) + b"\xfd\x11" + _set(1)  # i32x4.splat
    for value in range(2, _VALUES + 1):
        made += _get(value - 1) * 2 + b"\xfd\xae\x01" + _set(value)  # i32x4.add
    used = _get(1)
    for value in range(2, _VALUES + 1):
        used += _get(value) + b"\xfd\x51"  # v128.xor
    used += b"\xfd\x53\x24" + u32(_USED)  # v128.any_true, global.set
    never = made + _const(0) + _call(itself) + used
    again = _get(0) + _const(1) + b"\x6b" + _call(itself)
    return (
        local
        + (_get(0) + _const(0) + b"\x48" + _IF + _VOID + never + _END)  # i32.lt_s
        + (_get(0) + _const(0) + b"\x4a" + _IF + _VOID + again + _END)  # i32.gt_s
        + _END
    )


def _sized(body: bytes) -> bytes:
    return u32(len(body)) + body


def _const(value: int) -> bytes:
    return b"\x41" + s32(value)


def _get(local: int) -> bytes:
    return b"\x20" + u32(local)


def _set(local: int) -> bytes:
    return b"\x21" + u32(local)


def _call(function: int) -> bytes:
    return b"\x10" + u32(function)
