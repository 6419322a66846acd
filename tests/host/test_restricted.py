"""A plugin that is restricted to some capabilities: what it is told, and what stands in the log."""

from __future__ import annotations

from scripted import CONFIGURE, OUT, REQUEST, Long, scripted

from simwasm.abi.enums import Errno, LogLevel, Status
from simwasm.engines.engine import Engine
from simwasm.exchange import Exchange, request
from simwasm.host.outcome import LogLine
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Event, Left

WASM = scripted({
    CONFIGURE: [("proxy_log", 2, "hello")],
    REQUEST: [("proxy_get_property", "plugin_name", OUT, OUT), ("clock_time_get", 0, Long(0), OUT)],
})  # fmt: skip


def run(engine: Engine, *allowed: str) -> tuple[list[LogLine], list[Left]]:
    """The log, and how the calls that were refused ended."""
    lines: list[LogLine] = []
    ends: list[Left] = []

    def watch(event: Event) -> None:
        if isinstance(event, Left) and event.reason:
            ends.append(event)

    plugin = Plugin("a", WASM, allowed=frozenset(allowed))
    with Session([plugin], engine=engine, observers=[watch], on_log=lines.append) as session:
        list(session.replay([Exchange("1", 0, request("GET", "/"))]))
    return lines, ends


def test_each_refused_call_is_an_error_in_the_log(engine: Engine) -> None:
    lines, _ = run(engine, REQUEST)
    assert [(line.level, line.text) for line in lines] == [
        (LogLevel.ERROR, "Attempted call to restricted proxy-wasm capability: proxy_get_property"),
        (LogLevel.ERROR, "Attempted call to restricted WASI capability: clock_time_get"),
    ]


def test_a_refused_call_fails_and_says_why(engine: Engine) -> None:
    _, ends = run(engine, REQUEST)
    assert [(end.result, end.reason) for end in ends] == [
        (
            Status.INTERNAL_FAILURE,
            "proxy_get_property is not among the capabilities that this plugin is restricted to",
        ),
        (Errno.NOTCAPABLE, "clock_time_get is not among the capabilities that this plugin is restricted to"),
    ]


def test_without_a_list_nothing_is_refused(engine: Engine) -> None:
    lines, ends = run(engine)
    assert ([line.text for line in lines], ends) == (["wasm log: hello"], [])
