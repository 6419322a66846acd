"""A trace as Envoy prints it at `--component-log-level wasm:trace`: one line where a call begins, one where it returns.

    [2026-11-21 13:03:09.179][1][trace][wasm] [host->vm] proxy_on_request_headers(3, 7, 1)
    [2026-11-21 13:03:09.179][1][trace][wasm] [vm->host] env.proxy_log(2, 1060832, 37)
    [2026-11-21 13:03:09.179][1][info][wasm] wasm log ns.plugin: #3 wasm-rust: on_http_request_headers
    [2026-11-21 13:03:09.179][1][trace][wasm] [vm<-host] env.proxy_log return: 0

Rules: words are unsigned, and `void` stands for no result; a call that trapped has no second line, but an error in
the engine's words with the guest's frames below. The way back is `envoy_log.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from simwasm.abi.table import Side
from simwasm.errors import Frame, Trap, TrapKind
from simwasm.plugin import Plugin
from simwasm.trace.event import Entered, Event, Left
from simwasm.wasm.module import Kind, ValType

_EPOCH = datetime(1970, 1, 1)
_THREAD = 1
_MASKS = {ValType.I32: 0xFFFFFFFF, ValType.I64: 0xFFFFFFFFFFFFFFFF}
_LEVELS = {"warn": "warning"}
_ARROWS = {Side.PLUGIN: ("host->vm", "host<-vm"), Side.HOST: ("vm->host", "vm<-host")}
V8 = {
    TrapKind.UNREACHABLE: "RuntimeError: unreachable",
    TrapKind.MEMORY_BOUNDS: "RuntimeError: memory access out of bounds",
    TrapKind.TABLE_BOUNDS: "RuntimeError: table index is out of bounds",
    TrapKind.INDIRECT_TYPE: "RuntimeError: null function or function signature mismatch",
    TrapKind.UNINITIALIZED_ELEMENT: "RuntimeError: null function or function signature mismatch",
    TrapKind.UNDEFINED_ELEMENT: "RuntimeError: table index is out of bounds",
    TrapKind.INTEGER_OVERFLOW: "RuntimeError: divide result unrepresentable",
    TrapKind.DIVIDE_BY_ZERO: "RuntimeError: divide by zero",
    TrapKind.BAD_CONVERSION: "RuntimeError: float unrepresentable in integer range",
    TrapKind.STACK_EXHAUSTED: "RangeError: Maximum call stack size exceeded",
    TrapKind.RESTRICTED: "Error: restricted_callback",
}
"""What V8 says of a trap, behind `Uncaught`."""


def failed(function: str) -> str:
    """How the line of a trap begins."""
    return f"Function: {function} failed: "


class EnvoyText:
    """An observer that writes what Envoy would."""

    def __init__(self, write: Callable[[str], object], plugins: Iterable[Plugin]) -> None:
        self._write = write
        self._modules = {
            item.name: f"{item.module}."
            for plugin in plugins
            for item in plugin.module.imported(Kind.FUNCTION)
        }
        self._open: list[Entered] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            self._open.append(event)
            words = ", ".join(map(str, _words(event)))
            arrow = _ARROWS[event.function.side][0]
            self._line(event.at, "trace", f"[{arrow}] {self._name(event)}({words})")
            return
        entered = self._open.pop()
        if isinstance(event, Left):
            arrow = _ARROWS[entered.function.side][1]
            result = _result(entered, event.result)
            self._line(entered.at, "trace", f"[{arrow}] {self._name(entered)} return: {result}")
        elif entered.function.side is Side.PLUGIN:
            self._line(entered.at, "error", failed(entered.function.name) + trap_text(event.trap))

    def log(self, at: int, level: str, text: str) -> None:
        """Write a line of the proxy's log; traps are told already."""
        if not text.startswith("Function: "):
            self._line(at, _LEVELS.get(level.lower(), level.lower()), text)

    def _name(self, event: Entered) -> str:
        name = event.function.name
        return name if event.function.side is Side.PLUGIN else self._modules[name] + name

    def _line(self, at: int, level: str, text: str) -> None:
        time = (_EPOCH + timedelta(microseconds=at // 1000)).isoformat(" ", "milliseconds")
        self._write(f"[{time}][{_THREAD}][{level}][wasm] {text}\n")


def _words(event: Entered) -> list[int]:
    """The call's arguments, none of them negative."""
    pairs = zip(event.words, event.function.type.params, strict=True)
    return [int(word) & _MASKS[kind] for word, kind in pairs]


def _result(entered: Entered, result: Any) -> str:
    kinds = entered.function.type.results
    return str(int(result or 0) & _MASKS[kinds[0]]) if kinds else "void"


def trap_text(trap: Trap) -> str:
    """What the line of a trap says of it."""
    said = V8.get(trap.kind)
    text = f"Uncaught {said}" if said else str(trap)
    frames = "".join(f"\n  {number:>2}: {_frame(frame)}" for number, frame in enumerate(trap.frames))
    return f"{text}\nProxy-Wasm plugin in-VM backtrace:{frames}" if frames else text


def _frame(frame: Frame) -> str:
    return f" 0x{frame.offset:x} - {frame.name or f'unknown(function index:{frame.function})'}"
