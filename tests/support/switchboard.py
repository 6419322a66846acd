"""A plugin that makes the host calls a table says: the request's header `case` chooses the row.

    Case("reads a header", {REQUEST_HEADERS: [("proxy_get_header_map_value", 0, ":path", OUT, OUT)]})

A call's arguments are numbers, texts and bytes (address and size), `OUT` for a place where the host writes, `LONG(n)`
for 64 bits, `STREAM` for the id of the stream's context and `Read(n)` for what stands in the n-th place: `OUT` writes
where its own argument is counted from 0, `Out(n)` into the n-th. `Local(n)` is the callback's n-th parameter. A call is
any function of the ABI or of WASI. Every callback of the ABI may be played; those in `ALWAYS` are exported by every
module, others by one with a row that plays them.

A callback gives what lets things go on (0, or 1 from vm_start, configure and done) unless `results` says otherwise,
and a body's last one always. `nth(REQUEST_BODY, 2)` in place of a callback's name means its second call for a stream
only, in `results` also if it is the last. Until a request has chosen, the first row is played: that is how callbacks
of the root get theirs, in a module with a single row or with one row that starts. All rows live in one module, so
that one Envoy serves them all. A TCP connection has no header: the n-th connection plays the n-th row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import wasmtime

from simwasm.abi.pairs import encode_pairs
from simwasm.abi.table import LAST, Abi, Function, callbacks, named
from simwasm.conversation import Piece, conversation
from simwasm.exchange import Exchange, Header, Message, request, response

CONTEXT_CREATE, VM_START, CONFIGURE = "proxy_on_context_create", "proxy_on_vm_start", "proxy_on_configure"
TICK, QUEUE_READY, CALL_RESPONSE = "proxy_on_tick", "proxy_on_queue_ready", "proxy_on_http_call_response"
REQUEST_HEADERS, REQUEST_BODY = "proxy_on_request_headers", "proxy_on_request_body"
REQUEST_TRAILERS, RESPONSE_HEADERS = "proxy_on_request_trailers", "proxy_on_response_headers"
RESPONSE_BODY, RESPONSE_TRAILERS = "proxy_on_response_body", "proxy_on_response_trailers"
GRPC_INITIAL, GRPC_RECEIVE = "proxy_on_grpc_receive_initial_metadata", "proxy_on_grpc_receive"
GRPC_TRAILING, GRPC_CLOSE = "proxy_on_grpc_receive_trailing_metadata", "proxy_on_grpc_close"
NEW_CONNECTION, DOWNSTREAM_DATA = "proxy_on_new_connection", "proxy_on_downstream_data"
UPSTREAM_DATA, DOWNSTREAM_CLOSE = "proxy_on_upstream_data", "proxy_on_downstream_connection_close"
UPSTREAM_CLOSE = "proxy_on_upstream_connection_close"
RESOLVED = "envoy_on_resolve_dns"
LOG, DONE, DELETE = "proxy_on_log", "proxy_on_done", "proxy_on_delete"
ALWAYS = (REQUEST_HEADERS, REQUEST_BODY, REQUEST_TRAILERS, RESPONSE_HEADERS, RESPONSE_BODY, RESPONSE_TRAILERS,
          CALL_RESPONSE, QUEUE_READY, LOG)  # fmt: skip
PLAYED = (*ALWAYS, CONTEXT_CREATE, VM_START, CONFIGURE, TICK, GRPC_INITIAL, GRPC_RECEIVE, GRPC_TRAILING, GRPC_CLOSE,
          NEW_CONNECTION, DOWNSTREAM_DATA, UPSTREAM_DATA, DOWNSTREAM_CLOSE, UPSTREAM_CLOSE, RESOLVED, DONE, DELETE,
          "proxy_on_foreign_function", "proxy_validate_configuration")  # fmt: skip
_CHOOSING = (REQUEST_HEADERS, NEW_CONNECTION)
_TRUE = (VM_START, CONFIGURE, DONE, "proxy_validate_configuration")
_FRAMED = (CONTEXT_CREATE, DONE, DELETE)
"""Every module has these, played or not."""

_PLACES, _COUNTS, _DATA, _HEAP = 2000, 4096, 8192, 131072
_FIRST, _LAST = ord("0"), ord("~")


class LONG(int):
    """An argument of 64 bits."""


@dataclass(frozen=True)
class Read:
    """The number that stands in a place where the host wrote."""

    place: int


@dataclass(frozen=True)
class Out:
    """A place for the host to write to, by its number."""

    place: int


@dataclass(frozen=True)
class Local:
    """A parameter of the callback; the first is the context's id."""

    number: int


