"""A trace as OpenTelemetry spans: an ExportTraceServiceRequest in OTLP's JSON.

    exchange    a server's span, the root of a trace      callback    a span in it; log lines are its events
    callout     a client's span, from the call that sent it to its answer

Rules: identifiers are derived from the trace, so the same file always gives the same spans; attributes have the names
of the semantic conventions where those have one, and begin with `simwasm.` elsewhere; identifiers are hexadecimal and
64-bit numbers are texts, as OTLP's JSON wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from simwasm import __version__
from simwasm.abi.enums import LogLevel
from simwasm.abi.table import Side
from simwasm.exchange import Headers
from simwasm.exports.callouts import Callout, Callouts, argument
from simwasm.exports.timeline import Block, Slice, Timeline
from simwasm.exports.values import args, dumps, text
from simwasm.trace.event import Trapped
from simwasm.trace.parse import Ending, Header, header_json
from simwasm.trace.query.grades import level_of, message_of
from simwasm.trace.scan import Found, Over

_INTERNAL, _SERVER, _CLIENT = 1, 2, 3
_ERROR = 2
_PLUGIN = Side.PLUGIN


def write_otlp(told: Iterable[Header | Found | Over], write: Callable[[str], object]) -> None:
    """Write what is told of a trace."""
    _Otlp(write).all(told)


class _Otlp:
    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._between = ""
        self._timeline = Timeline()
        self._callouts = Callouts()
        self._began: dict[int, int] = {}
        self._started = 0
        self._digest = ""

    def all(self, told: Iterable[Header | Found | Over]) -> None:
        for each in self._timeline.blocks(told):
            if isinstance(each, Header):
                self._begin(each)
            elif isinstance(each, Over):
                self._over(each.exchange, each.ending)
            else:
                self._block(each)
        for exchange in tuple(self._began):
            self._root(
                exchange, f"exchange {exchange}", {"simwasm.ended": False}, error="the trace ends before it"
            )
        scope = {
            "name": "simwasm",
            "version": __version__,
            "attributes": _attributes({"clock": self._timeline.rule}),
        }
        self._write(f'\n],"scope":{dumps(scope)}}}]}}]}}\n')

    def _begin(self, header: Header) -> None:
        self._started = header.started_ns
        self._digest = sha256(dumps(header_json(header)).encode()).hexdigest()
        names = " + ".join(text(made.name) for made in header.plugins) or "?"
        told = {"service.name": names, "simwasm.profile": text(header.profile), "simwasm.seed": header.seed}
        if header.engine:
            told["simwasm.engine"] = text(header.engine)
        resource = {"attributes": _attributes(told)}
        self._write(f'{{"resourceSpans":[{{"resource":{dumps(resource)},"scopeSpans":[{{"spans":[\n')

    def _trace(self, exchange: int) -> str:
        return sha256(f"{self._digest} exchange {exchange}".encode()).hexdigest()[:32]

    def _id(self, what: str, number: int) -> str:
        return sha256(f"{self._digest} {what} {number}".encode()).hexdigest()[:16]

    def _span(
        self, exchange: int, id: str, name: str, kind: int, times: tuple[int, int], told: dict[str, Any],
        *, root: bool = False, events: list[dict[str, Any]] | None = None, error: str = "",
    ) -> None:  # fmt: skip
        span: dict[str, Any] = {
            "traceId": self._trace(exchange),
            "spanId": id,
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(self._started + times[0]),
            "endTimeUnixNano": str(self._started + times[1]),
            "attributes": _attributes(told),
        }
        if not root and exchange:
            span["parentSpanId"] = self._id("exchange", exchange)
        if events:
            span["events"] = events
        if error:
            span["status"] = {"code": _ERROR, "message": error}
        self._write(self._between + dumps(span))
        self._between = ",\n"

    def _block(self, block: Block) -> None:
        if block.exchange:
            self._began.setdefault(block.exchange, block.whole.start)
        if (callout := self._callouts.ended(block)) is not None:
            self._callout(callout)
        for slice in block.whole.all():
            if slice.row.entered.function.side is _PLUGIN:
                self._callback(slice, block.exchange)

    def _callback(self, slice: Slice, exchange: int) -> None:
        row = slice.row
        entered, ended = row.entered, row.ended
        told = {
            "simwasm.row": row.index + 1,
            "simwasm.plugin": text(entered.vm),
            "simwasm.context": entered.context,
        }
        told |= {f"simwasm.{name}": value for name, value in args(row).items()}
        events = [self._line(each) for each in slice.inside if message_of(each.row.entered) is not None]
        error = text(ended.trap) if isinstance(ended, Trapped) else ""
        self._span(exchange, self._id("row", row.index), entered.function.name, _INTERNAL, (slice.start, slice.end),
                   told, events=events, error=error)  # fmt: skip

    def _line(self, slice: Slice) -> dict[str, Any]:
        level, line = level_of(slice.row.entered), message_of(slice.row.entered)
        said = line.decode("utf-8", "backslashreplace") if isinstance(line, bytes) else line
        told = {"log.severity": (level or LogLevel.INFO).name, "log.message": text(said)}
        return {
            "timeUnixNano": str(self._started + slice.start),
            "name": "log",
            "attributes": _attributes(told),
        }

    def _callout(self, callout: Callout) -> None:
        row = callout.sent
        headers = argument(row, "headers") or ()
        cluster = row.entered.args[0]
        cluster = text(cluster.decode("utf-8", "backslashreplace") if isinstance(cluster, bytes) else cluster)
        told = {"simwasm.row": row.index + 1, "simwasm.cluster": cluster, **_asked(headers)}
        if headers:
            name = f"{told.get('http.request.method', 'HTTP')} {cluster}"
        else:
            told |= {"rpc.system": "grpc", "rpc.service": text(argument(row, "service")),
                     "rpc.method": text(argument(row, "method"))}  # fmt: skip
            name = f"{told['rpc.service']}/{told['rpc.method']}"
        times = callout.start, max(callout.start, callout.end)
        self._span(callout.exchange, self._id("callout", row.index), name, _CLIENT, times, told,
                   error="no answer" if callout.failed else "")  # fmt: skip

    def _over(self, exchange: int, ending: Ending) -> None:
        told: dict[str, Any] = {
            "simwasm.exchange": text(ending.exchange),
            "simwasm.local_reply": ending.local_reply,
        }
        told |= _asked(ending.request.headers if ending.request is not None else _named(ending.name))
        if ending.status is not None:
            told["http.response.status_code"] = ending.status
        for key, value in (("details", ending.details), ("waiting", ending.waiting)):
            if value:
                told[f"simwasm.{key}"] = text(value)
        wrong = ending.reset or (str(ending.status) if (ending.status or 0) >= 500 else "")
        if wrong:
            told["error.type"] = text(wrong)
        self._root(exchange, text(ending.name) or f"exchange {exchange}", told, error=text(wrong))

    def _root(self, exchange: int, name: str, told: dict[str, Any], *, error: str) -> None:
        times = self._began.pop(exchange, self._timeline.now), self._timeline.now
        self._span(
            exchange, self._id("exchange", exchange), name, _SERVER, times, told, root=True, error=error
        )


def _named(name: str) -> Headers:
    """What an exchange's name tells of its request."""
    method, _, path = name.partition(" ")
    return ((":method", method), (":path", path)) if path.startswith("/") else ()


_CONVENTIONS = {":method": "http.request.method", ":scheme": "url.scheme", ":authority": "server.address",
                "user-agent": "user_agent.original"}  # fmt: skip


def _asked(headers: Headers) -> dict[str, Any]:
    """A request as the semantic conventions tell it."""
    found: dict[str, Any] = {}
    for name, value in headers:
        if name in _CONVENTIONS:
            found.setdefault(_CONVENTIONS[name], text(value))
        elif name == ":path":
            path, sign, query = text(value).partition("?")
            found["url.path"] = path
            if sign:
                found["url.query"] = query
    return found


def _attributes(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in told.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)} if -(1 << 63) <= value < 1 << 63 else {"stringValue": str(value)}
    return {"stringValue": value if isinstance(value, str) else dumps(value)}
