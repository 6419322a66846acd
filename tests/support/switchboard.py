"""A plugin that makes the host calls a table says: the request's header `case` chooses the row.

    Case("reads a header", {REQUEST_HEADERS: [("proxy_get_header_map_value", 0, ":path", OUT, OUT)]})

A call's arguments are numbers, texts and bytes (address and size), `OUT` for a place where the host writes, `LONG(n)`
for 64 bits, `STREAM` for the id of the stream's context and `Read(n)` for what stands in the n-th place. A callback
gives 0 unless `results` says otherwise, and a body's last one always. All rows live in one module, so that one Envoy
serves them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import wasmtime

from simwasm.abi.pairs import encode_pairs
from simwasm.abi.table import LAST, callbacks
from simwasm.exchange import Exchange, Header, Message, request, response

REQUEST_HEADERS, REQUEST_BODY = "proxy_on_request_headers", "proxy_on_request_body"
REQUEST_TRAILERS, RESPONSE_HEADERS = "proxy_on_request_trailers", "proxy_on_response_headers"
RESPONSE_BODY, RESPONSE_TRAILERS = "proxy_on_response_body", "proxy_on_response_trailers"
CALL_RESPONSE, QUEUE_READY, LOG = "proxy_on_http_call_response", "proxy_on_queue_ready", "proxy_on_log"
PLAYED = (REQUEST_HEADERS, REQUEST_BODY, REQUEST_TRAILERS, RESPONSE_HEADERS, RESPONSE_BODY, RESPONSE_TRAILERS,
          CALL_RESPONSE, QUEUE_READY, LOG)  # fmt: skip

_PLACES, _DATA, _HEAP = 2000, 8192, 131072
_FIRST = ord("0")


class LONG(int):
    """An argument of 64 bits."""


@dataclass(frozen=True)
class Read:
    """The number that stands in a place where the host wrote."""

    place: int


class Mark:
    """An argument that is known only later."""


OUT, STREAM = Mark(), Mark()
Argument = int | str | bytes | Read | Mark
Call = tuple[Argument, ...]
"""The name of a host function, then its arguments; `("unreachable",)` traps."""

PLAIN = request("GET", "/a?b", headers=[("x-a", "1")])
PAGE = response(200, headers=[("content-type", "text/plain"), ("x-b", "1"), ("x-b", "2")], body=b"ok")


@dataclass(frozen=True)
class Case:
    """What a plugin does in its callbacks, and the exchange it meets."""

    name: str
    calls: Mapping[str, Sequence[Call]]
    results: Mapping[str, int] = field(default_factory=dict)
    sent: Message = PLAIN
    answer: Message = PAGE
    items: tuple[int, ...] = ()
    """The numbers of the behaviours it proves, see `behaviours`."""

    def exchange(self, number: int) -> Exchange:
        """The exchange, its request marked with the case."""
        headers = (*self.sent.headers, ("case", chr(_FIRST + number)))
        sent = Message(headers, self.sent.body, self.sent.trailers)
        return Exchange(str(number), 0, sent, self.answer, name=self.name)


def pairs(*headers: Header) -> bytes:
    """Headers as a host call takes them."""
    return encode_pairs(headers)


def switchboard(cases: Sequence[Case]) -> bytes:
    """The module for these cases."""
    return bytes(wasmtime.wat2wasm(_Writer().module(cases)))


class _Writer:
    """Collects imports and data while code is written."""

    def __init__(self) -> None:
        self._imports: dict[str, str] = {}
        self._data: dict[bytes, int] = {}
        self._end = _DATA

    def module(self, cases: Sequence[Case]) -> str:
        chosen = self._call(("proxy_get_header_map_value", 0, "case", OUT, OUT))
        body = "\n".join([self._callback(name, cases, chosen) for name in PLAYED])
        data = (f'(data (i32.const {at}) "{_escaped(text)}")' for text, at in self._data.items())
        return f"(module {' '.join(self._imports.values())} {_FRAME} {' '.join(data)} {body})"

    def _callback(self, name: str, cases: Sequence[Case], chosen: str) -> str:
        type = callbacks(LAST)[name].type
        params = "".join(f" {word.value}" for word in type.params)
        result = "(result i32)" if type.results else ""
        before = f"{chosen} {_CHOOSE}" if name == REQUEST_HEADERS else ""
        return (
            f'(func (export "{name}") (param{params}) {result} {before} {"".join(self._rows(name, cases))} '
            + ("(i32.const 0))" if type.results else ")")
        )

    def _rows(self, name: str, cases: Sequence[Case]) -> Iterator[str]:
        for number, case in enumerate(cases):
            deeds = " ".join(self._call(call) for call in case.calls.get(name, ()))
            result = case.results.get(name, 0)
            back = f"(return (i32.const {result}))" if result else ""
            if back and name in (REQUEST_BODY, RESPONSE_BODY):
                back = f"(if (i32.eqz (local.get 2)) (then {back}))"
            if deeds or back:
                yield f"(if (i32.eq (global.get $case) (i32.const {number})) (then {deeds} {back}))"

    def _call(self, call: Call) -> str:
        function, *arguments = call
        assert isinstance(function, str)
        if function == "unreachable":
            return "unreachable"
        words = [word for number, argument in enumerate(arguments) for word in self._words(argument, number)]
        kinds = "".join(f" {word[1:4]}" for word in words)
        kinds = kinds.replace(" glo", " i32")
        self._imports[function] = (
            f'(import "env" "{function}" (func ${function} (param{kinds}) (result i32)))'
        )
        return f"(drop (call ${function} {' '.join(words)}))"

    def _words(self, argument: Argument, number: int) -> Iterator[str]:
        if isinstance(argument, (str, bytes)):
            data = argument.encode() if isinstance(argument, str) else argument
            yield f"(i32.const {self._place(data)})"
            yield f"(i32.const {len(data)})"
        elif isinstance(argument, Read):
            yield f"(i32.load (i32.const {_PLACES + 4 * argument.place}))"
        elif argument is STREAM:
            yield "(global.get $stream)"
        elif argument is OUT:
            yield f"(i32.const {_PLACES + 4 * number})"
        else:
            assert isinstance(argument, int)
            yield f"({'i64' if isinstance(argument, LONG) else 'i32'}.const {int(argument)})"

    def _place(self, data: bytes) -> int:
        if data not in self._data:
            self._data[data] = self._end
            self._end += len(data) + 8
        return self._data[data]


def _escaped(data: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in data)


_CHOOSE = f"""(global.set $stream (local.get 0))
  (global.set $case (i32.sub (i32.load8_u (i32.load (i32.const {_PLACES + 8}))) (i32.const {_FIRST})))"""
_FRAME = f"""
(memory (export "memory") 4)
(global $case (mut i32) (i32.const -1))
(global $stream (mut i32) (i32.const 0))
(global $heap (mut i32) (i32.const {_HEAP}))
(func (export "proxy_abi_version_0_2_1"))
(func (export "malloc") (param $size i32) (result i32) (local $at i32)
  (local.set $at (global.get $heap))
  (global.set $heap (i32.and (i32.add (i32.add (global.get $heap) (local.get $size)) (i32.const 15)) (i32.const -16)))
  (local.get $at))
(func (export "proxy_on_context_create") (param i32 i32) (global.set $heap (i32.const {_HEAP})))
(func (export "proxy_on_done") (param i32) (result i32) (i32.const 1))
(func (export "proxy_on_delete") (param i32))
"""
