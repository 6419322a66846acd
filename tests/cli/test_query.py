"""`simwasm query`."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from simwasm.cli import main
from simwasm.trace.file import open_trace
from simwasm.trace.query import compile
from simwasm.trace.scan import scan

GOLDEN = Path(__file__).parents[2] / "traces" / "golden"
TRACE = str(GOLDEN / "http_auth" / "browser.jsonl")
HOSTILE = (
    '{"context": 3, "call": "proxy_log", "args": {"level": "INFO", "message": "\\u001b[31m\\u202e\\u009b2J"}, '
    '"result": "OK"}\n'
)
sql = pytest.mark.skipif(sys.implementation.name != "cpython", reason="DuckDB has builds for CPython only")


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    """A trace in which the plugin logs what would steer a terminal."""
    lines = Path(TRACE).read_text().splitlines(keepends=True)
    file = tmp_path / "hostile.jsonl"
    file.write_text("".join([*lines[:9], HOSTILE, *lines[9:]]))
    return str(file)


def test_rows_of_a_filter_are_printed_with_numbers_and_exchanges(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "host:get_header status!=OK or ret:Pause exchange:1", TRACE]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "      17     #1  ← PAUSE proxy_on_request_headers",
        '      41     #2      proxy_get_header_map_value(map_type: HTTP_REQUEST_HEADERS, key: "authorization") = '
        "NOT_FOUND · there is no header `authorization`",
    ]


def test_rows_of_several_files_are_told_by_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "call:_initialize kind:callback", TRACE, TRACE]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{TRACE}:", "       1         → _initialize()"] * 2


def test_rows_of_a_filter_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "call:http_call exchange:2", TRACE, "--format", "json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["row"], row["exchange"], row["callback"]) == (42, 2, "proxy_on_request_headers")
    assert (row["args"]["upstream"], row["result"], row["gives"]) == ("auth", "OK", {"call_id": 8})


@pytest.mark.parametrize("text", [
    "", "call:get_header", "status!=OK", "not call:proxy_log", "depth>1", "phase:response ret:continue",
    "in:on_http_call*",
    "value~auth or kind:trap", "host:log level>=INFO", "not (call:log or callback)", "does:write",
    "key:auth* status:NOT_FOUND",
])  # fmt: skip
def test_a_filter_means_the_rows_that_it_means_one_by_one(text: str) -> None:
    """What is not read of a file would not have been meant."""
    query = compile(text)
    for path in sorted(GOLDEN.glob("*/browser.jsonl")):
        trace = open_trace(path)
        trace.index()
        found = list(scan(path, query))
        rows = [found_row.row for found_row in scan(path, compile(""))]
        assert [(row.index, row.position, row.kind, row.depth) for row in rows] == [
            (row.index, row.position, row.kind, row.depth)
            for row in (trace.rows[at] for at in range(len(trace.rows)))
        ]
        if "in:" not in text and "phase:" not in text:
            wanted = [index for index in range(len(trace.rows)) if query(trace.rows[index])]
            assert [each.row.index for each in found] == wanted
        trace.close()


def test_a_path_is_known_of_an_exchange_that_never_reached_the_upstream() -> None:
    found = scan(TRACE, compile("path:/get method:GET call:on_request_headers kind:callback"))
    assert [each.exchange for each in found] == [1, 2]


def test_a_slip_in_a_filter_is_pointed_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "call:log statsu:OK", TRACE]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert "unknown term `statsu`: did you mean `status`?" in lines[0]
    assert lines[1].index("statsu") == lines[2].index("^")


def test_that_no_row_matches_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "trap", TRACE]) == 0
    assert capsys.readouterr() == ("", "no row matches\n")


def test_a_file_that_ends_too_early_is_noted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "cut.jsonl"
    file.write_bytes(Path(TRACE).read_bytes()[:3000])
    assert main(["query", "call:http_call kind:call", str(file)]) == 0
    out, err = capsys.readouterr()
    assert "proxy_http_call" in out
    assert "the file ends in the middle of line" in err


@sql
def test_an_answer_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "select status, count(*) n from calls group by 1 order by 2", TRACE]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "status      n", "─────────  ──", "NOT_FOUND   1", "OK         18", "2 rows"
    ]  # fmt: skip


@sql
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_nothing_that_a_plugin_says_steers_a_terminal(
    hostile: str, form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["query", "select message from logs", hostile, "--format", form]) == 0
    assert main(["query", "log~.", hostile]) == 0
    out = capsys.readouterr().out
    assert "[31m" in out
    assert out.replace("\n", "").isprintable()


@sql
@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl", ".parquet"])
def test_an_answer_is_written_to_a_file(ending: str, tmp_path: Path, hostile: str) -> None:
    """With the values as they are; read back by DuckDB."""
    import duckdb

    file = tmp_path / f"answer{ending}"
    assert main(["query", "select row, message, local_reply from logs join exchanges using (exchange)", hostile,
                 "-o", str(file)]) in (0, 2)  # fmt: skip
    assert main(["query", "select row, message from logs order by row", hostile, "-o", str(file)]) == 0
    found = duckdb.sql(f"select row, message from '{file}' order by row").fetchall()
    assert len(found) == 4
    assert found[0][1] == "\x1b[31m\u202e\x9b2J"


@sql
def test_the_forms_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    question = "select exchange, local_reply, reset from exchanges"
    assert main(["query", question, TRACE, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert main(["query", question, TRACE, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert rows[1] == {"exchange": "2", "local_reply": "true", "reset": ""}
    assert told[1] == {"exchange": 2, "local_reply": True, "reset": None}


def test_the_tables_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "--tables"]) == 0
    out = capsys.readouterr().out
    assert "calls  Each call of a host function by the plugin." in out
    assert "    reason        VARCHAR  Why the status is not OK, in words." in out


@sql
def test_names_of_columns_are_on_one_line_and_numbers_are_those_of_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["query", "select 'nan'::double as \"a\nb\"", TRACE]) == 0
    assert capsys.readouterr().out.startswith("a\\nb\n────\n")
    assert main(["query", "select 'nan'::double as a", TRACE, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"a": None}]


@sql
@pytest.mark.parametrize(("words", "said"), [
    (["select functon from calls", TRACE], "Candidate bindings"),
    (["copy calls to 'x'", TRACE], "`copy` is refused"),
    (["select 1; drop view calls", TRACE], "is refused"),
    (["from calls", TRACE, "-o", "x.txt"], "Its name has to end with .csv"),
    (["from calls", TRACE, "-o", "/nowhere/x.csv"], "cannot be written: No such file"),
    (["from calls", TRACE, "-o", "/nowhere/x.parquet"], "cannot be written: No such file"),
    (["log:x", TRACE, "-o", "x.csv"], "the rows of a filter are printed"),
    (["from calls"], "which traces?"),
    ([], "what is the question?"),
    (["from calls", "/nowhere"], "cannot be read"),
    (["log:x", "/nowhere"], "cannot be read"),
])  # fmt: skip
def test_what_cannot_be_answered_is_status_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", *words]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert said in err
