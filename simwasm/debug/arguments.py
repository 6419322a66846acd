"""The arguments of a call, linked to the memory they lie in.

A pointer and its size are one argument; where the host writes, an argument says where and, once it is known, what. A
serialised map tells where each of its pairs lies. Rule: nothing here trusts an address; one that lies outside memory is
marked and not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from struct import Struct, unpack_from
from typing import Any, NamedTuple, Protocol

from simwasm.abi.codec import placed
from simwasm.abi.enums import Status
from simwasm.abi.kinds import Form, Param
from simwasm.abi.pairs import MAX_BYTES, MAX_PAIRS, explain_pairs
from simwasm.abi.table import Side
from simwasm.debug.tape import Tape
from simwasm.trace.event import Entered, Left, Trapped
from simwasm.trace.text import value_text

_M32 = 0xFFFFFFFF
_U32 = Struct("<I")
_MOST_PIECES = 2 * MAX_PAIRS


class Reader(Protocol):
    """A guest's memory at this stop; out of range is an IndexError."""

    def size(self) -> int: ...
    def read(self, at: int, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what an argument points at: the name or value of a pair, or one of the iovecs."""

    name: str
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument. `pointer` and `size` are the bytes it stands for, where it stands for any."""

    name: str
    text: str
    pointer: int | None = None
    size: int | None = None
    out: bool = False
    """The host writes there."""
    note: str = ""
    bad: bool = False
    """It points outside memory."""
    pieces: tuple[Piece, ...] = ()


def arguments(
    entered: Entered,
    ended: Left | Trapped | None = None,
    *,
    memory: Reader | None = None,
    tape: Tape | None = None,
    after: bool = False,
) -> tuple[Argument, ...]:
    """The arguments of a call, in the order in which they cross.

    `ended` is how the call ended, if that is known; `after` says that one stands behind that end, so that memory holds
    what was written.
    """
    values = dict(zip(entered.function.inputs, entered.args, strict=False))
    written: dict[Param, Any] = {}
    if isinstance(ended, Left):
        written = dict(zip(entered.function.outputs, ended.values, strict=False))
    found: list[Argument] = []
    for param, index in placed(entered.function):
        words = tuple(
            word & _M32 if kind.value == "i32" else word
            for kind, word in zip(param.words, entered.words[index : index + len(param.words)], strict=False)
        )
        if param.out:
            there = written.get(param, _unwritten(ended))
            found.extend(_outgoing(param, words, there, memory if after and param in written else None))
        else:
            found.append(_incoming(param, words, values.get(param), memory))
    noted = (_noted(entered, argument, values, tape) for argument in found)
    return tuple(_checked(argument, memory) for argument in noted)


def _unwritten(ended: Left | Trapped | None) -> _Unwritten:
    """What to say where nothing is known to be written: a call that went well has written something."""
    if ended is None:
        return _NOT_YET
    return _UNKNOWN if isinstance(ended, Left) and not ended.result else _NEVER


def _incoming(param: Param, words: tuple[int, ...], value: Any, memory: Reader | None) -> Argument:
    text = value_text(value)
    if param.form in _POINTED and len(words) == 2:
        at, size = words
        if param.form is Form.IOVECS:
            return Argument(param.name, text, at, 8 * size, pieces=_iovecs(memory, at, size))
        pieces, note = _pairs(memory, at, size) if param.form is Form.PAIRS else ((), "")
        return Argument(param.name, text, at, size, note=note or ("" if size else "empty"), pieces=pieces)
    if value is None and words and param.enum is not None:
        return Argument(param.name, str(words[0]), note=f"no member of {param.enum.__name__} has this number")
    return Argument(
        param.name, text, note=f"= {int(value)}" if param.enum is not None and value is not None else ""
    )


_POINTED = (Form.TEXT, Form.DATA, Form.PATH, Form.PAIRS, Form.IOVECS)
_SIZES = {Form.U32: 4, Form.I32: 4, Form.ENUM: 4, Form.U64: 8, Form.I64: 8}


class _Unwritten(NamedTuple):
    """Nothing was written, in words."""

    text: str


_NOT_YET, _NEVER, _UNKNOWN = _Unwritten("not written yet"), _Unwritten("not written"), _Unwritten("?")


def _outgoing(param: Param, words: tuple[int, ...], value: Any, memory: Reader | None) -> Iterator[Argument]:
    """Where the host writes: a number at an address, or the address and the size of bytes at two of them."""
    known = not isinstance(value, _Unwritten)
    text = value_text(value) if known else value.text
    if not words:
        yield Argument(param.name, text, out=True)
    elif param.form is Form.SPAN:
        yield Argument(param.name, text, words[0], words[1], out=True, note="the guest's own buffer")
    elif len(words) == 1:
        size = _SIZES.get(param.form) or (len(value) if known else None)
        note = "set to 0 before the call" if param.cleared and not known else ""
        yield Argument(param.name, text, words[0], size, out=True, note=note)
    elif param.optional and not all(words):
        yield Argument(param.name, text, out=True, note="address 0: the guest does not want it")
    elif param.form is Form.STRINGS:
        yield Argument(param.name, text, words[0], None, out=True, note="pointers to strings")
        yield Argument(f"{param.name} buffer", "", words[1], None, out=True, note="the strings, ended by NUL")
    else:
        yield from _placed_by_allocator(param, words, text, memory)


def _placed_by_allocator(
    param: Param, words: tuple[int, ...], text: str, memory: Reader | None
) -> Iterator[Argument]:
    at, size = (_number(memory, word) for word in words)
    if at is None or size is None:
        yield Argument(param.name, text, words[0], 4, out=True, note="its address goes here")
        yield Argument(f"{param.name} size", "", words[1], 4, out=True, note="its size goes here")
        return
    pieces = _pairs(memory, at, size)[0] if param.form is Form.PAIRS else ()
    yield Argument(
        param.name,
        text,
        at,
        size,
        out=True,
        note="where the allocator said" if size else "empty",
        pieces=pieces,
    )
    yield Argument(f"{param.name} address", f"0x{at:x}", words[0], 4, out=True)
    yield Argument(f"{param.name} size", f"{size:,}", words[1], 4, out=True)


def _number(memory: Reader | None, at: int) -> int | None:
    data = _read(memory, at, 4)
    return None if data is None else int(_U32.unpack(data)[0])


def _read(memory: Reader | None, at: int, size: int) -> bytes | None:
    if memory is None or at + size > memory.size():
        return None
    try:
        return memory.read(at, size)
    except IndexError:
        return None


def _pairs(memory: Reader | None, at: int, size: int) -> tuple[tuple[Piece, ...], str]:
    """Where each name and value of a serialised map lies; why it is none."""
    data = _read(memory, at, size) if size <= MAX_BYTES else None
    if data is None:
        return (), ""
    found, why = explain_pairs(data)
    if why:
        return (), f"malformed: {why}"
    sizes = unpack_from(f"<{2 * len(found)}I", data, 4) if found else ()
    place = at + 4 + 4 * len(sizes)
    pieces = []
    for index, length in enumerate(sizes):
        pieces.append(Piece(("name ", "value ")[index % 2] + str(index // 2 + 1), place, length))
        place += length + 1
    return tuple(pieces), ""


def _iovecs(memory: Reader | None, at: int, count: int) -> tuple[Piece, ...]:
    shown = min(count, _MOST_PIECES)
    data = _read(memory, at, 8 * shown)
    if data is None:
        return ()
    numbers = unpack_from(f"<{2 * shown}I", data)
    return tuple(
        Piece(f"iovec {index + 1}", *pair)
        for index, pair in enumerate(zip(numbers[::2], numbers[1::2], strict=True))
    )


def _checked(argument: Argument, memory: Reader | None) -> Argument:
    """The argument, marked if it points outside memory."""
    if memory is None or argument.pointer is None:
        return argument
    end = memory.size()
    places = [(argument.pointer, argument.size or 0), *((piece.at, piece.size) for piece in argument.pieces)]
    if all(at + size <= end for at, size in places):
        return argument
    return replace(argument, bad=True, note=f"outside the memory of {end:,} bytes")


def _noted(entered: Entered, argument: Argument, values: dict[Param, Any], tape: Tape | None) -> Argument:
    """The argument with what its number means."""
    value = next((value for param, value in values.items() if param.name == argument.name), None)
    note = _NOTES.get(argument.name)
    if argument.note or note is None or value is None:
        return argument
    return replace(argument, note=note(entered, value, tape))


def _context(entered: Entered, value: int, tape: Tape | None) -> str:
    if tape is None:
        return ""
    if value == 0:
        return "the root context"
    span = tape.span_of(entered._replace(context=value))
    if span is not None:
        return f"exchange #{span.index + 1}: {span.exchange.label}"
    if entered.function.name == "proxy_on_context_create":
        return "new" if entered.args[1] else "the new root context"
    return "the plugin itself"


def _parent(entered: Entered, value: int, tape: Tape | None) -> str:
    return "the root context it belongs to" if value else "none: this is a root context"


def _headers(entered: Entered, value: int, tape: Tape | None) -> str:
    if entered.function.name == "proxy_on_http_call_response" and not value:
        return "none: the callout failed"
    return f"header{_s(value)} in the map"


def _seen_bytes(entered: Entered, value: int, tape: Tape | None) -> str:
    if entered.function.name == "proxy_on_http_call_response":
        return f"byte{_s(value)} in the callout's answer"
    return f"byte{_s(value)} that this callback sees"


def _s(value: int) -> str:
    return "" if value == 1 else "s"


def _readable(buffer: str) -> Callable[[Entered, int, Tape | None], str]:
    return lambda entered, value, tape: f"byte{_s(value)} to be read from {buffer}"


def _grpc_status(entered: Entered, value: int, tape: Tape | None) -> str:
    return "gRPC OK" if value == Status.OK else "the call has failed"


_NOTES: dict[str, Callable[[Entered, int, Tape | None], str]] = {
    "context_id": _context,
    "parent_context_id": _parent,
    "num_headers": _headers,
    "num_trailers": lambda entered, value, tape: f"trailer{_s(value)} in the map",
    "body_size": _seen_bytes,
    "end_of_stream": lambda entered, value, tape: "nothing comes behind this" if value else "more comes",
    "vm_configuration_size": _readable("VM_CONFIGURATION"),
    "plugin_configuration_size": _readable("PLUGIN_CONFIGURATION"),
    "message_size": _readable("GRPC_CALL_MESSAGE"),
    "timeout_ms": lambda entered, value, tape: "ms" if value else "no timeout",
    "period": lambda entered, value, tape: "ms between ticks" if value else "no more ticks",
    "cas": lambda entered, value, tape: "only if nobody wrote since" if value else "whatever is there",
    "status_code": lambda entered, value, tape: (
        _grpc_status(entered, value, tape) if entered.function.side is Side.PLUGIN else ""
    ),
    "max_size": lambda entered, value, tape: (
        "as much as there is" if value == _M32 else f"byte{_s(value)} at most"
    ),
}
"""What a number means, by the name of its parameter."""
