"""Header maps and buffers: used when they are not there, changed when they have left, and what no header may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from simwasm.abi.enums import BufferType, MapType, Status
from simwasm.lints.bodies import SET_BODY
from simwasm.lints.lint import Call, Ended, Lint, Over
from simwasm.lints.run import Run, short
from simwasm.lints.streams import CONTINUES, direction
from simwasm.lints.watcher import Ends, Watcher
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import value_text

WRONG_CALLBACK = Lint(
    "wrong-callback", Grade.ERROR, "headers or a body are used in a callback that does not have them",
    "A map or body is there from its callback until that one lets it go on; request headers are gone in the "
    "response's callbacks, and proxy_on_log can only read.",
    "Read it in its own callback and keep it in the stream's context; write it there, before returning Continue.",
)  # fmt: skip
AFTER_CONTINUE = Lint(
    "write-after-continue", Grade.ERROR, "a write after continue",
    "What was continued has left, or leaves as it is: Envoy takes the request's headers and body away from the "
    "plugin with the call, and what is written to a response's headers later reaches nobody.",
    "Write first, then continue.",
)  # fmt: skip
LINE_BREAK = Lint(
    "header-with-line-break", Grade.ERROR, "a header with a line break or a zero byte",
    "No header may hold NUL, CR or LF: a debug build of Envoy ends there, a release build refuses the message or "
    "sends what others read as two headers.",
    "Escape or remove those characters; a value that comes from outside needs this always.",
)  # fmt: skip

_READS = ("proxy_get_header_map_value", "proxy_get_header_map_pairs", "proxy_get_header_map_size")
_WRITES = (
    "proxy_add_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_remove_header_map_value",
    "proxy_set_header_map_pairs",
)
_ONE_HEADER = _WRITES[:2]
_BUFFERS = ("proxy_get_buffer_bytes", "proxy_get_buffer_status", SET_BODY)
_WITH_PAIRS = ("proxy_send_local_response", "proxy_http_call", "proxy_grpc_call", "proxy_grpc_stream")
_SIDES = {
    MapType.HTTP_REQUEST_HEADERS: "request", MapType.HTTP_RESPONSE_HEADERS: "response",
    BufferType.HTTP_REQUEST_BODY: "request", BufferType.HTTP_RESPONSE_BODY: "response",
}  # fmt: skip
_NEVER = re.compile(r"[\0\r\n]")


class Headers(Watcher):
    """Writes to headers, and who may."""

    LINTS = (WRONG_CALLBACK, AFTER_CONTINUE, LINE_BREAK)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._continued: dict[int, dict[tuple[str, int, str], int]] = {}
        """Where the callback began that let a direction go on, by exchange."""

    def ends(self) -> Ends:
        return {
            **dict.fromkeys(CONTINUES, self._goes_on),
            **dict.fromkeys(_WRITES, self._written),
            **dict.fromkeys(_WITH_PAIRS, self._looked_at),
        }

    def claim(self, call: Call, ended: Ended) -> Lint | None:
        name, kind = call.function.name, call.args[0] if call.args else None
        if ended.result is not Status.BAD_ARGUMENT and ended.result is not Status.NOT_FOUND:
            return None
        if name in (*_WRITES, SET_BODY) and self._has_left(call, refused=True):
            return AFTER_CONTINUE
        if name in _WRITES and next(_spoiled(call), None) is not None:
            return LINE_BREAK
        if name in (*_READS, *_WRITES) and isinstance(kind, MapType) and ended.result is Status.BAD_ARGUMENT:
            return WRONG_CALLBACK
        if name in _BUFFERS and isinstance(kind, BufferType) and "not available" in ended.reason:
            return WRONG_CALLBACK
        return None

    def _goes_on(self, call: Call, ended: Ended) -> None:
        number = self.run.exchange(call)
        if number and ended.well:
            lanes = self._continued.setdefault(number, {})
            lanes[call.vm, call.context, direction(call)] = self.run.outermost(call).position

    def _written(self, call: Call, ended: Ended) -> None:
        if ended.trap is not None or ended.result:
            return
        if self._continued and self._has_left(call, refused=False):
            kind = _SIDES[call.args[0]]
            self.run.tell(
                AFTER_CONTINUE, call,
                f"{call.vm} changed the {kind}'s headers in {self.run.outermost(call).function.name} after it had "
                f"continued the {kind}.",
            )  # fmt: skip
        self._looked_at(call, ended)

    def _looked_at(self, call: Call, ended: Ended) -> None:
        """Look for what no header may hold."""
        found = None if ended.trap is not None or ended.result else next(_spoiled(call), None)
        if found is not None:
            name, value = found
            self.run.tell(
                LINE_BREAK, call,
                f"{call.vm} gave {call.function.name} the header `{short(name, 80)}` with the value "
                f"{value_text(value, 80)}.",
            )  # fmt: skip

    def _has_left(self, call: Call, *, refused: bool) -> bool:
        """Whether what a call writes was continued; headers that can still be written go at the end of the callback."""
        side = _SIDES.get(call.args[0])
        lanes = self._continued.get(self.run.exchange(call))
        callback = self.run.outermost(call)
        if side is None or lanes is None or callback.function.name == "proxy_on_log":
            return False
        where = lanes.get((call.vm, call.context, side))
        if where is None:
            return False
        if call.args[0].__class__ is BufferType:
            return where == callback.position
        return refused or where != callback.position

    def exchange(self, over: Over) -> None:
        self._continued.pop(over.number, None)


def _spoiled(call: Call) -> Iterator[tuple[object, object]]:
    """The headers of a call that hold what none may."""
    for argument in call.args:
        if argument.__class__ is tuple:
            yield from ((key, value) for key, value in argument if _bad(key) or _bad(value))
    if call.function.name in _ONE_HEADER and (_bad(call.args[1]) or _bad(call.args[2])):
        yield call.args[1], call.args[2]


def _bad(text: object) -> bool:
    return isinstance(text, str) and _NEVER.search(text) is not None
