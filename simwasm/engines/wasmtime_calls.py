"""Calls into and out of a wasmtime guest, by way of wasmtime's C interface.

Both directions pass words in an array of 16-byte slots, little-endian on every machine, arguments first and
results in their place. wasmtime does not check them: what makes this safe is that a function is only ever
called with the layout made of its own type.

Rules that live here: only the thread that made the instance may call, because two in one store would corrupt
it (other threads do run meanwhile: the GIL is free while the guest runs); an exception of a host function
waits in `_raised` while wasmtime unwinds the guest, and is what the guest call raises.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, c_int32, c_size_t, c_void_p
from threading import get_ident
from typing import Any, cast

import wasmtime
from wasmtime import _ffi as ffi

from simwasm.engines.callback import covered, need_recursion
from simwasm.engines.engine import Export, HostFunction, Word, Words
from simwasm.engines.link import closed
from simwasm.engines.traps import RawFrame
from simwasm.engines.unwind import Frames, Unwind
from simwasm.errors import SimwasmError, Trap
from simwasm.wasm.module import FuncType, ValType

_SLOT = 16
_FORMATS = {ValType.I32: "i12x", ValType.I64: "q8x", ValType.F32: "f12x", ValType.F64: "d8x"}
_WIDE = {**_FORMATS, ValType.I32: "q8x"}
"""How words go in: an i32 as 64 bits, of which the guest reads the lower half, so that unsigned ones fit."""
_LOW_64 = 0xFFFF_FFFF_FFFF_FFFF
_I32 = ValType.I32

_Slots = POINTER(c_int32)
_FastCallback = CFUNCTYPE(c_void_p, c_void_p, c_void_p, _Slots, c_size_t)
_Callback = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p, c_size_t)


# No argument types are declared: arguments are made once, as C values, which ctypes passes on without a call.
_dll = cast(Any, ffi.dll)
_invoke = _dll["wasmtime_func_call_unchecked"]
_invoke.restype = c_void_p
_new_function = _dll["wasmtime_func_new_unchecked"]
_new_function.restype = None
_new_trap = _dll["wasmtime_trap_new"]
_new_trap.restype = c_void_p
_delete_error = _dll["wasmtime_error_delete"]
_delete_error.restype = None
_delete_trap = _dll["wasm_trap_delete"]
_delete_trap.restype = None
_STOP = ctypes.c_char_p(b"python exception"), c_size_t(len(b"python exception"))


Types = dict[FuncType, wasmtime.FuncType]
"""Types as wasmtime has them: dear to make, and good for every instance of the same engine."""


class Calls:
    """What the exports and host functions of one instance share."""

    def __init__(
        self,
        store: wasmtime.Store,
        stopped: Callable[[wasmtime.Trap], Trap],
        framed: Callable[[list[RawFrame]], Frames],
        types: Types,
    ) -> None:
        self._types = types
        self._store = store
        self._context = ctypes.cast(store._context(), c_void_p)
        self._stopped = stopped
        self._framed = framed
        self._owner = get_ident()
        self._raised: list[BaseException] = []
        self._trap = c_void_p()
        self._kept: list[object] = []
        self._releases: list[Callable[[], None]] = []

    def host(self, function: HostFunction) -> wasmtime.Func:
        """A Python function as one that a guest can call."""
        kind = function.type
        simple = set(kind.params) | set(kind.results) <= {_I32} and len(kind.results) < 2
        callback = _simple_host(function, self._raised) if simple else _any_host(function, self._raised)
        made = ffi.wasmtime_func_t()
        wasmtime_type = self._types.get(kind)
        if wasmtime_type is None:
            wasmtime_type = self._types[kind] = _wasmtime_type(kind)
        _new_function(
            self._context,
            ctypes.cast(wasmtime_type.ptr(), c_void_p),
            ctypes.cast(callback, c_void_p),
            None,
            None,
            ctypes.byref(made),
        )
        self._kept.append(callback)
        return wasmtime.Func._from_raw(made)

    def export(self, function: wasmtime.Func, kind: FuncType) -> Export:
        """A function of the guest as one that Python can call."""
        count = max(len(kind.params), len(kind.results))
        slots = ctypes.create_string_buffer(_SLOT * max(count, 1))
        pack = struct.Struct("<" + "".join(_WIDE[p] for p in kind.params)).pack_into
        unpack = struct.Struct("<" + "".join(_FORMATS[r] for r in kind.results)).unpack_from
        single = len(kind.results) == 1
        target, at, trap_at = map(ctypes.pointer, (function._func, slots, self._trap))
        context, size, invoke = self._context, c_size_t(count), cast(Any, _invoke)
        owner, trap, raised, failed = self._owner, self._trap, self._raised, self._failed

        def call(*words: Word) -> Words:
            if get_ident() != owner:
                raise SimwasmError("an instance belongs to the thread that started it")
            try:
                pack(slots, 0, *words)
            except struct.error:
                pack(slots, 0, *_low(words))
            need_recursion()
            trap.value = None
            raised.clear()
            failure = invoke(context, target, at, size, trap_at)
            if failure or trap.value:
                raise failed(cast(Any, failure))
            return unpack(slots)[0] if single else unpack(slots) or None

        def release() -> None:
            nonlocal invoke
            invoke = closed

        self._kept.append(function)
        self._releases.append(release)
        return call

    def raised(self, trap: int | None = None, error: int | None = None) -> BaseException | None:
        """What a host function raised, once; `trap` or `error` is the address of what wasmtime made of it."""
        reason = self._raised.pop() if self._raised else None
        if isinstance(reason, Unwind):
            reason.through(self._framed(_trace(trap, error)))
        return reason  # of others nothing is called here: there may be no recursion left for it

    def close(self) -> None:
        """Make the exports refuse."""
        for release in self._releases:
            release()

    def _failed(self, failure: int | None) -> BaseException:
        """Why a guest call did not return."""
        stop, self._trap.value = self._trap.value, None
        reason = self.raised(stop, failure)
        if reason is not None:
            for address, delete in ((stop, _delete_trap), (failure, _delete_error)):
                if address:
                    delete(c_void_p(address))
            return reason
        if stop:
            return self._stopped(wasmtime.Trap._from_ptr(_at_trap(stop)))
        return wasmtime.WasmtimeError._from_ptr(_at_error(failure))


def _at_trap(address: int | None) -> Any:
    return ctypes.cast(address or 0, POINTER(ffi.wasm_trap_t))


def _at_error(address: int | None) -> Any:
    return ctypes.cast(address or 0, POINTER(ffi.wasmtime_error_t))


def _trace(trap: int | None, error: int | None) -> list[RawFrame]:
    """The frames of what wasmtime makes of an exception: a trap in some versions, an error in others."""
    vector = ffi.wasm_frame_vec_t(0, None)
    if trap:
        ffi.wasm_trap_trace(_at_trap(trap), ctypes.byref(vector))
    elif error:
        ffi.wasmtime_error_wasm_trace(_at_error(error), ctypes.byref(vector))
    found = [
        (ffi.wasm_frame_func_index(it), ffi.wasm_frame_module_offset(it)) for it in vector.data[: vector.size]
    ]
    ffi.wasm_frame_vec_delete(ctypes.byref(vector))
    return found


def _low(words: tuple[Word, ...]) -> list[Word]:
    """Unsigned words as the signed ones with the same bits."""
    return [((word & _LOW_64) ^ (1 << 63)) - (1 << 63) if isinstance(word, int) else word for word in words]


def _simple_host(function: HostFunction, raised: list[BaseException]) -> Any:
    """A callback for i32 only, which is nearly all of Proxy-Wasm."""
    call, end, answers = function.call, 4 * len(function.type.params), bool(function.type.results)

    def entered(_env: object, _caller: object, slots: Any, _size: int) -> int | None:
        try:
            result = call(*slots[0:end:4]) if end else call()  # ctypes finds one item in [0:0:4]
            if answers:
                slots[0] = result
            return None
        except BaseException as error:
            raised.append(error)
            return _new_trap(*_STOP)  # type: ignore[no-any-return]  # ctypes knows no types

    return _FastCallback(covered(entered))


def _any_host(function: HostFunction, raised: list[BaseException]) -> Any:
    """A callback for words of any type."""
    kind = function.type
    unpack = struct.Struct("<" + "".join(_FORMATS[p] for p in kind.params))
    pack = struct.Struct("<" + "".join(_WIDE[r] for r in kind.results))
    call, many = function.call, len(kind.results) > 1

    def entered(_env: object, _caller: object, at: int, _size: int) -> int | None:
        try:
            result: Any = call(*unpack.unpack(ctypes.string_at(at, unpack.size)))
            if kind.results:
                answer = pack.pack(*_low(tuple(result) if many else (result,)))
                ctypes.memmove(at, answer, len(answer))
            return None
        except BaseException as error:
            raised.append(error)
            return _new_trap(*_STOP)  # type: ignore[no-any-return]  # ctypes knows no types

    return _Callback(covered(entered))


_WASMTIME_TYPES = {
    ValType.I32: wasmtime.ValType.i32,
    ValType.I64: wasmtime.ValType.i64,
    ValType.F32: wasmtime.ValType.f32,
    ValType.F64: wasmtime.ValType.f64,
}


def _wasmtime_type(kind: FuncType) -> wasmtime.FuncType:
    params, results = ([_WASMTIME_TYPES[k]() for k in side] for side in (kind.params, kind.results))
    return wasmtime.FuncType(params, results)
