"""The kinds of parameter: which Wasm words a value takes, and which way it travels.

A row of the table is made of these, so `text("message")` says both that two words (pointer, size) cross and that
the plugin means a string by them. How each form is decoded and encoded is `snippets.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from simwasm.wasm.module import ValType

I32, I64 = ValType.I32, ValType.I64


class Form(str, Enum):
    """What a parameter is once decoded."""

    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    FLAG = "flag"
    ENUM = "enum"
    TEXT = "text"
    DATA = "bytes"
    PATH = "property path"
    PAIRS = "header pairs"
    IOVECS = "iovecs"
    SPAN = "buffer to fill"
    BLOB = "structure"
    STRINGS = "strings"


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a host function or callback, or the result of a callback."""

    name: str
    form: Form
    words: tuple[ValType, ...] = (I32,)
    enum: type[IntEnum] | None = None
    out: bool = False
    cleared: bool = False
    """An out parameter that is written as zero before the call is carried out, and again after it."""
    optional: bool = False
    """An out parameter whose pointers may be 0: then nothing is written."""
    foreign: bool = False
    """The guest's allocator is not asked: the value is written where the guest said."""

    def __str__(self) -> str:
        kind = self.enum.__name__ if self.enum else self.form.value
        return f"{self.name}{'*' if self.out else ''}: {kind}"


def u32(name: str) -> Param:
    return Param(name, Form.U32)


def i32(name: str) -> Param:
    return Param(name, Form.I32)


def i64(name: str) -> Param:
    return Param(name, Form.I64, (I64,))


def u64(name: str) -> Param:
    return Param(name, Form.U64, (I64,))


def flag(name: str) -> Param:
    return Param(name, Form.FLAG)


def enum(name: str, kind: type[IntEnum]) -> Param:
    return Param(name, Form.ENUM, enum=kind)


def text(name: str) -> Param:
    return Param(name, Form.TEXT, (I32, I32))


def data(name: str) -> Param:
    return Param(name, Form.DATA, (I32, I32))


def path(name: str) -> Param:
    return Param(name, Form.PATH, (I32, I32))


def pairs(name: str) -> Param:
    return Param(name, Form.PAIRS, (I32, I32))


def iovecs(name: str) -> Param:
    return Param(name, Form.IOVECS, (I32, I32))


def out_u32(name: str, *, cleared: bool = False) -> Param:
    return Param(name, Form.U32, out=True, cleared=cleared)


def out_u64(name: str) -> Param:
    return Param(name, Form.U64, out=True)


def out_enum(name: str, kind: type[IntEnum]) -> Param:
    return Param(name, Form.ENUM, enum=kind, out=True)


def out_text(name: str) -> Param:
    return Param(name, Form.TEXT, (I32, I32), out=True)


def out_data(name: str, *, optional: bool = False, cleared: bool = False) -> Param:
    return Param(name, Form.DATA, (I32, I32), out=True, optional=optional, cleared=cleared)


def out_pairs(name: str) -> Param:
    return Param(name, Form.PAIRS, (I32, I32), out=True)


def out_blob(name: str) -> Param:
    return Param(name, Form.BLOB, out=True, foreign=True)


def out_strings(name: str) -> Param:
    """A WASI string table: one array of pointers, one buffer of NUL-terminated strings."""
    return Param(name, Form.STRINGS, (I32, I32), out=True, foreign=True)


def span(name: str) -> Param:
    """A buffer of the guest's that the host fills: its size goes in, its bytes come out."""
    return Param(name, Form.SPAN, (I32, I32), out=True, foreign=True)
