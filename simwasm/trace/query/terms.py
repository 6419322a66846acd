"""The terms of the filter language, described once: help, completion and the manual derive from these rows.

Rules: a term reads one value from a row, or several, or None where the row has none; `ends` says that it can only be
read when the call has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from simwasm.abi.enums import (
    Action,
    BufferType,
    DataAction,
    Errno,
    HeadersAction,
    LogLevel,
    MapType,
    Status,
    StreamType,
)
from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import ALLOCATORS, FUNCTIONS, Function, Side
from simwasm.trace.event import Left, Trapped
from simwasm.trace.query import names
from simwasm.trace.query.grades import Grade, grade_of, level_of, message_of
from simwasm.trace.query.subject import Subject
from simwasm.trace.query.values import Shape, text_of
from simwasm.trace.rows import Kind

Read = Callable[[Subject], Any]
_PLUGIN = Side.PLUGIN


@dataclass(frozen=True, slots=True)
class Term:
    """One row."""

    name: str
    shape: Shape
    read: Read
    doc: str
    example: str
    ends: bool = False
    several: bool = False
    """It reads a tuple of values, one of which has to fit."""
    bare: bool = False
    """Its name alone asks whether there is a value."""
    kinds: tuple[type[IntEnum], ...] = ()
    others: tuple[str, ...] = ()
    """Names of values that are no members of these kinds."""
    aliases: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """What may be written as its value, as far as that can be listed."""
        if self.shape is Shape.FUNCTION:
            return tuple(map(names.short, self.others))
        return tuple(dict.fromkeys([one.name for kind in self.kinds for one in kind] + list(self.others)))


class _Place(dict[Function, int]):
    """Where a function has the parameter that is asked for: -1 for nowhere. Found out once for each function."""

    def __init__(self, wanted: Callable[[Function], Iterable[Param]], *called: str) -> None:
        super().__init__()
        self._wanted, self._called = wanted, called

    def __missing__(self, function: Function) -> int:
        found = (at for at, param in enumerate(self._wanted(function)) if param.name in self._called)
        self[function] = at = next(found, -1)
        return at


def argument(*called: str, of: str = "") -> Read:
    """Read the argument of that name; `of` functions with that in their names."""
    place = _Place(lambda function: function.inputs if of in function.name else (), *called)

    def read(subject: Subject) -> Any:
        entered = subject.entered
        at = place[entered.function]
        return entered.args[at] if at >= 0 else None

    return read


def output(called: str) -> Read:
    """Read what came out through the parameter of that name."""
    place = _Place(lambda function: function.outputs, called)

    def read(subject: Subject) -> Any:
        ended = subject.ended
        if not isinstance(ended, Left) or not ended.values:
            return None
        at = place[subject.entered.function]
        return ended.values[at] if at >= 0 else None

    return read


def _text(read: Read) -> Read:
    def as_text(subject: Subject) -> str | None:
        value = read(subject)
        return None if value is None else ".".join(value) if isinstance(value, tuple) else text_of(value)

    return as_text


def _callback(subject: Subject) -> str | None:
    function = subject.entered.function
    return function.name if function.side is _PLUGIN and function.name not in ALLOCATORS else None


def _host(subject: Subject) -> str | None:
    function = subject.entered.function
    return function.name if function.side is not _PLUGIN else None


_WRITING = ("_set_property", "_set_buffer", "_set_header", "_add_header", "_replace_header", "_remove_header",
            "_set_shared", "_enqueue_shared", "_dequeue_shared", "_increment_metric", "_record_metric",
            "_send_local_response")  # fmt: skip


class _Deeds(dict[Function, "str | None"]):
    """Whether a function reads or writes what the host keeps."""

    def __missing__(self, function: Function) -> str | None:
        name = function.name
        found = "write" if any(part in name for part in _WRITING) else "read" if "_get_" in name else None
        self[function] = found if function.side is not _PLUGIN else None
        return self[function]


_DEEDS = _Deeds()


class _Pairs(dict[Function, tuple[int, ...]]):
    """Where a function has headers: a single name, or lists."""

    def __missing__(self, function: Function) -> tuple[int, ...]:
        inputs = function.inputs
        of_map = any(param.name == "map_type" for param in inputs)
        self[function] = found = tuple(
            at
            for at, param in enumerate(inputs)
            if param.form is Form.PAIRS or (of_map and param.name == "key")
        )
        return found


_PAIRS = _Pairs()


def _headers(subject: Subject) -> tuple[str, ...] | None:
    entered = subject.entered
    places = _PAIRS[entered.function]
    if not places:
        return None
    found: list[str] = []
    for at in places:
        value = entered.args[at]
        if isinstance(value, str):
            found.append(value)
        elif value:
            found.extend(name for name, _ in value)
    return tuple(found) or None


def _values(subject: Subject) -> tuple[Any, ...] | None:
    ended = subject.ended
    outputs = ended.values if isinstance(ended, Left) else ()
    found = [value for value in (*subject.entered.args, *outputs) if value is not None]
    return tuple(found) or None


def _status(subject: Subject) -> Any:
    ended = subject.ended
    if not isinstance(ended, Left) or subject.entered.function.errors is None:
        return None
    return ended.result


def _reason(subject: Subject) -> str | None:
    ended = subject.ended
    return (ended.reason or None) if isinstance(ended, Left) else None


def _result(subject: Subject) -> Any:
    ended = subject.ended
    if not isinstance(ended, Left) or subject.entered.function.errors is not None:
        return None
    return ended.result


def _trap(subject: Subject) -> str | None:
    ended = subject.ended
    return str(ended.trap) if isinstance(ended, Trapped) else None


def _problem(subject: Subject) -> str | None:
    grade = grade_of(subject.entered, subject.ended)
    return grade.name.lower() if grade is not None and grade > Grade.NOTE else None


def _took(subject: Subject) -> int | None:
    return None if subject.ended is None else subject.took_ns


def _exchange(subject: Subject) -> int | None:
    found = subject.around.exchange(subject.entered, subject.position)
    return None if found is None else found[0]


def _asked(header: str) -> Read:
    def read(subject: Subject) -> str | None:
        found = subject.around.exchange(subject.entered, subject.position)
        return None if found is None else found[1].request.header(header)

    return read


def _around(subject: Subject) -> str | None:
    return subject.around.callback(subject.position) or None


PHASES = {
    "request": ("proxy_on_request_headers", "proxy_on_request_body", "proxy_on_request_trailers",
                "proxy_on_request_metadata"),
    "response": ("proxy_on_response_headers", "proxy_on_response_body", "proxy_on_response_trailers",
                 "proxy_on_response_metadata"),
    "callout": ("proxy_on_http_call_response", "proxy_on_grpc_receive_initial_metadata", "proxy_on_grpc_receive",
                "proxy_on_grpc_receive_trailing_metadata", "proxy_on_grpc_close"),
    "background": ("proxy_on_tick", "proxy_on_queue_ready", "proxy_on_foreign_function"),
    "end": ("proxy_on_log", "proxy_on_done", "proxy_on_delete"),
}  # fmt: skip
"""The callbacks of each phase; those of none are `start`."""
_PHASE = {name: phase for phase, callbacks in PHASES.items() for name in callbacks}


def _phase(subject: Subject) -> str | None:
    around = subject.around.callback(subject.position)
    return _PHASE.get(around, "start") if around else None


_KINDS = {Kind.CALLBACK: "callback", Kind.HOST_CALL: "call", Kind.RETURN: "return", Kind.TRAP: "trap"}
_ALL_NAMES = names.CALLBACK_NAMES + names.HOST_NAMES
_ACTIONS = (HeadersAction, DataAction, Action)

TERMS: tuple[Term, ...] = (
    Term("call", Shape.FUNCTION, lambda subject: subject.entered.function.name,
         "The function that is called: a callback or a host function.", "call:get_header", others=_ALL_NAMES),
    Term("callback", Shape.FUNCTION, _callback, "The callback, on the rows where it begins and where it ends.",
         "callback:on_request_headers", others=names.CALLBACK_NAMES, bare=True),
    Term("host", Shape.FUNCTION, _host, "The host function.", "host:http_call", others=names.HOST_NAMES),
    Term("in", Shape.FUNCTION, _around, "The host's callback that the row is in.", "in:on_response_body",
         others=names.CALLBACK_NAMES),
    Term("phase", Shape.MEMBER, _phase, "The part of a plugin's life that the row is in.", "phase:response",
         others=("start", *PHASES)),
    Term("kind", Shape.MEMBER, lambda subject: _KINDS[subject.kind], "What the row stands for.", "kind:return",
         others=tuple(_KINDS.values())),
    Term("exchange", Shape.NUMBER, _exchange, "The number of the exchange, from 1.", "exchange:3"),
    Term("method", Shape.NAME, _asked(":method"), "The method of the exchange's request.", "method:POST"),
    Term("path", Shape.NAME, _asked(":path"), "The path of the exchange's request.", "path:/login*"),
    Term("vm", Shape.NAME, lambda subject: subject.entered.vm, "The name of the plugin.", "vm:auth",
         aliases=("plugin",)),
    Term("ctx", Shape.NUMBER, lambda subject: subject.entered.context, "The number of the plugin's context.", "ctx:4",
         aliases=("context",)),
    Term("status", Shape.MEMBER, _status, "What the host function answered.", "status!=OK", ends=True,
         kinds=(Status, Errno)),
    Term("reason", Shape.PROSE, _reason, "Why the host answered so, in words.", "reason~cluster", ends=True),
    Term("ret", Shape.MEMBER, _result, "What the callback returned.", "ret:Pause", ends=True, kinds=_ACTIONS,
         others=("true", "false"), aliases=("action", "result")),
    Term("dur", Shape.TIME, _took, "How long the call really took, with all that happened in it.", "dur>1ms",
         ends=True, aliases=("took",)),
    Term("map", Shape.MEMBER, argument("map_type"), "The header map that is read or written.", "map:req",
         kinds=(MapType,)),
    Term("key", Shape.NAME, argument("key"), "The name of the header, or of the shared value.", "key:auth*"),
    Term("header", Shape.NAME, _headers, "A header that is read, written, or sent.", "header:x-user", several=True),
    Term("value", Shape.PROSE, _values, "Any text or number that goes in or comes out.", "value~alice", ends=True,
         several=True),
    Term("does", Shape.MEMBER, lambda subject: _DEEDS[subject.entered.function],
         "Whether the host function reads or writes headers, bodies, properties, shared data, metrics.",
         "header:x-user does:write", others=("read", "write")),
    Term("buffer", Shape.MEMBER, argument("buffer_type"), "The body or other buffer that is read or written.",
         "buffer:response", kinds=(BufferType,)),
    Term("stream", Shape.MEMBER, argument("stream_type"), "The stream that is continued or closed.",
         "stream:HTTP_REQUEST", kinds=(StreamType,)),
    Term("property", Shape.NAME, _text(argument("path", of="property")), "The property that is read or written.",
         "property:source.address"),
    Term("shared", Shape.NAME, argument("key", of="shared_data"), "The key of the shared value.", "shared:counter"),
    Term("queue", Shape.NAME, argument("name", of="shared_queue"), "The shared queue that is looked for.",
         "queue:jobs"),
    Term("metric", Shape.NAME, argument("name", of="define_metric"), "The metric, where it is defined.",
         "metric:denied*"),
    Term("upstream", Shape.NAME, _text(argument("upstream")), "The cluster that is called.", "upstream:idp",
         aliases=("cluster",)),
    Term("log", Shape.PROSE, lambda subject: message_of(subject.entered), "The line that is logged.", "log:denied"),
    Term("level", Shape.MEMBER, lambda subject: level_of(subject.entered), "The level of the line that is logged.",
         "level>=WARN", kinds=(LogLevel,)),
    Term("depth", Shape.NUMBER, lambda subject: subject.depth, "How many calls are open around this one.", "depth<2"),
    Term("position", Shape.NUMBER, lambda subject: subject.position, "The number of the event.", "position>=1000",
         aliases=("pos",)),
    Term("trap", Shape.PROSE, _trap, "The trap, by name or just any.", "trap:unreachable", ends=True, bare=True),
    Term("problem", Shape.MEMBER, _problem, "Traps, bad statuses, errors in the log.", "problem:error", ends=True,
         bare=True, others=("warning", "error")),
)  # fmt: skip
_BY_NAME = {name: term for term in TERMS for name in (term.name, *term.aliases)}


def _kinds(params: Sequence[Param]) -> tuple[type[IntEnum], ...]:
    return tuple(dict.fromkeys(param.enum for param in params if param.enum is not None))


def _params(out: bool) -> dict[str, list[Param]]:
    found: dict[str, list[Param]] = {}
    for function in FUNCTIONS:
        for param in function.outputs if out else function.inputs:
            found.setdefault(param.name, []).append(param)
    return found


_INPUTS, _OUTPUTS = _params(False), _params(True)
NAMED = {
    **{
        f"arg.{name}": Term(f"arg.{name}", Shape.ANY, argument(name), "The argument of that name.",
                            f"arg.{name}:…", kinds=_kinds(params), others=("true", "false"))
        for name, params in _INPUTS.items()
    },
    **{
        f"out.{name}": Term(f"out.{name}", Shape.ANY, output(name), "What comes out under that name.",
                            f"out.{name}:…", ends=True, kinds=_kinds(params))
        for name, params in _OUTPUTS.items()
    },
}  # fmt: skip
"""A term for each argument, and for each thing that comes out, of every function."""


def term(name: str) -> Term | None:
    """The term of that name."""
    return _BY_NAME.get(name.lower()) or NAMED.get(name.lower())


def known() -> tuple[str, ...]:
    """Every name of a term."""
    return (*_BY_NAME, *NAMED)