class Mark:
    """An argument that is known only later."""


OUT, STREAM, CONTEXT = Mark(), Mark(), Local(0)
Argument = int | str | bytes | Read | Out | Local | Mark
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
    early: bool = False
    """The upstream does not wait for the request's body."""
    talk: tuple[Piece, ...] = ()
    """What is said on the TCP connection that it meets in place of an exchange."""
    refused: bool = False

    def exchange(self, number: int) -> Exchange:
        """The exchange, its request marked with the case."""
        if self.talk or self.refused:
            return conversation(str(number), self.talk, name=self.name, refused=self.refused)
        assert _FIRST + number <= _LAST, "one character chooses the row: there are too many"
        headers = (*self.sent.headers, ("case", chr(_FIRST + number)))
        sent = Message(headers, self.sent.body, self.sent.trailers)
        return Exchange(str(number), 0, sent, self.answer, name=self.name, early=self.early)


def pairs(*headers: Header) -> bytes:
    """Headers as a host call takes them."""
    return encode_pairs(headers)


def nth(callback: str, number: int) -> str:
    """The key of a callback's n-th call for a stream, from 1."""
    return f"{callback}#{number}"


def switchboard(cases: Sequence[Case], abi: Abi = LAST, *, without: Collection[str] = ()) -> bytes:
    """The module for these cases, for a version of the ABI; `without` some of the callbacks in `ALWAYS`."""
    return bytes(wasmtime.wat2wasm(_Writer(cases, abi).module(without)))


class _Writer:
    """Collects imports and data while code is written."""

    def __init__(self, cases: Sequence[Case], abi: Abi) -> None:
        self._cases = cases
        self._abi = abi
        self._imports: dict[str, str] = {}
        self._data: dict[bytes, int] = {}
        self._end = _DATA

    def module(self, without: Collection[str]) -> str:
        played = {key.partition("#")[0] for case in self._cases for key in (*case.calls, *case.results)}
        assert played <= {*PLAYED}, f"nobody plays {played - {*PLAYED}}"
        chosen = self._call(("proxy_get_header_map_value", 0, "case", OUT, OUT)) + _CHOOSE
        names = [name for name in PLAYED if (name in ALWAYS and name not in without) or name in played]
        body = "\n".join([self._callback(name, chosen) for name in names])
        framed = " ".join(_FRAMES[name] for name in _FRAMED if name not in names)
        data = (f'(data (i32.const {at}) "{_escaped(text)}")' for text, at in self._data.items())
        imports, frame = " ".join(self._imports.values()), _FRAME.replace("MARKER", self._abi.marker)
        return f"(module {imports} {frame} {framed} {' '.join(data)} {body})"

    def _callback(self, name: str, chosen: str) -> str:
        type = callbacks(self._abi)[name].type
        params = "".join(f" {word.value}" for word in type.params)
        result = "(result i32)" if type.results else ""
        before = "(global.set $stream (local.get 0))" if name in _CHOOSING else ""
        before += chosen + self._zeroed() if name == REQUEST_HEADERS else ""
        before += _COUNT + self._zeroed() if name == NEW_CONNECTION else ""
        before += _FORGET if name == CONTEXT_CREATE else ""
        return f'(func (export "{name}") (param{params}) {result} {before} {"".join(self._rows(name))} ' + (
            f"(i32.const {_usual(name)}))" if type.results else ")"
        )

    def _rows(self, name: str) -> Iterator[str]:
        counted = self._counted(name)
        if counted:
            yield f"(i32.store {_count(name)} (i32.add (i32.load {_count(name)}) (i32.const 1)))"
        for number, case in enumerate(self._cases):
            deeds = "".join(self._nth_rows(name, case))
            deeds += " ".join(self._call(call) for call in case.calls.get(name, ()))
            result = case.results.get(name, _usual(name))
            back = "".join(_nth_results(name, case))
            usually = f"(return (i32.const {result}))" if result != _usual(name) else ""
            if usually and name in (REQUEST_BODY, RESPONSE_BODY):
                usually = f"(if (i32.eqz (local.get 2)) (then {usually}))"
            if deeds or back or usually:
                chosen = f"(i32.eq (global.get $case) (i32.const {number}))"
                yield f"(if {chosen} (then {deeds} {back} {usually}))"

    def _nth_rows(self, name: str, case: Case) -> Iterator[str]:
        for key, calls in case.calls.items():
            callback, _, number = key.partition("#")
            if number and callback == name:
                yield f"(if {_is_nth(name, number)} (then {' '.join(map(self._call, calls))}))"

    def _counted(self, name: str) -> bool:
        return any(key.startswith(f"{name}#") for case in self._cases for key in (*case.calls, *case.results))

    def _zeroed(self) -> str:
        return " ".join(f"(i32.store {_count(name)} (i32.const 0))" for name in PLAYED if self._counted(name))

    def _call(self, call: Call) -> str:
        function, *arguments = call
        assert isinstance(function, str)
        if function == "unreachable":
            return "unreachable"
        words = [word for number, argument in enumerate(arguments) for word in self._words(argument, number)]
        kinds = "".join(f" {word[1:4]}" for word in words)
        kinds = kinds.replace(" glo", " i32").replace(" loc", " i32")
        row = self._row(function)
        result = "(result i32)" if row is None or row.type.results else ""
        module = row.modules[0] if row is not None else "env"
        self._imports[function] = (
            f'(import "{module}" "{function}" (func ${function} (param{kinds}) {result}))'
        )
        called = f"(call ${function} {' '.join(words)})"
        return f"(drop {called})" if result else called

    def _row(self, function: str) -> Function | None:
        rows = named(function)
        return next((row for row in rows if row.has(self._abi)), rows[0] if rows else None)

    def _words(self, argument: Argument, number: int) -> Iterator[str]:
        if isinstance(argument, (str, bytes)):
            data = argument.encode() if isinstance(argument, str) else argument
            yield f"(i32.const {self._place(data)})"
            yield f"(i32.const {len(data)})"
        elif isinstance(argument, Read):
            yield f"(i32.load (i32.const {_PLACES + 4 * argument.place}))"
        elif isinstance(argument, Local):
            yield f"(local.get {argument.number})"
        elif argument is STREAM:
            yield "(global.get $stream)"
        elif argument is OUT or isinstance(argument, Out):
            yield f"(i32.const {_PLACES + 4 * (argument.place if isinstance(argument, Out) else number)})"
        else:
            assert isinstance(argument, int)
            yield f"({'i64' if isinstance(argument, LONG) else 'i32'}.const {int(argument)})"

    def _place(self, data: bytes) -> int:
        if data not in self._data:
            self._data[data] = self._end
            self._end += len(data) + 8
            assert self._end < _HEAP, "all texts together are too long"
        return self._data[data]


