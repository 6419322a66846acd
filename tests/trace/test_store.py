"""Trace files are JSON Lines that can be reviewed."""

from __future__ import annotations

import json

from simwasm.abi.enums import HeadersAction, LogLevel, MapType, Status
from simwasm.abi.table import named
from simwasm.errors import Frame, Trap, TrapKind
from simwasm.trace.event import Entered, Left, Trapped
from simwasm.trace.store import FORMAT, Recorder

HEAD = {"format": FORMAT, "plugins": [{"name": "p"}], "started_ns": 1000}
HEADERS = Entered(1, 1500, "p", 2, named("proxy_on_request_headers")[-1], (2, 8, True), (2, 8, 1))
GET = Entered(
    2, 1500, "p", 2, named("proxy_get_header_map_value")[0], (MapType.HTTP_REQUEST_HEADERS, "a"), ()
)
LOG = Entered(4, 1500, "p", 2, named("proxy_log")[0], (LogLevel.INFO, "hi"), ())


def lines(*events: Entered | Left | Trapped) -> list[dict[str, object]]:
    written: list[str] = []
    record = Recorder(written.append, HEAD)
    for event in events:
        record(event)
    return [json.loads(line) for line in written]


def test_the_first_line_is_the_header() -> None:
    assert lines() == [HEAD]


def test_a_call_that_nothing_happened_in_is_one_line() -> None:
    found = lines(HEADERS, GET, Left(3, 2, Status.NOT_FOUND, (), "no"), LOG, Left(5, 4, Status.OK, (), ""),
                  Left(6, 1, HeadersAction.PAUSE, (), ""))  # fmt: skip
    assert found[1:] == [
        {"at": 500, "context": 2, "call": "proxy_on_request_headers",
         "args": {"context_id": 2, "num_headers": 8, "end_of_stream": True}},
        {"context": 2, "call": "proxy_get_header_map_value",
         "args": {"map_type": "HTTP_REQUEST_HEADERS", "key": "a"}, "result": "NOT_FOUND", "reason": "no"},
        {"context": 2, "call": "proxy_log", "args": {"level": "INFO", "message": "hi"}, "result": "OK"},
        {"result": "PAUSE"},
    ]  # fmt: skip


def test_values_that_come_out_are_named() -> None:
    assert lines(GET, Left(3, 2, Status.OK, ("v",), ""))[1]["gives"] == {"value": "v"}


def test_a_trap_has_its_frames() -> None:
    trap = Trap(TrapKind.UNREACHABLE, (Frame(7, "abort", 418),))
    assert lines(HEADERS, Trapped(2, 1, trap))[1]["trap"] == {
        "kind": "unreachable",
        "detail": "",
        "frames": [{"function": 7, "name": "abort", "offset": 418}],
    }


def test_a_recorder_may_be_told_without_events() -> None:
    written: list[str] = []
    record = Recorder(written.append, HEAD)
    record.enter(GET.at, GET.vm, GET.context, GET.function, GET.args)
    record.leave(2, Status.OK, ("v",), "why")
    assert [json.loads(line) for line in written] == lines(GET, Left(3, 2, Status.OK, ("v",), "why"))
