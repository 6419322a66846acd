"""A trace that was written is read back, whatever its size, and whatever somebody did to the file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cases import Case, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.abi.enums import HeadersAction, LogLevel, MapType, Status
from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import ALLOCATORS, FUNCTIONS, LAST, Function, Side
from simwasm.debug.tape import Tape
from simwasm.engines.engine import Engine
from simwasm.errors import Frame, TraceError, Trap, TrapKind
from simwasm.exchange import to_text
from simwasm.host.profile import ENVOY
from simwasm.plugin import Plugin
from simwasm.recording import Recording
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left, Trapped
from simwasm.trace.file import TraceFile, open_trace
from simwasm.trace.parse import Ending, header_json, side_of
from simwasm.trace.rows import Kind, Row
from simwasm.trace.shape import parsed, shape
from simwasm.trace.store import Recorder

CASES = cases()
HEAD = (
    '{"format": 2, "plugins": [{"name": "p", "sha256": "00", "abi": "0.2.1"}], '
    '"profile": "envoy 1.40", "seed": 0, "started_ns": 1000}'
)
HEADERS = (
    '{"at": 5, "context": 2, "call": "proxy_on_request_headers", '
    '"args": {"context_id": 2, "num_headers": 8, "end_of_stream": true}}'
)
GET = '{"context": 2, "call": "proxy_get_header_map_value", "args": {"map_type": "HTTP_REQUEST_HEADERS", "key": "a"}'
MALLOC = '{"at": 5, "context": 2, "call": "malloc", "args": {"size": 3}, "result": 1024}'
VALUE = '{"result": "OK", "gives": {"value": "v"}}'
LOG = '{"context": 2, "call": "proxy_log", "args": {"level": "INFO", "message": "hi"}, "result": "OK"}'
PAUSE = '{"result": "PAUSE"}'
TRAP = '"trap": {"kind": "unreachable", "detail": "", "frames": [{"function": 7, "name": "f", "offset": 9}]}'
SHORT = (HEAD, HEADERS, GET + "}", MALLOC, VALUE, LOG, PAUSE)

Opened = Callable[..., TraceFile]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Opens a file with these lines."""

    def open_lines(*lines: str, end: str = "\n") -> TraceFile:
        path = tmp_path / "t.jsonl"
        path.write_bytes("".join(line + end for line in lines).encode())
        return open_trace(path)

    return open_lines


def written(trace: TraceFile) -> str:
    """The file again, by a recorder that is told everything in it."""
    lines: list[str] = []
    record = Recorder(lines.append, header_json(trace.header))
    for event in trace.events():
        if isinstance(event, Ending):
            record.outcome(event.content)
        else:
            record(event)
    return "".join(lines)


PLAYED = [case for case in CASES if not case.clusters and len(case.plugin.wasm) < 1 << 20]
"""The large one takes longer than all others, and crosses as they do."""