def _nth_results(name: str, case: Case) -> Iterator[str]:
    for key, result in case.results.items():
        callback, _, number = key.partition("#")
        if number and callback == name:
            yield f"(if {_is_nth(name, number)} (then (return (i32.const {result}))))"


def _is_nth(name: str, number: str) -> str:
    return f"(i32.eq (i32.load {_count(name)}) (i32.const {number}))"


def _count(name: str) -> str:
    """Where the calls of a callback are counted."""
    return f"(i32.const {_COUNTS + 4 * PLAYED.index(name)})"


def _usual(name: str) -> int:
    return int(name in _TRUE)


def _escaped(data: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in data)


_CHOOSE = f"""
  (global.set $case (i32.sub (i32.load8_u (i32.load (i32.const {_PLACES + 8}))) (i32.const {_FIRST})))"""
_COUNT = """
  (global.set $case (global.get $connections))
  (global.set $connections (i32.add (global.get $connections) (i32.const 1)))"""
_FORGET = f"(global.set $heap (i32.const {_HEAP}))"
_FRAMES = {
    CONTEXT_CREATE: f'(func (export "{CONTEXT_CREATE}") (param i32 i32) {_FORGET})',
    DONE: f'(func (export "{DONE}") (param i32) (result i32) (i32.const 1))',
    DELETE: f'(func (export "{DELETE}") (param i32))',
}
_FRAME = f"""
(memory (export "memory") 4)
(global $case (mut i32) (i32.const 0))
(global $stream (mut i32) (i32.const 0))
(global $connections (mut i32) (i32.const 0))
(global $heap (mut i32) (i32.const {_HEAP}))
(func (export "MARKER"))
(func (export "malloc") (param $size i32) (result i32) (local $at i32)
  (local.set $at (global.get $heap))
  (global.set $heap (i32.and (i32.add (i32.add (global.get $heap) (local.get $size)) (i32.const 15)) (i32.const -16)))
  (local.get $at))
"""
