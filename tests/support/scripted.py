"""A plugin that makes the same host calls in a callback each time: life cycles, traps, timers, shared state.

    scripted({CONFIGURE: [("proxy_set_tick_period_milliseconds", 50)], TICK: [("proxy_log", 2, "tick")]})

Numbers are 32-bit words, `Long(n)` one of 64 bits, texts an address and a size, `OUT` a place where the host writes
(the n-th argument's) and `Read(n)` what stands in such a place, `SELF` the context of the callback, `THIRD` its
third argument. Some words are no host calls: `TRAP`; `("memory.grow", n)`, whose result stands in place 0; `ASKED`,
which ends the callback here unless a request brought the header `ask`; `("from", n)`, which ends it until it is called
the n-th time; `("trap if OK", …)`, which makes a host call and traps if that goes well. A callback that is named gives
Continue or true unless `results` says otherwise; one that is not named is not exported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import wasmtime
from switchboard import LONG
from switchboard import Read as Read

from simwasm.abi.table import Abi, callbacks

CREATE, VM_START, CONFIGURE = "proxy_on_context_create", "proxy_on_vm_start", "proxy_on_configure"
TICK, DONE, DELETE = "proxy_on_tick", "proxy_on_done", "proxy_on_delete"
REQUEST, REQUEST_BODY = "proxy_on_request_headers", "proxy_on_request_body"
REQUEST_TRAILERS, ANSWER_TRAILERS = "proxy_on_request_trailers", "proxy_on_response_trailers"
ANSWER, ANSWER_BODY, LOG = "proxy_on_response_headers", "proxy_on_response_body", "proxy_on_log"
QUEUE_READY, CALL_RESPONSE = "proxy_on_queue_ready", "proxy_on_http_call_response"

_STREAM = (REQUEST, REQUEST_BODY, REQUEST_TRAILERS, ANSWER, ANSWER_BODY, ANSWER_TRAILERS)
_PLACES, _DATA, _HEAP = 2000, 8192, 65536


Long = LONG


@dataclass(frozen=True)
class Mark:
    """An argument with a meaning of its own."""

    name: str


OUT, SELF, THIRD = Mark("out"), Mark("self"), Mark("third")
Argument = int | str | bytes | Read | Mark
Call = tuple[Argument, ...]
TRAP: Call = ("unreachable",)
ASKED: Call = ("asked",)


def scripted(
    calls: Mapping[str, Sequence[Call]],
    results: Mapping[str, int] | None = None,
    *fields: str,
    abi: Abi = Abi.V0_2_1,
    malloc: str = "",
    imports: str = "",
    memory: str = "4",
) -> bytes:
    """The module."""
    writer = _Writer(calls, results or {}, abi)
    return bytes(wasmtime.wat2wasm(writer.module(imports, fields, malloc or _MALLOC, memory)))


class _Writer:
    """Collects imports, counters and data while code is written."""

    def __init__(self, calls: Mapping[str, Sequence[Call]], results: Mapping[str, int], abi: Abi) -> None:
        self._calls, self._results, self._abi = calls, results, abi
        self._imports: dict[str, str] = {}
        self._counters: list[str] = []
        self._data: dict[bytes, int] = {}
        self._end = _DATA

    def module(self, imports: str, fields: Sequence[str], malloc: str, memory: str) -> str:
        names = dict.fromkeys((*self._calls, *self._results))
        bodies = [self._callback(name, self._calls.get(name, ())) for name in names]
        counters = [f"(global ${name} (mut i32) (i32.const 0))" for name in self._counters]
        data = [f'(data (i32.const {at}) "{_escaped(text)}")' for text, at in self._data.items()]
        frame = _FRAME.format(memory=memory, marker=self._abi.marker)
        before = (imports, *self._imports.values(), frame, malloc)
        return f"(module {' '.join((*before, *counters, *data, *fields, *bodies))})"

    def _callback(self, name: str, calls: Sequence[Call]) -> str:
        type = callbacks(self._abi)[name].type
        params = "".join(f" {word.value}" for word in type.params)
        default = 0 if name in _STREAM else 1
        end = f"(i32.const {self._results.get(name, default)})" if type.results else ""
        asks = any(call is ASKED for each in self._calls.values() for call in each)
        first = self._look_for_ask() if name == REQUEST and asks else ""
        body = " ".join(self._step(call, f"(return {end})", name) for call in calls)
        result = "(result i32)" if type.results else ""
        return f'(func (export "{name}") (param{params}) {result} {first} {body} {end})'

    def _look_for_ask(self) -> str:
        found = self._step(("proxy_get_header_map_value", 0, "ask", OUT, OUT), "", "")
        return f"(global.set $asked (i32.eqz {found.removeprefix('(drop ').removesuffix(')')}))"

    def _step(self, call: Call, leave: str, callback: str) -> str:
        function, *arguments = call
        assert isinstance(function, str)
        if call is TRAP:
            return "unreachable"
        if call is ASKED:
            return f"(if (i32.eqz (global.get $asked)) (then {leave}))"
        if function == "memory.grow":
            return f"(i32.store (i32.const {_PLACES}) (memory.grow {next(self._words(arguments[0], 0))}))"
        if function == "trap if OK":
            made = self._step(tuple(arguments), leave, callback)
            return f"(if (i32.eqz {made.removeprefix('(drop ').removesuffix(')')}) (then unreachable))"
        if function == "from":
            counter = f"n{len(self._counters)}"
            self._counters.append(counter)
            count = f"(global.set ${counter} (i32.add (global.get ${counter}) (i32.const 1)))"
            first = next(self._words(arguments[0], 0))
            return f"{count} (if (i32.lt_s (global.get ${counter}) {first}) (then {leave}))"
        words = [word for number, argument in enumerate(arguments) for word in self._words(argument, number)]
        kinds = "".join(f" {'i64' if word.startswith('(i64') else 'i32'}" for word in words)
        module = "env" if function.startswith("proxy_") else "wasi_snapshot_preview1"
        result = "" if function == "proc_exit" else "(result i32)"
        self._imports[function] = (
            f'(import "{module}" "{function}" (func ${function} (param{kinds}) {result}))'
        )
        made = f"(call ${function} {' '.join(words)})"
        return f"(drop {made})" if result else made

    def _words(self, argument: Argument, number: int) -> Iterator[str]:
        if isinstance(argument, (str, bytes)):
            data = argument.encode() if isinstance(argument, str) else argument
            yield f"(i32.const {self._place(data)})"
            yield f"(i32.const {len(data)})"
        elif isinstance(argument, Read):
            yield f"(i32.load (i32.const {_PLACES + 4 * argument.place}))"
        elif argument is SELF:
            yield "(local.get 0)"
        elif argument is THIRD:
            yield "(local.get 2)"
        elif argument is OUT:
            yield f"(i32.const {_PLACES + 4 * number})"
        else:
            assert isinstance(argument, int)
            yield f"({'i64' if isinstance(argument, Long) else 'i32'}.const {int(argument)})"

    def _place(self, data: bytes) -> int:
        if data not in self._data:
            self._data[data] = self._end
            self._end += len(data) + 8
        return self._data[data]


def _escaped(data: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in data)


_FRAME = """
(memory (export "memory") {memory})
(global $asked (mut i32) (i32.const 0))
(func (export "{marker}"))
"""
_MALLOC = f"""
(global $heap (mut i32) (i32.const {_HEAP}))
(func (export "malloc") (param $size i32) (result i32) (local $at i32)
  (local.set $at (global.get $heap))
  (global.set $heap (i32.and (i32.add (i32.add (global.get $heap) (local.get $size)) (i32.const 15)) (i32.const -16)))
  (if (i32.gt_u (global.get $heap) (i32.const 196608)) (then (global.set $heap (i32.const {_HEAP}))))
  (local.get $at))
"""
