"""The tables, compared with what the trace reader tells of the same files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simwasm.abi.enums import HeadersAction, LogLevel, MapType, Status
from simwasm.abi.table import LAST, callbacks, host_functions
from simwasm.database.database import Database
from simwasm.database.tables import TABLES
from simwasm.trace.event import Left
from simwasm.trace.file import open_trace
from simwasm.trace.rows import Kind
from simwasm.trace.store import FORMAT, Recorder

Ask = Callable[..., list[tuple[Any, ...]]]
HOST, BACK = host_functions(LAST), callbacks(LAST)


def test_calls_and_callbacks_are_those_of_the_reader(ask: Ask, golden: Path) -> None:
    """All columns that both have, over all traces at once."""
    files = sorted(golden.glob("*/*.jsonl"))
    for table, kind in (("calls", Kind.HOST_CALL), ("callbacks", Kind.CALLBACK)):
        told = "status, reason" if kind is Kind.HOST_CALL else "null, null"
        found = ask(
            f"select file, row, position, time, plugin, context, depth, callback, function, {told} from {table}",
            *files,
        )
        assert found == [row for file in files for row in _read(file, kind)]


def _read(file: Path, kind: Kind) -> list[tuple[Any, ...]]:
    trace, found, around = open_trace(file), [], ""
    trace.index()
    for index in range(len(trace.rows)):
        row = trace.rows[index]
        call, ended = row.entered, row.ended
        if row.depth == 0:
            around = call.function.name
        if row.kind is kind:
            host = kind is Kind.HOST_CALL and isinstance(ended, Left)
            status = getattr(getattr(ended, "result", None), "name", None) if host else None
            reason = (getattr(ended, "reason", "") or None) if host else None
            time = call.at - trace.header.started_ns
            found.append((str(file), index + 1, row.position, time, call.vm, call.context, row.depth, around,
                          call.function.name, status, reason))  # fmt: skip
    trace.close()
    return found


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_has_the_columns_that_are_told(ask: Ask, table: Any) -> None:
    found = ask(f"describe {table.name}")
    assert [(name, kind) for name, kind, *_ in found] == [(each.name, each.type) for each in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_column_alone_is_what_it_is_among_all(golden: Path, table: Any) -> None:
    """What is left out of a view changes nothing of what is in it."""
    with Database([str(golden / "http_auth" / "browser.jsonl")]) as database:
        whole = list(database.ask(f"from {table.name}").rows)
        for place, column in enumerate(table.columns):
            alone = database.ask(f"select {column.name} from {table.name}").rows
            assert sorted(map(str, alone)) == sorted(str((row[place],)) for row in whole)


def test_what_became_of_exchanges(ask: Ask) -> None:
    found = ask(
        "select exchange, method, path, status, local_reply, upstream, row, last_row, took from exchanges"
    )
    assert found == [
        (1, "GET", "/get", 200, False, True, 10, 37, 6377000),
        (2, "GET", "/get", 403, True, False, 38, 61, 2000000),
        (3, "POST", "/post", 200, False, True, 62, 91, 16333000),
    ]


def test_the_answer_to_a_callout_is_the_exchange_it_is_for(ask: Ask) -> None:
    found = ask("select exchange, message from logs order by row")
    assert found == [(1, "auth answered 200"), (2, "auth answered 401"), (3, "auth answered 200")]


def test_headers_of_all_messages(ask: Ask) -> None:
    found = ask("select message, value from headers where exchange = 2 and name in (':path', ':status')")
    assert found == [("callout", "/check"), ("response", "403")]


def test_a_plugin_that_hears_of_no_contexts_has_exchanges_too(ask: Ask, golden: Path) -> None:
    found = ask("select count(*), count(exchange) from calls", golden / "allow_header_c" / "browser.jsonl")
    assert found == [(16, 16)]


def test_problems_are_those_of_the_lints(ask: Ask) -> None:
    assert ("missed", "note", 2, 41) in ask("select lint, severity, exchange, row from problems")


def test_what_calls_took_is_there_where_it_was_measured(ask: Ask, tmp_path: Path) -> None:
    """Of a call that others happened inside, too, whose end is a line of its own."""
    file = tmp_path / "timed.jsonl"
    text = _recorded()
    text = text.replace('"result": "OK"', '"result": "OK", "took_ns": 5, "instructions": 7')
    file.write_text(
        text.replace('{"result": "CONTINUE"', '{"result": "CONTINUE", "took_ns": 50, "instructions": 70')
    )
    assert ask("select sum(duration), sum(instructions) from calls", file) == [(10, 14)]
    assert ask("select function, duration, instructions from callbacks", file) == [
        ("proxy_on_request_headers", 50, 70)
    ]
    assert ask("select function, duration from functions order by 1", file)[0] == (
        "proxy_get_header_map_value",
        5,
    )


def _recorded() -> str:
    lines: list[str] = []
    head = {"format": FORMAT, "plugins": [{"name": "p", "abi": LAST.value}], "profile": "envoy", "seed": 0,
            "started_ns": 0}  # fmt: skip
    record = Recorder(lines.append, head)
    record.enter(0, "p", 2, BACK["proxy_on_request_headers"], (2, 8, True))
    record.enter(0, "p", 2, HOST["env", "proxy_get_header_map_value"], (MapType.HTTP_REQUEST_HEADERS, "x"))
    record.leave(0, Status.OK, ("alice",))
    record.enter(0, "p", 2, HOST["env", "proxy_log"], (LogLevel.WARN, "\x1b[31m\u202e"))
    record.leave(0, Status.OK)
    record.leave(0, HeadersAction.CONTINUE)
    return "".join(lines)


def test_a_context_number_that_is_used_again_is_of_another_exchange(
    ask: Ask, golden: Path, tmp_path: Path
) -> None:
    """As after a VM was started anew: the lines of one run, twice."""
    lines = (golden / "http_auth" / "browser.jsonl").read_text().splitlines(keepends=True)
    file = tmp_path / "twice.jsonl"
    file.write_text("".join(lines + lines[1:]))
    found = ask("select exchange, count(*) from calls where exchange is not null group by 1 order by 1", file)
    assert [number for number, _ in found] == [1, 2, 3, 4, 5, 6]
    assert [count for _, count in found[:3]] == [count for _, count in found[3:]]
