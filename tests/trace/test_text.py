"""The arrow log reads as its module says."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from simwasm.abi.enums import HeadersAction, LogLevel, MapType, Status
from simwasm.abi.table import named
from simwasm.errors import Frame, Trap, TrapKind
from simwasm.trace.event import Entered, Left, Trapped
from simwasm.trace.text import ArrowLog, paint, value_text


class Wire:
    """Events in order, numbered."""

    def __init__(self, **options: Any) -> None:
        self._written: list[str] = []
        self._log = ArrowLog(self._written.append, **options)
        self._seq = count(1)

    @property
    def text(self) -> str:
        return "".join(self._written)

    @property
    def lines(self) -> list[str]:
        assert self.text.endswith("\n") or not self.text
        return self.text.splitlines()

    def enter(self, name: str, *args: object) -> int:
        seq = next(self._seq)
        self._log(Entered(seq, 0, "p", 2, named(name)[-1], args, ()))
        return seq

    def leave(
        self, opened: int, result: object = None, values: tuple[object, ...] = (), reason: str = ""
    ) -> None:
        self._log(Left(next(self._seq), opened, result, values, reason))

    def trap(self, opened: int, trap: Trap) -> None:
        self._log(Trapped(next(self._seq), opened, trap))


def test_host_calls_stand_inside_their_callback() -> None:
    wire = Wire()
    headers = wire.enter("proxy_on_request_headers", 2, 8, True)
    wire.leave(wire.enter("proxy_log", LogLevel.INFO, 'say "hi"\n'), Status.OK)
    wire.leave(headers, HeadersAction.PAUSE)
    assert wire.lines == [
        "→ proxy_on_request_headers(context_id: 2, num_headers: 8, end_of_stream: true)",
        '    proxy_log(level: INFO, message: "say \\"hi\\"\\n") = OK',
        "← PAUSE",
    ]


def test_a_callback_without_calls_is_one_line() -> None:
    wire = Wire()
    wire.leave(wire.enter("proxy_on_response_headers", 2, 3, False), HeadersAction.CONTINUE)
    wire.leave(wire.enter("proxy_on_log", 2))
    assert wire.lines == [
        "→ proxy_on_response_headers(context_id: 2, num_headers: 3, end_of_stream: false) ← CONTINUE",
        "→ proxy_on_log(context_id: 2)",
    ]


def test_a_callback_is_written_before_it_returns() -> None:
    wire = Wire()
    wire.enter("proxy_on_tick", 1)
    assert wire.text == "→ proxy_on_tick(context_id: 1)"


def test_a_refusal_says_why_and_a_value_what() -> None:
    wire = Wire()
    headers = wire.enter("proxy_on_request_headers", 2, 8, True)
    get = ("proxy_get_header_map_value", MapType.HTTP_REQUEST_HEADERS, "allow")
    wire.leave(wire.enter(*get), Status.NOT_FOUND, (), "there is no header `allow`")
    wire.leave(wire.enter(*get), Status.OK, ("true",))
    wire.leave(headers, HeadersAction.CONTINUE)
    assert wire.lines[1].endswith("= NOT_FOUND · there is no header `allow`")
    assert wire.lines[2].endswith('= OK value: "true"')


@pytest.mark.parametrize(("shown", "lines"), [(False, 0), (True, 1)])
def test_the_allocator_is_shown_when_asked_for(shown: bool, lines: int) -> None:
    wire = Wire(allocator=shown)
    wire.leave(wire.enter("malloc", 16), 1024)
    assert len(wire.lines) == lines


def test_a_trap_closes_what_it_tears_down() -> None:
    wire = Wire()
    headers = wire.enter("proxy_on_request_headers", 2, 8, True)
    trap = Trap(TrapKind.UNREACHABLE, (Frame(7, "abort", 0x1A2),))
    log = wire.enter("proxy_log", LogLevel.INFO, "x")
    wire.trap(log, trap)
    wire.trap(headers, trap)
    assert wire.lines[1:] == [
        '    proxy_log(level: INFO, message: "x") ✗ unreachable',
        "✗ unreachable",
        "    at abort (func 7, offset 0x1a2)",
    ]


def test_colours_are_only_added() -> None:
    plain, colour = Wire(), Wire(ink=paint)
    for wire in (plain, colour):
        wire.leave(wire.enter("proxy_on_done", 2), True)
    assert colour.lines == [f"\x1b[1m{plain.lines[0][:-7]}\x1b[0m \x1b[1;36m← true\x1b[0m"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "?"),
        (b"\xff\x00a", '"\\xff\\0a"'),
        ("\x1b[31mred", '"\\x1b[31mred"'),
        ("\udcff", '"\\xff"'),
        ("\u202eab\U000e0001", '"\\u202eab\\U000e0001"'),
        ((("a", "1"), ("b", "2")), "{a: 1, b: 2}"),
        ((), "{}"),
        (("request", "path"), '"request.path"'),
        ("x" * 200, '"' + "x" * 120 + '…" (200 long)'),
    ],
)
def test_a_value_is_one_line_that_cannot_harm_a_terminal(value: object, text: str) -> None:
    assert value_text(value) == text
