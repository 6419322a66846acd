"""What may be asked, what is refused, and what is said of files that are not whole."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from simwasm.database.words import is_sql
from simwasm.errors import InputError, SimwasmError, TraceError

Ask = Callable[..., list[tuple[Any, ...]]]
PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
EXAMPLES = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[0][:60])
def test_a_question_of_the_manual_has_an_answer(ask: Ask, golden: Path, example: str) -> None:
    assert ask(example, golden / "http_auth" / "browser.jsonl", golden / "response_body" / "browser.jsonl")


@pytest.mark.parametrize("text", ["select 1", " FROM calls", "(select 1)", "-- why\nwith a as (select 1) from a",
                                  "values (1)", "pivot calls on status", "describe calls", "select*from calls",
                                  "copy calls to 'x'", "copy (select 1) to 'x'",
                                  "attach 'x'", "install httpfs"])  # fmt: skip
def test_sql_is_known_by_its_first_word(text: str) -> None:
    assert is_sql(text)


@pytest.mark.parametrize(
    "text",
    ["status!=OK", "call:select", "show:x", "table~x", "selected", "copy", "update x", "trap", "from=3"],
)
def test_what_begins_otherwise_is_a_filter(text: str) -> None:
    assert not is_sql(text)


@pytest.mark.parametrize("text", [
    "copy calls to 'x.csv'", "attach 'x.db'", "install httpfs", "load json", "set threads = 1", "delete from calls",
    "create table x as select 1", "export database 'x'", "call pragma_version()", "drop view calls", "use inside",
])  # fmt: skip
def test_what_is_no_question_is_refused(ask: Ask, text: str) -> None:
    with pytest.raises(InputError, match=r"`\w+` is refused: a query asks and changes nothing"):
        ask(text)


@pytest.mark.parametrize("text", ["from read_text('/etc/passwd')", "from '/etc/passwd'", "from glob('/*')",
                                  "from read_csv('http://localhost/x')", "from duckdb_secrets()"])  # fmt: skip
def test_a_question_sees_nothing_but_the_traces(ask: Ask, text: str) -> None:
    with pytest.raises(InputError):
        ask(text)


def test_several_questions_at_once_are_refused(ask: Ask) -> None:
    with pytest.raises(InputError, match="these are 2 questions"):
        ask("select 1; select 2")


def test_a_name_that_is_not_there_is_told_with_those_that_are_near(ask: Ask) -> None:
    with pytest.raises(InputError, match=r'"functon" not found(?s:.*)"function"(?s:.*)LINE 1(?s:.*)\^'):
        ask("select functon from calls")
    with pytest.raises(InputError, match=r"did you mean `calls`\? There are exchanges, callbacks(?s:.*)\^"):
        ask("from cals")


@pytest.mark.parametrize("text", [
    "select c from calls c", "select calls from calls", "select count(*) from calls natural join traces",
    "pivot (from calls) on status using count(*) group by function", "summarize calls", "explain from calls",
    "with a as (from calls) select max(row), any_value(callback) from a", "select columns('e.*') from exchanges",
])  # fmt: skip
def test_what_names_columns_in_a_roundabout_way_is_answered(ask: Ask, text: str) -> None:
    assert ask(text)


def test_a_row_as_a_whole_has_every_column(ask: Ask) -> None:
    (row,) = ask("select c from calls c limit 1")[0]
    assert {"exchange", "row", "callback", "duration"} <= row.keys()


def _spelled(data: bytes, **how: Any) -> bytes:
    return b"".join(json.dumps(json.loads(line), **how).encode() + b"\n" for line in data.splitlines())


def _changed(golden: Path, tmp_path: Path, change: Callable[[bytes], bytes]) -> Path:
    file = tmp_path / "changed [1]*.jsonl"
    file.write_bytes(change((golden / "http_auth" / "browser.jsonl").read_bytes()))
    return file


@pytest.mark.parametrize("change", [
    lambda data: b"\xef\xbb\xbf" + data,
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: data + b"\n\n",
    lambda data: _spelled(data, separators=(",", ":")),
    lambda data: _spelled(data, sort_keys=True),
], ids=["bom", "crlf", "blank", "tight", "sorted"])  # fmt: skip
def test_a_file_in_another_spelling_has_the_same_rows(
    ask: Ask, golden: Path, tmp_path: Path, change: Any
) -> None:
    text = "select row, exchange, callback, function, args->>'key', status, reason, time from calls"
    assert ask(text, _changed(golden, tmp_path, change)) == ask(text)


@pytest.mark.parametrize(("change", "calls", "note"), [
    (lambda data: data[:9000], 19, "ends in the middle of a line"),
    (lambda data: b"".join(data.splitlines(keepends=True)[:12]), 2, "ends while a call is open"),
])  # fmt: skip
def test_a_file_that_ends_too_early_is_read_up_to_there(
    golden: Path, tmp_path: Path, change: Any, calls: int, note: str
) -> None:
    from simwasm.database.database import Database

    cut, whole = _changed(golden, tmp_path, change), golden / "allow_header" / "browser.jsonl"
    with Database([str(cut), str(whole)]) as database:
        assert next(database.ask("select count(*) from calls where file like '%changed%'").rows) == (calls,)
        others = "select min(depth), max(depth) from calls where file not like '%changed%'"
        assert next(database.ask(others).rows) == (1, 1)
        assert note in database.notes[0]


@pytest.mark.parametrize(("line", "said"), [
    (b'{"oops\n', "line 10 is not JSON"),
    (b'{"hello": 1}\n', "line 10 has neither a call nor a result"),
    (b'{"result": "OK"}\n{"result": "OK"}\n{"result": "OK"}\n', "ends a call, and none is open"),
])  # fmt: skip
def test_a_line_that_cannot_be_is_told(
    ask: Ask, golden: Path, tmp_path: Path, line: bytes, said: str
) -> None:
    def insert(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        return b"".join([*lines[:9], line, *lines[9:]])

    with pytest.raises(TraceError, match=said):
        ask("select max(depth) from calls", _changed(golden, tmp_path, insert))
    with pytest.raises(TraceError, match=said):
        ask("select max(depth) from calls", _changed(golden, tmp_path, lambda data: insert(data)[:-40]))


def test_what_is_no_trace_is_refused(ask: Ask) -> None:
    with pytest.raises(SimwasmError, match="is not a trace"):
        ask("select 1", PAGE)


def test_many_rows_need_little_memory(golden: Path, tmp_path: Path) -> None:
    """What does not fit goes to a file."""
    from simwasm.database.database import Database

    lines = (golden / "http_auth" / "browser.jsonl").read_text().splitlines(keepends=True)
    file = tmp_path / "long.jsonl"
    file.write_text(lines[0] + "".join(lines[1:]) * 400)
    with Database([str(file)], memory="100MB") as database:
        assert next(database.ask("select count(*), count(status) from calls").rows) == (7600, 7600)


def test_a_question_that_takes_for_ever_can_be_interrupted(ask: Ask, golden: Path) -> None:
    Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        ask(
            "select count(*) from range(1000000000000) a, range(1000000000000) b",
            golden / "http_auth" / "browser.jsonl",
        )
