"""Words to values and back: closures made once for each function when a plugin is linked.

A decoder takes the words of a call and gives one value; an encoder takes the words and a value and writes it into the
guest. Neither asks the table again. Rules:

- engines hand i32 over signed or unsigned, so every address and size is masked;
- a pointer outside memory is the guest's mistake: `Refusal(INVALID_MEMORY_ACCESS)`, or `FAULT` for WASI;
- an out value that is not empty is put where the guest's allocator says; an empty one is address 0, size 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from struct import Struct
from typing import Any, Protocol

from simwasm.abi.enums import Errno, Status
from simwasm.abi.kinds import Form, Param
from simwasm.abi.pairs import decode_pairs, decode_path, encode_pairs
from simwasm.abi.status import Refusal, Remark
from simwasm.abi.table import Function
from simwasm.errors import Trap, TrapKind
from simwasm.exchange import to_bytes

Words = Sequence[int]
Decoder = Callable[[Words], Any]
Encoder = Callable[[Words, Any], None]
Allocate = Callable[[int], int]
"""Ask the guest for memory: an address, or 0 when there is none."""

_M32 = 0xFFFFFFFF
_M64 = 0xFFFFFFFFFFFFFFFF
_U32 = Struct("<I")
_TWO_U32 = Struct("<II")
_U64 = Struct("<Q")
_I32 = Struct("<i")


class Memory(Protocol):
    """What the codec needs of a linear memory; out of range is an IndexError."""

    def size(self) -> int: ...
    def read(self, at: int, size: int) -> bytes: ...
    def write(self, at: int, data: bytes) -> None: ...
    def write_u32(self, at: int, value: int) -> None: ...


def bad_pointer(function: Function, memory: Memory, name: str, at: int, size: int) -> Refusal:
    """Say which argument points outside memory."""
    status = Errno.FAULT if function.errors is Errno else Status.INVALID_MEMORY_ACCESS
    return Refusal(
        status,
        f"{name}: {size:,} bytes at address {at} lie outside the guest's memory of {memory.size():,} bytes",
    )


def reader(function: Function, param: Param, memory: Memory) -> Callable[[int, int], bytes]:
    """Build a function that reads guest memory and blames that parameter."""
    read = memory.read

    def checked(at: int, size: int) -> bytes:
        at &= _M32
        size &= _M32
        try:
            return read(at, size)
        except IndexError:
            raise bad_pointer(function, memory, param.name, at, size) from None

    return checked


def writer(function: Function, param: Param, memory: Memory) -> Callable[[int, bytes], None]:
    """Build a function that writes guest memory and blames that parameter."""
    write = memory.write

    def checked(at: int, data: bytes) -> None:
        at &= _M32
        try:
            write(at, data)
        except IndexError:
            raise bad_pointer(function, memory, param.name, at, len(data)) from None

    return checked


# Decoders: (function, param, index of its first word, memory) -> closure over the words.


def _decode_word(mask: int, sign: int = 0) -> Callable[..., Decoder]:
    def build(function: Function, param: Param, i: int, memory: Memory) -> Decoder:
        if sign:
            return lambda words: ((words[i] & mask) ^ sign) - sign
        return lambda words: words[i] & mask

    return build


def _decode_flag(function: Function, param: Param, i: int, memory: Memory) -> Decoder:
    return lambda words: words[i] & _M32 != 0


def _decode_enum(function: Function, param: Param, i: int, memory: Memory) -> Decoder:
    assert param.enum is not None
    members: dict[int, IntEnum] = {int(member): member for member in param.enum}
    names = ", ".join(f"{int(member)} {member.name}" for member in param.enum)

    def decode(words: Words) -> IntEnum:
        try:
            return members[words[i]]
        except KeyError:
            reason = f"{param.name}: there is no {words[i] & _M32}; known are {names}"
            raise Refusal(Status.BAD_ARGUMENT, reason) from None

    return decode


def _decode_text(function: Function, param: Param, i: int, memory: Memory) -> Decoder:
    read = memory.read
    j = i + 1

    def decode(words: Words) -> str:
        try:
            return read(words[i] & _M32, words[j] & _M32).decode("utf-8", "surrogateescape")
        except IndexError:
            raise bad_pointer(function, memory, param.name, words[i] & _M32, words[j] & _M32) from None

    return decode


def _decode_bytes(then: Callable[[bytes], Any] | None = None) -> Callable[..., Decoder]:
    def build(function: Function, param: Param, i: int, memory: Memory) -> Decoder:
        read = reader(function, param, memory)
        if then is None:
            return lambda words: read(words[i], words[i + 1])
        return lambda words: then(read(words[i], words[i + 1]))

    return build


def _decode_iovecs(function: Function, param: Param, i: int, memory: Memory) -> Decoder:
    read = reader(function, param, memory)

    def decode(words: Words) -> bytes:
        count = words[i + 1] & _M32
        table = read(words[i], 8 * count)
        return b"".join([read(at, size) for at, size in _TWO_U32.iter_unpack(table)])

    return decode


def _decode_span(function: Function, param: Param, i: int, memory: Memory) -> Decoder:
    return lambda words: words[i + 1] & _M32


_DECODERS: dict[Form, Callable[[Function, Param, int, Memory], Decoder]] = {
    Form.U32: _decode_word(_M32),
    Form.I32: _decode_word(_M32, 1 << 31),
    Form.U64: _decode_word(_M64),
    Form.I64: _decode_word(_M64, 1 << 63),
    Form.FLAG: _decode_flag,
    Form.ENUM: _decode_enum,
    Form.TEXT: _decode_text,
    Form.DATA: _decode_bytes(),
    Form.PATH: _decode_bytes(decode_path),
    Form.PAIRS: _decode_bytes(decode_pairs),
    Form.IOVECS: _decode_iovecs,
    Form.SPAN: _decode_span,
}


# Encoders: (function, param, index of its first word, memory, allocate) -> closure over words and value.


def _encode_fixed(struct: Struct, mask: int) -> Callable[..., Encoder]:
    def build(function: Function, param: Param, i: int, memory: Memory, allocate: Allocate) -> Encoder:
        pack = struct.pack
        write = writer(function, param, memory)
        return lambda words, value: write(words[i], pack(value & mask))

    return build


def _encode_blob(function: Function, param: Param, i: int, memory: Memory, allocate: Allocate) -> Encoder:
    write = writer(function, param, memory)
    return lambda words, value: write(words[i], value)


def _encode_strings(function: Function, param: Param, i: int, memory: Memory, allocate: Allocate) -> Encoder:
    write = writer(function, param, memory)

    def encode(words: Words, strings: Sequence[bytes]) -> None:
        at = words[i + 1] & _M32
        for index, string in enumerate(strings):
            write(words[i] + 4 * index, _U32.pack(at))
            write(at, string + b"\0")
            at += len(string) + 1

    return encode


def _encode_allocated(to_bytes: Callable[[Any], bytes]) -> Callable[..., Encoder]:
    def build(function: Function, param: Param, i: int, memory: Memory, allocate: Allocate) -> Encoder:
        write, write_u32 = memory.write, memory.write_u32
        j = i + 1
        optional = param.optional

        def encode(words: Words, value: Any) -> None:
            data = to_bytes(value)
            at = 0
            size = len(data)
            if size:
                at = allocate(size) & _M32
                if not at:
                    status = Errno.FAULT if function.errors is Errno else Status.INVALID_MEMORY_ACCESS
                    raise Refusal(
                        status, f"{param.name}: the guest's allocator gave nothing for {size:,} bytes"
                    )
            address, length = words[i] & _M32, words[j] & _M32
            try:
                if size:
                    write(at, data)
                if address or not optional:
                    write_u32(address, at)
                if length or not optional:
                    write_u32(length, size)
            except IndexError:
                raise _blame(function, memory, param, at, size, address, length) from None

        return encode

    return build


def _blame(
    function: Function, memory: Memory, param: Param, at: int, size: int, address: int, length: int
) -> Refusal:
    """Find out which of the three writes of an allocated value went wrong."""
    end = memory.size()
    if at + size > end:
        return bad_pointer(function, memory, f"{param.name} (where the allocator said)", at, size)
    if address + 4 > end:
        return bad_pointer(function, memory, f"{param.name} (address)", address, 4)
    return bad_pointer(function, memory, f"{param.name} (size)", length, 4)


_ENCODERS: dict[Form, Callable[[Function, Param, int, Memory, Allocate], Encoder]] = {
    Form.U32: _encode_fixed(_U32, _M32),
    Form.U64: _encode_fixed(_U64, _M64),
    Form.ENUM: _encode_fixed(_U32, _M32),
    Form.BLOB: _encode_blob,
    Form.SPAN: _encode_blob,
    Form.STRINGS: _encode_strings,
    Form.TEXT: _encode_allocated(to_bytes),
    Form.DATA: _encode_allocated(bytes),
    Form.PAIRS: _encode_allocated(encode_pairs),
}


def _placed(function: Function) -> list[tuple[Param, int]]:
    """Each parameter with the index of its first word."""
    placed, index = [], 0
    for param in function.params:
        placed.append((param, index))
        index += len(param.words)
    return placed


def decoders(function: Function, memory: Memory) -> tuple[Decoder, ...]:
    """Closures for the values that go to the handler, in order."""
    return tuple(
        _DECODERS[param.form](function, param, i, memory)
        for param, i in _placed(function)
        if param in function.inputs
    )


def encoder(function: Function, memory: Memory, allocate: Allocate) -> Encoder | None:
    """One closure that writes what the handler gave: a value, or a tuple where there are several; None if nothing."""
    each = [_ENCODERS[p.form](function, p, i, memory, allocate) for p, i in _placed(function) if p.out]
    if len(each) < 2:
        return each[0] if each else None

    def encode(words: Words, values: Any) -> None:
        for write, value in zip(each, values, strict=True):
            write(words, value)

    return encode


def clearer(function: Function, memory: Memory) -> Callable[[Words], None] | None:
    """A closure that writes zero where the row says so before the call is carried out; None if nowhere."""
    cleared = [(writer(function, p, memory), i) for p, i in _placed(function) if p.cleared]
    if not cleared:
        return None
    ((write, i),) = cleared
    zero = bytes(4)
    return lambda words: write(words[i], zero)


class Gate:
    """What keeps host functions shut while the module starts and while its allocator runs."""

    __slots__ = ("shut",)

    def __init__(self) -> None:
        self.shut = 0

    def restricted(self, function: Function) -> Trap:
        """The trap that a guest gets for calling a function at the wrong time."""
        when = "while the plugin starts" if self.shut == 1 else "in the plugin's allocator"
        return Trap(TrapKind.RESTRICTED, detail=f"{function.name} may not be called {when}")


def _apply(handler: Callable[..., Any], decode: tuple[Decoder, ...]) -> Callable[[Words], Any]:
    """One closure that decodes the words and asks the handler; the common counts are spelled out for speed."""
    if not decode:
        return lambda words: handler()
    if len(decode) == 1:
        (first,) = decode
        return lambda words: handler(first(words))
    if len(decode) == 2:
        first, second = decode
        return lambda words: handler(first(words), second(words))
    if len(decode) == 3:
        first, second, third = decode
        return lambda words: handler(first(words), second(words), third(words))
    return lambda words: handler(*[one(words) for one in decode])


def bind(
    function: Function,
    memory: Memory,
    allocate: Allocate,
    handler: Callable[..., Any],
    gate: Gate,
    forbidden: int,
) -> Callable[..., int | None]:
    """Build the function that the guest calls, with nobody watching: words in, status word out."""
    ask = _apply(handler, decoders(function, memory))
    encode = encoder(function, memory, allocate)
    clear = clearer(function, memory)
    status = function.errors is not None

    def call(*words: int) -> int | None:
        if gate.shut & forbidden:
            raise gate.restricted(function)
        try:
            if clear is not None:
                clear(words)
            value = ask(words)
            kind = value.__class__
            if kind is Refusal:
                return int(value.status)
            if kind is Remark:
                value = value.value
            if encode is not None:
                encode(words, value)
        except Refusal as refusal:
            return int(refusal.status)
        return 0 if status else value

    return call


def carry_out(
    function: Function, memory: Memory, allocate: Allocate, handler: Callable[..., Any]
) -> Callable[[Words, Sequence[Any]], tuple[Any, str]]:
    """As `bind`, for somebody who watches: decoded arguments in, the value and a remark out; refusals are raised."""
    encode = encoder(function, memory, allocate)
    clear = clearer(function, memory)

    def call(words: Words, args: Sequence[Any]) -> tuple[Any, str]:
        if clear is not None:
            clear(words)
        value = handler(*args)
        reason = ""
        if value.__class__ is Refusal:
            raise value
        if value.__class__ is Remark:
            value, reason = value
        if encode is not None:
            encode(words, value)
        return value, reason

    return call


def decode_result(function: Function) -> Callable[[Any], Any]:
    """A closure for what a callback returns: a flag, a named number, a plain number, or nothing."""
    result = function.result
    if result is None:
        return lambda word: None
    if result.form is Form.FLAG:
        return lambda word: word != 0
    if result.form is Form.ENUM:
        members = {int(member): member for member in result.enum or ()}
        return lambda word: members.get(word, word)
    if result.form is Form.I32:
        return lambda word: word
    return lambda word: word & _M32