def known(row: Row) -> Row:
    """A row without what no file has: words, how long it really took, and the instant of a host call."""
    at = 0 if row.entered.function.side is Side.HOST else row.entered.at
    return row._replace(entered=row.entered._replace(words=(), at=at), took_ns=0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_golden_trace_is_written_again_to_the_byte(case: Case) -> None:
    assert written(open_trace(case.golden)) == case.golden.read_text()


@pytest.mark.parametrize("case", PLAYED, ids=lambda case: case.id)
def test_a_file_has_the_rows_of_the_run(case: Case, engine: Engine, tmp_path: Path) -> None:
    tape, path = Tape(), tmp_path / "run.jsonl"
    now = case.exchanges[0].started_ns
    with path.open("w") as file:
        recording = Recording(file.write, [case.plugin], profile=ENVOY, now_ns=now)
        with Session([case.plugin], engine=engine, observers=[tape.add, recording], now_ns=now) as session:
            for outcome in session.replay(case.exchanges):
                recording.finished(outcome)
    trace = open_trace(path)
    trace.index()
    assert [known(trace.rows[index]) for index in range(len(trace.rows))] == [
        known(tape.rows[index]) for index in range(len(tape.rows))
    ]
    assert [trace.rows.at(position) for position in range(len(tape) + 1)] == [
        tape.rows.at(position) for position in range(len(tape) + 1)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_each_exchange_has_its_outcome_and_its_rows(case: Case) -> None:
    trace = open_trace(case.golden)
    trace.index()
    assert [ending.exchange for ending in trace.outcomes] == [exchange.id for exchange in case.exchanges]
    assert all(span.last < after.first for span, after in zip(trace.spans, trace.spans[1:], strict=False))
    if case.sample != "allow_header_c":  # it is not told of its contexts
        started = [trace.rows[span.first].entered for span in trace.spans]
        assert {(call.function.name, call.args[1]) for call in started} == {("proxy_on_context_create", 1)}


def test_an_outcome_has_the_messages(opened: Opened) -> None:
    answer = {"headers": [[":status", "403"]], "body": {"base64": "/w=="}}
    trace = opened(*SHORT, json.dumps({"outcome": {"exchange": "1", "status": 403, "response": answer}}))
    (ending,) = trace.outcomes
    assert ending.response is not None
    assert (ending.status, ending.request, ending.response.data) == (403, None, b"\xff")
    assert ending.response.headers == ((":status", "403"),)


def test_rows_are_those_that_a_person_steps_through(opened: Opened) -> None:
    rows = opened(*SHORT).rows
    seen = [
        (row.position, row.kind, row.depth, row.entered.function.name)
        for row in map(rows.__getitem__, range(6))
    ]
    assert seen == [
        (1, Kind.CALLBACK, 0, "proxy_on_request_headers"),
        (2, Kind.HOST_CALL, 1, "proxy_get_header_map_value"),
        (3, Kind.CALLBACK, 2, "malloc"),
        (4, Kind.RETURN, 2, "malloc"),
        (6, Kind.HOST_CALL, 1, "proxy_log"),
        (8, Kind.RETURN, 0, "proxy_on_request_headers"),
    ]
    args = (MapType.HTTP_REQUEST_HEADERS, "a")
    assert rows[1].entered[:4] == (2, 1005, "p", 2)
    assert (rows[1].entered.args, rows[1].ended) == (args, Left(5, 2, Status.OK, ("v",), ""))
    assert rows[4].entered.args == (LogLevel.INFO, "hi")
    assert rows[5].ended == Left(8, 1, HeadersAction.PAUSE, (), "")
    assert rows[-1] == rows[5]


def test_a_trap_has_a_row_of_its_own(opened: Opened) -> None:
    rows = opened(HEAD, HEADERS, f"{GET}, {TRAP}}}", f"{{{TRAP}}}").rows
    assert [rows[index].kind for index in range(4)] == [Kind.CALLBACK, Kind.HOST_CALL, Kind.TRAP, Kind.TRAP]
    ended = rows[3].ended
    assert isinstance(ended, Trapped)
    assert (ended.trap.kind, ended.trap.frames) == (TrapKind.UNREACHABLE, (Frame(7, "f", 9),))
    assert (ended.seq, ended.opened) == (4, 1)


def test_there_is_no_row_behind_the_last(opened: Opened) -> None:
    with pytest.raises(IndexError):
        opened(*SHORT).rows[6]


def test_versions_of_the_abi_have_their_own_functions(opened: Opened) -> None:
    old = HEAD.replace("0.2.1", "0.1.0")
    line = '{"at": 0, "context": 2, "call": "proxy_on_request_headers", "args": {"context_id": 2, "num_headers": 8}}'
    assert opened(old, line).rows[0].entered.args == (2, 8)


def test_plugins_of_a_chain_are_told_apart(opened: Opened) -> None:
    made = '{"name": "q\\"", "sha256": "11", "abi": "0.1.0"}], "profile"'
    call = '{"plugin": "q\\"", "context": 3, "call": "proxy_continue_request", "result": "OK"}'
    row = opened(HEAD.replace('], "profile"', f", {made}"), call).rows[0]
    assert (row.entered.vm, row.entered.function.name) == ('q"', "proxy_continue_request")


# Any spelling.


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize(
    "spelling",
    [
        {"separators": (",", ":")},
        {"sort_keys": True},
        {"ensure_ascii": True, "separators": (" ,  ", " : ")},
    ],
    ids=["compact", "sorted", "spaced"],
)
def test_a_file_may_be_spelled_in_another_way(case: Case, spelling: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = [json.loads(line) for line in case.golden.read_text().splitlines()]
    path.write_text("".join(json.dumps(line, **spelling) + "\n" for line in lines))
    trace = open_trace(path)
    assert [json.loads(line) for line in written(trace).splitlines()] == lines


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_shape_of_a_line_is_what_parsing_it_finds(case: Case) -> None:
    lines = case.golden.read_bytes().splitlines(keepends=True)[1:]
    assert [shape(line) for line in lines] == [parsed(line) for line in lines]


@settings(max_examples=30)
@given(st.text(), st.text(), st.booleans())
def test_a_text_in_a_line_cannot_pass_for_a_part_of_it(key: str, value: str, ends: bool) -> None:
    odd = [f', "result": {key}', f'"trap": {value}', '"call": "', "result", "trap", "call", "outcome", value]
    for text in odd:
        args = {"map_type": "HTTP_REQUEST_HEADERS", "key": text, "value": text}
        content = {"context": 2, "call": "proxy_add_header_map_value", "args": args}
        line = json.dumps(content | ({"result": text} if ends else {}), ensure_ascii=False)
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        assert shape(data) == parsed(data)
        closing = json.dumps({"result": "OK", "gives": {"value": text}}, ensure_ascii=False)
        data = closing.encode("utf-8", "backslashreplace") + b"\n"
        assert shape(data) == parsed(data)


def test_no_parameter_is_called_like_a_part_of_a_line() -> None:
    """The shapes of lines are told apart by these words."""
    names = {param.name for row in FUNCTIONS for param in row.inputs}
    assert not names & {"call", "result", "trap", "outcome"}


def test_functions_of_one_name_are_on_one_side() -> None:
    assert all(side_of(row.name) is row.side for row in FUNCTIONS)


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"], ids=["LF", "CRLF", "blank lines"])
def test_line_ends_and_marks_of_editors_do_not_matter(opened: Opened, start: str, end: str) -> None:
    trace = opened(start + SHORT[0], *SHORT[1:], end=end)
    assert (len(trace.rows), trace.note) == (6, "")
    assert trace.rows[4].entered.args == (LogLevel.INFO, "hi")


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(SHORT))
    assert (len(open_trace(path).rows), open_trace(path).note) == (6, "")


# Any value.


def _values(param: Param, given: bool) -> st.SearchStrategy[Any]:
    """What a host or guest may give for a parameter."""
    data = st.binary(max_size=20)
    texts = data.map(to_text) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    pairs = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
    known: dict[Form, st.SearchStrategy[Any]] = {
        Form.U32: st.integers(0, 2**32 - 1),
        Form.I32: st.integers(-(2**31), 2**31 - 1),
        Form.U64: st.integers(0, 2**64 - 1),
        Form.I64: st.integers(-(2**63), 2**63 - 1),
        Form.FLAG: st.booleans(),
        Form.ENUM: st.sampled_from(list(param.enum or Status)) | st.integers(0, 999),
        Form.TEXT: texts,
        Form.DATA: data,
        Form.PATH: st.lists(texts, min_size=1, max_size=3).map(tuple),
        Form.PAIRS: pairs,
        Form.IOVECS: data,
        Form.SPAN: data if given else st.integers(0, 99),
        Form.BLOB: data,
        Form.STRINGS: st.lists(data, max_size=3).map(tuple),
    }
    return known[param.form] if given else known[param.form] | st.none()


def _plain(value: Any) -> Any:
    """Bytes and text are the same in a file where they are UTF-8, and named numbers are numbers."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return to_text(value) if isinstance(value, bytes) else value


@settings(max_examples=4)
@given(st.data())
@pytest.mark.parametrize("row", [row for row in FUNCTIONS if row.has(LAST)], ids=lambda row: row.name)
def test_any_values_are_read_as_they_were_written(
    row: Function, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    args = tuple(data.draw(_values(param, given=False)) for param in row.inputs)
    values = tuple(data.draw(_values(param, given=True)) for param in row.outputs)
    result: Any = (
        row.errors(0) if row.errors else data.draw(_values(row.result, True)) if row.result else None
    )
    reason = data.draw(st.text(st.characters(exclude_categories=["Cs"])))
    around = Entered(1, 1007, "p", 1, _TICK, (1,), ())
    entered = Entered(2, 1007, "p", 2, row, args, ())
    left = Left(3, 2, result, values, reason)
    events: list[Event] = [around, entered, left, Left(4, 1, None, (), "")]
    path = _recorded(tmp_path_factory.getbasetemp() / "values.jsonl", events)
    trace = open_trace(path)
    found = trace.rows[1]
    assert [_plain(tuple(found.entered)), _plain(found.ended)] == [_plain(tuple(entered)), _plain(left)]
    assert list(trace.events()) == [around, found.entered, found.ended, events[-1]]
    assert written(trace) == path.read_text()
    trace.close()


_TICK = next(row for row in FUNCTIONS if row.name == "proxy_on_tick")


def _recorded(path: Path, events: Iterable[Event]) -> Path:
    with path.open("w") as file:
        record = Recorder(file.write, json.loads(HEAD))
        for event in events:
            record(event)
    return path


# Bad files.


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n" * 3, "is empty"),
        (b"\n" + HEAD.encode(), "begins with a blank line"),
        (b"\0asm\1\0\0\0", "is a WebAssembly module"),
        (bytes(range(256)) * 40, "is binary"),
        (b"a" * (1 << 21), "is not a trace"),
        (b"{" + b"a" * (1 << 21), "its first line does not end"),
        (gzip.compress(HEAD.encode()), "is compressed: unpack it first"),
        (HEAD.encode("utf-16"), "is UTF-16 text"),
        (b'{"log": {}}', "is a HAR"),
        (b'{"simwasm": "traffic", "format": 1}', "is recorded traffic"),
        (b'{\n  "format": 1\n}', "`jq -c .` joins them"),
        (b"{}", "line 1 does not begin as a trace does"),
        (b'{"format": 1', "line 1 is not JSON"),
        (
            HEAD.replace("2,", "3,", 1).encode(),
            "line 1 is of format 3, and this simwasm reads up to 2: update",
        ),
        (HEAD.replace("2,", "0,", 1).encode(), "line 1 is of format 0, which there never was"),
        (HEAD.replace("2,", '"2",', 1).encode(), 'line 1 has "2" for `format`, which is a number'),
        (HEAD.replace("2,", '2, "test": 5,', 1).encode(), "line 1 has 5 for `test`, which is text"),
        (HEAD.replace("2,", '2, "redacted": [5],', 1).encode(), "line 1 has [5] for `redacted`"),
        (HEAD.replace("0.2.1", "0.9.9").encode(), 'line 1 names ABI "0.9.9"; known are 0.1.0, 0.2.0, 0.2.1'),
        (HEAD.replace('"envoy 1.40"', "null").encode(), "line 1 has null for `profile`"),
    ],
)
def test_what_is_no_trace_is_told_by_what_it_looks_like(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(content)
    with pytest.raises(TraceError) as error:
        open_trace(path)
    assert told in str(error.value)
    assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nonsense", "line 2 is not JSON"),
        ("[]", "line 2 is [], and each line of a trace is an object"),
        ('{"at": 0}', "line 2 has neither a call nor a result, a trap or an outcome"),
        (PAUSE, "line 2 ends a call, and none is open"),
        (
            GET.replace("proxy_get", "proxy_got") + "}",
            "calls `proxy_got_header_map_value`, which no version of the ABI",
        ),
        ('{"call": 5}', "line 2 has a `call` that is no text"),
        ('{"context": {}, "call": "proxy_on_delete"}', "line 2 has a `context` that is no number"),
        ("[" * 100_000, "line 2 is not JSON"),
    ],
)
def test_a_line_that_cannot_be_placed_is_an_error_with_its_number(
    opened: Opened, line: str, told: str
) -> None:
    with pytest.raises(TraceError, match=r"t\.jsonl: line 2 ") as error:
        opened(HEAD, line, *SHORT[1:])
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (LOG.replace("INFO", "LOUD"), 'line 3 has "LOUD" for level: LogLevel'),
        (
            LOG.replace('"message": "hi"', '"note": "hi"'),
            "line 3 has `args` with level, note, where the function has",
        ),
        (LOG.replace('"hi"', '{"base64": "%"}'), "line 3 has"),
        (LOG.replace('"hi"', '"\\ud800"'), "line 3 has"),
        (LOG.replace('"OK"', '"FINE"'), 'line 3 has "FINE" for the result of proxy_log'),
        (
            LOG.replace('{"context"', '{"plugin": "q", "context"'),
            "line 3 has a call of a plugin that the first line",
        ),
        (
            LOG.replace('"context": 2', '"context": "2"'),
            "line 3 has a `call` that is no text, or a `context`",
        ),
        (LOG.replace("hi", "\\x"), "line 3 is not JSON"),
        (
            '{"context": 2, "call": "proxy_clear_route_cache", "result": "OK"}',
            "which ABI 0.2.1 does not have",
        ),
    ],
)
def test_a_row_that_cannot_be_read_is_an_error_and_the_others_can(
    opened: Opened, line: str, told: str
) -> None:
    trace = opened(HEAD, HEADERS, line, PAUSE)
    assert trace.rows[2].kind is Kind.RETURN
    with pytest.raises(TraceError) as error:
        trace.rows[1]
    assert told in str(error.value)


def test_a_function_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes("\n".join(SHORT).encode().replace(b"proxy_log", b"proxy_\xff"))
    with pytest.raises(TraceError, match=r"line 6 calls `proxy_\\xff`, which no version of the ABI has"):
        open_trace(path)


def test_rows_before_a_bad_line_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join([*SHORT, *[LOG] * 5000, "nonsense", LOG, ""]))
    trace = open_trace(path, ahead=1)
    for _ in range(2):
        with pytest.raises(TraceError, match="line 5008 is not JSON"):
            trace.index()
    assert trace.rows[len(trace.rows) - 1].entered.args == (LogLevel.INFO, "hi")


@pytest.mark.parametrize("missing", range(1, len("".join(SHORT[-2:]))))
def test_a_file_that_was_cut_off_is_read_up_to_there(opened: Opened, missing: int, tmp_path: Path) -> None:
    whole = "\n".join(SHORT)
    path = tmp_path / "cut.jsonl"
    path.write_text(whole[:-missing])
    trace = open_trace(path)
    assert trace.complete
    assert "was the run killed?" in trace.note
    assert len(trace.rows) == 4 + (missing <= len(PAUSE) + 1)
    assert trace.rows[0].ended is None


def test_a_row_of_a_call_that_never_ended_says_so(opened: Opened) -> None:
    trace = opened(HEAD, HEADERS)
    assert trace.note == "the file ends while proxy_on_request_headers is open: was the run killed?"


def test_a_file_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"no\.jsonl: cannot be read: No such file"):
        open_trace(tmp_path / "no.jsonl")


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="is a folder"):
        open_trace(tmp_path)


def test_a_device_is_told() -> None:
    with pytest.raises(TraceError, match="is no plain file"):
        open_trace("/dev/null")


def test_a_file_that_is_cut_short_while_open_is_told(tmp_path: Path) -> None:
    """Mapped into memory, it would end the process."""
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join([*SHORT, *[LOG] * 50_000, ""]))
    trace = open_trace(path)
    trace.index()
    path.write_text(HEAD + "\n")
    with pytest.raises(TraceError, match=r"is shorter than it was: .* open it again"):
        trace.rows[40_000]


# Size.


def test_a_line_may_be_huge(opened: Opened) -> None:
    huge = "x" * 20_000_000
    trace = opened(HEAD, HEADERS, LOG.replace("hi", huge), LOG, PAUSE)
    trace.index()
    assert trace.rows[1].entered.args == (LogLevel.INFO, huge)
    assert trace.rows[2].entered.args == (LogLevel.INFO, "hi")


def test_only_the_beginning_is_looked_at_until_more_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join([*SHORT, *[LOG] * 50_000, ""]))
    trace = open_trace(path, ahead=1)
    assert 1 <= len(trace.rows) < 10_000
    assert 0 < trace.progress < 0.2
    assert trace.rows[30_000].entered.args == (LogLevel.INFO, "hi")
    assert trace.index() == len(trace.rows) == 50_006
    assert (trace.complete, trace.progress) == (True, 1)


def test_rows_can_be_read_while_another_thread_goes_through_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join([*SHORT, *[LOG] * 50_000, ""]))
    trace = open_trace(path, ahead=1)
    thread = Thread(target=trace.index)
    thread.start()
    seen = 0
    while not trace.complete:
        seen += trace.rows[len(trace.rows) - 1].entered.context
    thread.join()
    assert len(trace.rows) == 50_006
    assert seen


# Whose trace it is.


def test_a_trace_of_the_same_build_says_nothing() -> None:
    assert open_trace(CASES[0].golden).made_by(CASES[0].plugin) == ""


def test_a_trace_of_another_build_says_what_differs(sample: Callable[..., Plugin]) -> None:
    trace = open_trace(CASES[1].golden)
    other = sample("allow_header_c")
    assert trace.header.plugins[0].name == "allow_header"
    told = trace.made_by(other)
    assert "another build of it: sha256 " in told
    assert "its plugin is called allow_header, this one allow_header_c" in told
    assert other.sha256[:12] in told
    assert "ABI" in trace.made_by(other) or other.abi is trace.header.plugins[0].abi


def test_the_header_is_typed() -> None:
    header = open_trace(CASES[0].golden).header
    assert (header.profile, header.seed, header.engine) == ("envoy 1.40", 0, "")
    assert header.started_ns == CASES[0].exchanges[0].started_ns


def test_the_guests_allocator_is_a_callback() -> None:
    assert {side_of(name) for name in ALLOCATORS} == {Side.PLUGIN}


def test_a_trap_is_read_as_it_was_written(tmp_path: Path) -> None:
    trap = Trap(TrapKind.OTHER, (Frame(1, 'a"\n', 2),), 'odd "detail"')
    entered = Entered(1, 1000, "p", 1, _TICK, (1,), ())
    path = _recorded(tmp_path / "t.jsonl", [entered, Trapped(2, 1, trap)])
    ended = open_trace(path).rows[1].ended
    assert isinstance(ended, Trapped)
    assert (ended.trap.kind, ended.trap.frames, ended.trap.detail) == (trap.kind, trap.frames, trap.detail)
