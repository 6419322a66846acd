"""Rows of a trace as lines."""

from __future__ import annotations

from simwasm_tui.outline import Outline
from simwasm_tui.rowline import row_line
from simwasm_tui.text import cells, plain
from tapes import record, tape_of
from wat import call, callback, imported, plugin

from simwasm.abi.table import LAST, host_functions
from simwasm.exchange import Exchange, request
from simwasm.trace.event import Left
from simwasm.trace.rows import Kind, Row

CASE = "http_auth/browser"
WIDTHS = (36, 60, 100)


def rows(id: str = CASE) -> list[Row]:
    tape = tape_of(id)
    outline = Outline(tape)
    outline.grow(len(tape.rows), len(tape.rows))
    return [tape.rows[outline[index]]._replace(took_ns=3_000) for index in range(len(outline))]


def text(row: Row, width: int = 100, **options: int | str) -> str:
    return plain(row_line(row, width, **options)).rstrip()  # type: ignore[arg-type]  # options of row_line


def test_an_exchange_is_read_like_this() -> None:
    first = next(row.index for row in rows() if row.entered.function.name == "proxy_on_request_headers")
    shown = [text(row, 76) for row in rows() if first <= row.index < first + 16]
    assert shown == [
        "    12 ← on_request_headers(2, 14, true)",
        '    13   get_header(REQ, "authorization") = "Bearer let-me-in"      OK   3µs',
        '    16   http_call("auth", {:method: GET, :path: /check, :authorit… OK   3µs',
        "    17 → PAUSE                                                           3µs",
        "    18 ← on_http_call_response(1, 4, 4, 8, 0)",
        "    19   set_effective_context(2)                                   OK   3µs",
        '    20   get_header(CALL, ":status") = "200"                        OK   3µs',
        '    23   log(INFO, "auth answered 200")                             OK   3µs',
        "    24   continue_stream(REQUEST)                                   OK   3µs",
        "    25 →                                                                 3µs",
        "    26 ← on_response_headers(2, 9, false)",
        "    27 → CONTINUE                                                        3µs",
    ]


def test_no_line_is_wider_than_its_room() -> None:
    for row in rows():
        for width in WIDTHS:
            assert cells(row_line(row, width)) == width or row.kind is Kind.CALLBACK


def test_the_row_where_the_run_stands_has_a_sign_and_its_answer_is_still_to_come() -> None:
    row = next(row for row in rows() if row.entered.function.name == "proxy_get_header_map_value")
    line = row_line(row, 100, now=row.position)
    assert line[0] == ("▶", "now")
    assert {ink for piece, ink in line if "Bearer" in piece or piece == "OK"} == {"future"}


def test_what_lies_ahead_is_dim_except_for_what_is_bad() -> None:
    row = next(row for row in rows() if row.entered.function.name == "proxy_http_call")
    assert {ink for piece, ink in row_line(row, 100, now=1)[4:] if piece.strip(" …")} == {"future"}


def test_an_answer_that_is_not_ok_says_why() -> None:
    row = next(row for row in rows() if isinstance(row.ended, Left) and row.ended.reason)
    assert text(row).endswith("NOT_FOUND   3µs")
    assert "· there is no header `authorization`" in text(row, 120)


def test_little_room_costs_the_reason_and_long_names_before_the_key() -> None:
    row = next(row for row in rows() if isinstance(row.ended, Left) and row.ended.reason)
    assert 'get_header_map_value(REQUEST_HEADERS, "authorization")' in text(row, 140)
    assert 'get_header(REQ, "authorization")' in text(row, 60)


def test_a_folded_callback_says_what_is_hidden_and_what_came_of_it() -> None:
    row = next(row for row in rows() if row.entered.function.name == "proxy_on_request_headers")
    assert text(row, folded=2).endswith("… 2 calls → PAUSE   3µs")
    assert " → PAUSE" in text(row, folded=0)
    assert "calls" not in text(row, folded=0)


def test_a_trap_is_told_where_it_happened() -> None:
    trapping = plugin(callback("proxy_on_request_headers", "unreachable"))
    tape = record([trapping], [Exchange("1", 0, request("GET", "/"))])
    found = [tape.rows[index] for index in range(len(tape.rows))]
    trap = next(row for row in found if row.kind is Kind.TRAP)
    assert "✗ unreachable" in text(trap)


def test_what_a_plugin_writes_cannot_leave_its_line() -> None:
    log = next(row for row in host_functions(LAST).values() if row.name == "proxy_log")
    data = '(data (i32.const 2048) "\\1b[2Ja\\0ab\\e2\\80\\ae")'
    shouting = plugin(imported(log), data, callback("proxy_on_request_headers", call(log, (2, 2048, 9))))
    tape = record([shouting], [Exchange("1", 0, request("GET", "/"))])
    shown = [text(tape.rows[index]) for index in range(len(tape.rows))]
    assert any('log(INFO, "\\x1b[2Ja\\nb' in line for line in shown)
    assert all(line.isprintable() for line in shown)


def test_of_several_plugins_a_callback_is_told_with_its_own() -> None:
    row = next(row for row in rows() if row.kind is Kind.CALLBACK)
    row = row._replace(entered=row.entered._replace(vm="a-namespace-of-a-team.auth"))
    name = row.entered.function.name.removeprefix("proxy_")
    assert f"← a-namespace-of-a-team.auth {name}(" in text(row, whose=True)
    assert f"← auth {name}(" in text(row, 36, whose=True)
