"""The line debugger: commands as text, what they write, on real plugins."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

import pytest
import wat
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.debug.plain.command import find
from simwasm.debug.plain.front import Terms, run
from simwasm.debug.plain.table import COMMANDS
from simwasm.debug.start import Start, start_from, start_with
from simwasm.errors import InputError
from simwasm.recipe import Recipe
from simwasm.trace.text import paint, plain

ROOT = Path(__file__).parent.parent.parent
ALLOW = Recipe(
    str(ROOT / "samples/allow_header/plugin.wasm"), (str(ROOT / "traces/traffic/allow_header.har"),)
)
AUTH = Recipe(
    str(ROOT / "samples/http_auth/plugin.wasm"),
    (str(ROOT / "traces/traffic/http_auth.har"),),
    callout=(f"auth={ROOT / 'traces/traffic/http_auth.callouts.json'}",),
)

Talk = Callable[..., str]


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    """Do what lines say in a debugger of its own, and give what it wrote behind the last prompt."""
    files = iter(range(100))

    def say(*lines: str, start: Start | Recipe = ALLOW, all: bool = False) -> str:
        begin = start if isinstance(start, Start) else start_with(start, remember=False)
        path = tmp_path / f"commands{next(files)}.txt"
        path.write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
        stream = io.StringIO()
        status = run(begin, Terms((path,), True, stream, plain))
        assert status == 0, stream.getvalue()
        text = stream.getvalue()
        return text if all else re.split(r"^\(simwasm .*?\) .*\n", text, flags=re.M)[-1]

    return say


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Talk:
    """Do what lines say, the last of which is wrong; what is complained about."""

    def say(*lines: str, start: Recipe = ALLOW) -> str:
        path = tmp_path / "wrong.txt"
        path.write_text("\n".join(lines), encoding="utf-8")
        stream = io.StringIO()
        assert run(start_with(start, remember=False), Terms((path,), True, stream, plain)) == 1
        complaint = capsys.readouterr().err
        assert complaint.startswith(f"simwasm: {path}:{len(lines)}: ")
        return complaint.removeprefix(f"simwasm: {path}:{len(lines)}: ")

    return say


def now(text: str) -> str:
    """The row one is on."""
    (line,) = (line for line in text.splitlines() if line.startswith("▶"))
    return line


def test_traffic_without_an_exchange_is_told(talk: Talk, tmp_path: Path) -> None:
    (tmp_path / "empty.har").write_text('{"log": {"version": "1.2", "entries": []}}')
    empty = replace(ALLOW, traffic=(str(tmp_path / "empty.har"),))
    assert talk("# nothing", start=empty, all=True).startswith("there was no exchange in the traffic\n")


def test_it_begins_at_the_first_row_of_the_first_exchange(talk: Talk) -> None:
    assert talk("# nothing") == (
        "    8 → true\n"
        "▶   9 ← proxy_on_context_create(context_id: 2, parent_context_id: 1)\n"
        "   10 → (proxy_on_context_create returns)\n"
    )


@pytest.mark.parametrize(
    ("lines", "row"),
    [
        (("step",), 10),
        (("s 3",), 12),
        (("next",), 10),
        (("goto 11", "next"), 16),
        (("goto 13", "finish"), 16),
        (("goto 13", "reverse-finish"), 11),
        (("goto 13", "rs"), 12),
        (("goto 16", "reverse-next"), 11),
        (("goto 50", "restart"), 9),
        (("goto 1", "back-step"), 1),
        (("goto @11",), 11),
        (("row 16",), 16),
        (("until 20",), 20),
        (("until on_log",), 21),
        (("until trap",), 114),
        (("until trap", "goto 9", "break on_log", "until get_header", "c", "c"), 41),
        (("continue",), 114),
        (("break get_header", "c"), 13),
        (("break get_header", "c 2", "c", "rc 2"), 13),
        (("b get_header if exchange:3", "run", "c"), 51),
        (("goto 13", "b", "goto 20", "reverse-continue"), 13),
        (("tbreak get_header", "c", "goto 9", "c"), 114),
        (("b get_header", "ignore 1 2", "c"), 51),
        (("b get_header", "ignore 1 every 2", "c"), 31),
        (("b get_header", "disable 1", "c"), 114),
        (("b get_header", "disable", "enable 1", "c"), 13),
        (("b get_header", "condition 1 exchange:2", "c"), 31),
        (("b get_header", "condition 1 exchange:2", "condition 1", "c"), 13),
        (("b get_header", "delete 1", "c"), 114),
        (("b get_header", "b on_log", "delete", "c"), 114),
        (("b trap", "c"), 114),
        (("b status!=OK", "c"), 13),
        (("b ret:Pause", "c"), 16),
        (("watch shared x", "watch property a.b", "watch header allow", "c"), 114),
        (("watch header content-type", "c"), 15),
        (("watch memory 0x102fe0 4", "c"), 12),
        (("watch 0x102fe0..0x102fe4", "goto 114", "rc"), 93),
        (("b send_local_response", "c", "c"), 55),
        (("bookmark here", "goto 50", "goto here"), 9),
        (("goto 50", "goto ."), 50),
        (("source no-such-file # is tried", "step"), 10),
    ],
)
def test_where_commands_lead(talk: Talk, lines: tuple[str, ...], row: int, tmp_path: Path) -> None:
    if lines[0].startswith("source"):
        (tmp_path / "inner.txt").write_text("# a comment\n\n  step\nrs\n")
        lines = (f"source {tmp_path / 'inner.txt'}", *lines[1:])
    assert int(now(talk(*lines))[2:].split()[0]) == row


def test_a_breakpoint_that_stops_is_told(talk: Talk) -> None:
    said = talk("break get_header if exchange:1", "continue")
    assert said.splitlines()[1] == "breakpoint 1: get_header if exchange:1"
    assert now(said).startswith("▶● 13     proxy_get_header_map_value(")


def test_log_lines_passed_on_the_way_are_shown(talk: Talk) -> None:
    said = talk("goto 11", "next")
    assert said.splitlines()[0] == "log info: wasm log allow_header: #2 wasm-rust: on_http_request_headers"
    assert "log " not in talk("goto 16", "goto 11")


def test_a_line_that_a_plugin_breaks_stays_apart_from_ours(talk: Talk, tmp_path: Path) -> None:
    path = tmp_path / "lines.wasm"
    log = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))'
    text = '(data (i32.const 64) "a\\0a(simwasm 1/1) quit")'
    call = "(drop (call $log (i32.const 2) (i32.const 64) (i32.const 20)))"
    path.write_bytes(wat.plugin(log, text, wat.callback("proxy_on_request_headers", call)).wasm)
    said = talk("continue", "log", start=Recipe(str(path), ALLOW.traffic), all=True)
    assert "log info: wasm log lines: a\n    (simwasm 1/1) quit\n" in said


def test_a_flood_of_log_lines_is_cut(talk: Talk) -> None:
    said = talk("set loglines 2", "goto 114")
    assert said.count("log info") == 2
    assert "… and 5 more lines; `log` shows them" in said


def test_a_logpoint_speaks_and_does_not_stop(talk: Talk) -> None:
    said = talk("logpoint get_header if exchange:1 :: {method} {path} asks for {key}", "continue")
    assert "◇ GET /status/418 asks for allow\n" in said
    assert said.count("◇") == 1
    assert "the run has ended" in said


def test_commands_makes_a_logpoint_of_a_breakpoint(talk: Talk) -> None:
    said = talk("break get_header", "commands 1 asked for {key}", "continue")
    assert said.count("◇ asked for allow") == 5


def test_at_a_return_its_consequence_is_told(talk: Talk) -> None:
    said = talk("goto 16")
    assert "  ⇒ PAUSE: This plugin sends the local reply 403" in said
    hung = talk("break ret:Pause", "continue", start=replace(AUTH, callout=("auth=timeout",)))
    assert "callout 4 to `auth` is in flight" in hung


def test_list_goes_on_behind_what_it_listed(talk: Talk) -> None:
    assert [line[2:6].strip() for line in talk("list 20 4").splitlines()] == ["18", "19", "20", "21"]
    assert talk("list 20 4", "list")[2:6].strip() == "22"
    assert len(talk("list . 3").splitlines()) == 3
    assert len(talk("set lines 5", "list").splitlines()) == 5


def test_where_shows_calls_and_the_frames_of_the_plugin(talk: Talk) -> None:
    said = talk("goto 13", "where").splitlines()
    assert said[0].startswith("#0  row 13  proxy_get_header_map_value(")
    assert said[1].startswith("#1  row 11  proxy_on_request_headers(")
    assert said[-1].strip().startswith("proxy_on_request_headers (func ")


def test_print_gives_the_value_of_an_expression(talk: Talk) -> None:
    assert talk("goto 13", 'print headers.request[":path"]') == '"/status/418"\n'
    assert talk("goto 13", "p args.key") == '"allow"\n'
    assert talk("p/x 255") == "0xff\n"
    assert talk('p/x "ab"') == "61 62\n"


def test_display_shows_a_value_at_every_stop_until_it_is_taken_away(talk: Talk) -> None:
    assert talk("display position", "display call", "goto 13").endswith(
        '1: position = 14 (0xe)\n2: call = "proxy_get_header_map_value"\n'
    )
    assert "position =" not in talk("display position", "undisplay 1", "goto 13")
    assert "1: result = <there is no result here" in talk("display result", "goto 13")


def test_memory_is_shown_as_in_gdb(talk: Talk) -> None:
    at = "goto 13", "watch 0x102fe0 4", "delete"
    words = talk(*at, "x/2xw 0x100000")
    numbers = talk(*at, "x/8xb 0x100000").split()[1:]
    assert re.fullmatch(r"0x00100000  0x[0-9a-f]{8}  0x[0-9a-f]{8}\n", words)
    assert words.split()[1] == "0x" + "".join(number[2:] for number in reversed(numbers[:4]))
    assert talk(*at, "x/1xb 0x100000", "x").startswith("0x00100001  ")
    (text,) = (line for line in talk("goto 12", "info row").splitlines() if "message =" in line)
    address = text.partition("at 0x")[2].partition(",")[0]
    assert '"#2 wasm-rust' in talk("goto 12", f"x/s 0x{address}")
    assert talk("goto 12", f"x/2c 0x{address}") == f'0x{int(address, 16):08x}  35 "#"  50 "2"\n'
    assert talk("goto 12", f"x/2db 0x{address}") == f"0x{int(address, 16):08x}  35  50\n"


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("breakpoints", "there are no breakpoints"),
        ("b", "there are no breakpoints"),
        ("watches", "nothing is watched"),
        ("row", 'key = "allow"  at 0x'),
        ("stack", "#1  row 11  proxy_on_request_headers"),
        ("headers", "  :path: /status/418"),
        ("headers request", "HTTP_REQUEST_HEADERS"),
        ("body", "there is no body here"),
        ("properties", "request.path = "),
        ("properties response", "response.code: not available now"),
        ("shared", "nothing is shared"),
        ("metrics", "no metric is defined"),
        ("callouts", "no callout is in flight"),
        ("memory", " bytes, 0x0 to 0x"),
        ("locals", "`stepi` goes to an instruction"),
        ("streams", "#1 is open: request in `allow_header`"),
        (
            "problems",
            "    13  note: NOT_FOUND: header allow (proxy_get_header_map_value)\n        proxy_get_header_map_value(",
        ),
        ("log", "12  log info: wasm log allow_header: #2 wasm-rust"),
        ("branches", "▶ run  114 rows"),
        ("plugin", "FAIL_CLOSED"),
    ],
)
def test_info_tells_what_is_seen(talk: Talk, subject: str, shown: str) -> None:
    assert shown in talk("goto 13", f"info {subject}")


def test_info_tells_of_what_there_is_a_lot(talk: Talk) -> None:
    said = talk("break ret:Pause", "continue", "info callouts", start=AUTH)
    assert '4 to "auth"  for exchange #1, it is sent when the callback has returned, timeout 1,000 ms' in said
    assert "cas " in talk("goto 60", "info shared", start=_sample("rate_limit"))
    body = talk("break on_response_body", "continue", "info body", start=_sample("response_body"))
    assert "bytes came in (" in body


def _sample(name: str) -> Recipe:
    return Recipe(
        str(ROOT / "samples" / name / "plugin.wasm"), (str(ROOT / "traces/traffic" / f"{name}.har"),)
    )


def test_streams_say_what_became_of_each_exchange(talk: Talk) -> None:
    lines = talk("goto 13", "streams").splitlines()
    assert lines[0] == "▶ #1 GET /status/418  418 → 403  from row 9"
    assert lines[1].startswith("  #2 GET /status/418  418  from row ")


def test_a_trap_is_a_problem_and_has_frames(talk: Talk) -> None:
    recipe = replace(ALLOW, fuel=1000)
    said = talk("problems", start=recipe)
    assert "error: trap: out of fuel\n" in said
    assert "out of fuel" in talk("break trap", "continue", start=recipe)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("who header allow", 'client: "true"'),
        ("who header :path request", 'client: "'),
        ("who header nobody", "nobody has written the header nobody until here"),
        ("who body", "HTTP_RESPONSE_BODY"),
        ("who property a.b", "nobody has written property a.b until here"),
        ("who shared k", "nobody has written shared k until here"),
        ("who metric m", "nobody has written metric m until here"),
        ("who memory 0 4", "nobody has written these bytes until here: they are 0"),
        (
            "who memory 0x100000 64",
            "nobody has changed these bytes until here: the module's own data, since it was",
        ),
        ("who memory 0x102fe0 4", "i32.store"),
    ],
)
def test_who_wrote_something(talk: Talk, command: str, shown: str) -> None:
    assert shown in talk("goto 31", command)


def test_who_wrote_memory_names_the_host_call_around_an_allocator(talk: Talk) -> None:
    """The header's value is written between the return of the allocator and that of the host call."""
    text = talk("goto 40", "who memory 0x102fe0 4")
    assert "row 31  by the host, in proxy_get_header_map_value: 0x102fe0: 23 33 20 77 → 74 72 75 65" in text
    assert "proxy_on_memory_allocate" not in text


def test_an_answer_of_the_host_is_overridden_on_a_branch(talk: Talk) -> None:
    lines = "goto 13", 'override OK b"true"'
    assert "proxy_get_header_map_value" in now(talk(*lines))
    assert 'OK value: "true"' in now(talk(*lines))
    assert "returned: PAUSE -> CONTINUE" in talk(*lines, "diff")
    assert "▶ fork 1  116 rows  from `run` at row 13: proxy_get_header_map_value → OK" in talk(
        *lines, "branches"
    )
    assert "NOT_FOUND" in now(talk(*lines, "switch run"))
    assert 'OK value: "true"' in now(talk(*lines, "switch run", "switch 1"))


def test_a_callout_that_is_answered_by_ok_alone_keeps_its_number(talk: Talk) -> None:
    said = talk("b proxy_http_call", "c", "override OK", start=AUTH)
    recorded = talk("b proxy_http_call", "c", start=AUTH)
    number = re.search(r"OK call_id: \d+", now(recorded))
    assert number is not None
    assert number[0] in now(said)


def test_a_callbacks_result_is_overridden_on_a_branch(talk: Talk) -> None:
    said = talk("goto 34", "finish", "override Pause")
    assert "overridden in the debugger; the plugin returned" in now(said)
    assert "`run` and `fork 1` do not differ" not in talk("goto 34", "finish", "override Pause", "diff")


def test_an_exchange_that_nobody_resumed_hung(talk: Talk) -> None:
    assert "418 → 504 hung  from row" in talk("goto 34", "finish", "override Pause", "streams")
    assert "hung" not in talk("goto 34", "finish", "streams")


def test_reload_stands_at_the_same_place(talk: Talk) -> None:
    said = talk("goto 13", "reload")
    assert "is the same as before" in said
    assert now(said).startswith("▶  13 ")


def test_a_plugin_is_reloaded_when_it_was_rebuilt_and_missed_when_it_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What happens to the file while it is open: another build, then nothing, then no module at all."""
    path = tmp_path / "plugin.wasm"
    path.write_bytes(Path(ALLOW.plugin).read_bytes())

    class Lines(io.StringIO):
        """Between two lines, something happens to the file."""

        def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # a generator is an iterator too
            yield "goto 13"
            path.write_bytes(Path(_sample("allow_header_go").plugin).read_bytes())
            yield "reload"
            path.unlink()
            yield "reload"
            path.write_bytes(b"text")
            yield "reload"
            yield "info row"

    said = io.StringIO()
    _piped(start_with(replace(ALLOW, plugin=str(path)), remember=False), said, Lines())
    assert f"{path} was rebuilt" in said.getvalue()
    complaints = capsys.readouterr().err
    assert "plugin.wasm: cannot be read: No such file or directory" in complaints
    assert "not a Wasm module" in complaints
    row = said.getvalue().partition("info row\n")[2].splitlines()[1]
    assert row.startswith("  proxy_get_header_map_value(")


@pytest.mark.parametrize(
    "format", ["curl", "har", "har-seen", "traffic", "trace", "trace-exchange", "test", "case"]
)
def test_exports_are_shown_or_written(talk: Talk, format: str, tmp_path: Path) -> None:
    assert talk("goto 13", f"export {format} -").strip()
    assert talk("goto 13", f"export {format} {tmp_path / 'out'}") == f"wrote {tmp_path / 'out'}\n"
    assert (tmp_path / "out").stat().st_size > 10


def test_assert_writes_a_test(talk: Talk, tmp_path: Path) -> None:
    talk("goto 16", f"assert {tmp_path / 'test_it.py'}")
    assert "def test_" in (tmp_path / "test_it.py").read_text()


def test_a_saved_session_opens_at_the_same_stop(talk: Talk, tmp_path: Path) -> None:
    file = tmp_path / "it.simwasm"
    said = talk(
        "break get_header if exchange:2", "display position", "bookmark first", "goto 13",
        'override OK b"true"', "goto 16", f"save {file}",
    )  # fmt: skip
    assert said == f"saved to {file}; `simwasm debug {file}` opens it\n"
    again = talk("info breakpoints", "goto first", "switch run", "goto 16", start=start_from(file), all=True)
    assert "1: position = 20" in again
    assert "  1  get_header  if exchange:2  1 hit on tape" in again
    assert "(simwasm fork 1 16/116) info breakpoints" in again
    assert "(simwasm 9/114) goto 16" in again


def test_save_without_a_name_writes_the_same_file(talk: Talk, tmp_path: Path) -> None:
    file = tmp_path / "it.simwasm"
    talk(f"save {file}", "goto 20", "save")
    assert now(talk("# nothing", start=start_from(file))).startswith("▶  20 ")


def test_a_branch_that_no_longer_fits_is_left_out_with_a_sentence(talk: Talk, tmp_path: Path) -> None:
    file = tmp_path / "it.simwasm"
    talk("goto 15", "override BAD_ARGUMENT", f"save {file}")
    saved = start_from(file)
    other = start_with(_sample("response_body"), remember=False)
    said = talk("# nothing", start=replace(other, session=saved.session, path=file))
    assert "the branch `fork 1` is left out: the call that was answered there is not in this run" in said


def test_an_answer_in_a_session_that_the_host_could_not_give_is_left_out(talk: Talk, tmp_path: Path) -> None:
    file = tmp_path / "it.simwasm"
    talk("goto 13", 'override OK "x"', f"save {file}")
    file.write_text(file.read_text().replace('"x"', "5"))
    said = talk("branches", start=start_from(file), all=True)
    assert "the branch `fork 1` is left out: override: value is text or bytes" in said
    assert said.endswith("▶ run  114 rows\n")


def test_help_knows_every_command(talk: Talk) -> None:
    everything = talk("help")
    for command in COMMANDS:
        assert f"  {command.word}" in everything
        told = talk(f"help {command.word}")
        assert told.startswith(f"{command.word} {command.usage}".rstrip() + "\n")
        assert command.help in told


def test_no_two_commands_have_the_same_word() -> None:
    words = [word for command in COMMANDS for word in (command.word, *command.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("typed", "command"),
    [("s", "step"), ("undisp", "undisplay"), ("bt", "where"), ("rs", "reverse-step"), ("cont", "continue"),
     ("run", "restart"), ("x/16xb", "x"), ("p/x", "print"), ("info", "info"), ("q", "quit"), ("dis", None)],
)  # fmt: skip
def test_what_is_typed_finds_a_command(typed: str, command: str | None) -> None:
    if command is None:
        with pytest.raises(
            InputError, match="`dis` may be `disassemble`, `disable`, `display`: type more of it"
        ):
            find(COMMANDS, typed)
    else:
        assert find(COMMANDS, typed)[0].word == command


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("contnue", "there is no command `contnue`; did you mean `continue`"),
        ("frobnicate", "there is no command `frobnicate`; `help` lists all commands"),
        ("re", "`re` may be `restart`, `record`"),
        ("step x", "step: how often is a whole number, not `x`"),
        ("step 0", "step: from 1 to 1,000,000 times, not 0"),
        ("step/x", "`step` takes no format such as /x"),
        ("goto", "goto: use it as `goto ROW"),
        ("goto 1000", "there is no row 1,000: the tape has 1 to 114"),
        ("goto @0", "there is no position 0: the tape has 1 to "),
        ("goto nowhere", "a row (there is no bookmark `nowhere`) is a whole number"),
        ("until 2", "until: row 2 is not ahead; `goto 2` goes back"),
        ("break nonsense", "the ABI has no function `nonsense`"),
        ("break get_header if (", "at character"),
        ("delete 7", "there is no breakpoint 7"),
        ("ignore 1", "ignore: use it as"),
        ("commands", "commands: use it as"),
        ("logpoint get_header", "logpoint: use it as `logpoint WHERE [if COND] :: TEXT`"),
        ("watch", "watch: use it as"),
        ("watch x", "watch: use it as"),
        ("print", "print: use it as"),
        ("print nothing_there", "nothing_there"),
        ("print/d headers", "cannot be shown as /d"),
        ("x/9z 0", "is no format"),
        ("x 0xffffffff", "lies outside the plugin's memory of"),
        ('x "a"', 'is no address but "a"'),
        ("undisplay 4", "there is no display 4"),
        ("info", "info: use it as"),
        ("info x", "there is nothing called `x`"),
        ("info me", "`me` may be metrics, memory: type more of it"),
        ("who", "who: use it as"),
        ("who header", "who: use it as"),
        ("who memory -1", "who memory: an address"),
        ("override", "override: use it as"),
        ("override OK", "proxy_on_context_create returns nothing"),
        ("diff", "there is nothing to compare with"),
        ("switch x", "there is no branch `x`; there is `run`"),
        ("export", "export: use it as"),
        ("export nothing", "there is no export called nothing"),
        ("export curl /nowhere/file", "/nowhere/file: cannot be written: No such file or directory"),
        ("save", "save: use it as `save FILE.simwasm`"),
        ("save /nowhere/a", "/nowhere/a.simwasm: cannot be written"),
        ("source /nowhere", "/nowhere: cannot be read"),
        ("set speed 1", "there is no setting `speed`; there is context, lines, loglines"),
        ("set context many", "a setting is a whole number"),
        ("set context 5000", "between 0 and 1,000"),
        ("interrupt", "no plugin is computing"),
        ("help me", "there is no command `me`"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(refused: Talk, line: str, complaint: str) -> None:
    assert complaint in refused("# first", line)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("override NOTHING", "`NOTHING` is no status; there is OK, NOT_FOUND"),
        ("override NOT_FOUND 1", "values are written only with OK"),
        ("override OK", "proxy_get_header_map_value writes value (text): 1 values are needed"),
        ("override OK 5", "value is text or bytes of at most 1,048,576, not 5"),
        ("override OK __import__('os')", "values are as in"),
        ("override OK " + "(" * 500, "values are as in"),
    ],
)
def test_an_override_that_cannot_be_is_told(refused: Talk, line: str, complaint: str) -> None:
    assert complaint in refused("goto 13", line)


def test_an_error_in_a_file_that_a_file_sources_is_told_with_both(refused: Talk, tmp_path: Path) -> None:
    (tmp_path / "inner.txt").write_text("step\nbogus\n")
    stream = io.StringIO()
    path = tmp_path / "outer.txt"
    path.write_text(f"source {tmp_path / 'inner.txt'}")
    assert run(start_with(ALLOW, remember=False), Terms((path,), True, stream, plain)) == 1
    (tmp_path / "round.txt").write_text(f"source {tmp_path / 'round.txt'}")
    assert "too deep" in _complaint(refused, f"source {tmp_path / 'round.txt'}", tmp_path)


def _complaint(refused: Talk, line: str, tmp_path: Path) -> str:
    try:
        return refused(line)
    except AssertionError as error:  # it is told where it happened: in the file that sources itself
        return str(error)


def test_what_was_said_is_the_same_every_time(talk: Talk) -> None:
    lines = "break get_header", "c", "info row", "c", "info headers", "rc", "streams", "finish", "log"
    assert talk(*lines, all=True) == talk(*lines, all=True)


@pytest.mark.parametrize("name", ["wasmer", "wasmtime"])
def test_engines_say_the_same(talk: Talk, name: str) -> None:
    from simwasm.engines.find import engine
    from simwasm.errors import EngineUnavailable

    try:
        engine(name)
    except EngineUnavailable:
        pytest.skip(f"{name} does not load here")
    lines = "break get_header", "c", "info row", "info headers", "rs", "streams", "where"
    assert talk(*lines, all=True, start=replace(ALLOW, engine=name)) == talk(*lines, all=True)


def test_a_plugin_that_does_not_start_is_an_error_and_no_session(tmp_path: Path) -> None:
    path = tmp_path / "broken.wasm"
    path.write_bytes(wat.plugin('(import "env" "nonsense" (func))').wasm)
    start = start_with(Recipe(str(path), ALLOW.traffic), remember=False)
    with pytest.raises(Exception, match="nonsense"):
        run(start, Terms((), True, io.StringIO(), plain))


def test_a_plugin_that_traps_at_its_start_can_be_looked_at(talk: Talk, tmp_path: Path) -> None:
    path = tmp_path / "trapping.wasm"
    path.write_bytes(wat.plugin(wat.callback("proxy_on_vm_start", "unreachable")).wasm)
    said = talk("list 1", start=Recipe(str(path), ALLOW.traffic), all=True)
    assert (
        "the run cannot go on behind what is on tape: trapping: Failed to start base Wasm: unreachable"
        in said
    )
    assert "✗ proxy_on_vm_start: unreachable" in said


def test_without_traffic_there_are_the_plugins_own_callbacks(talk: Talk) -> None:
    assert "▶  1 ← _initialize()" in talk("# nothing", start=Recipe(ALLOW.plugin))


def test_nothing_to_debug_is_an_error() -> None:
    with pytest.raises(InputError, match="give a plugin and its traffic, a session or a trace"):
        run(Start(), Terms((), True, io.StringIO(), plain))


def test_colours_are_on_the_lines_where_they_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_text("step")
    stream = io.StringIO()
    run(start_with(ALLOW, remember=False), Terms((path,), True, stream, paint))
    assert "\x1b[1m▶ " in stream.getvalue()


_WORDS = st.sampled_from([name for command in COMMANDS for name in (command.word, *command.aliases)])
_REST = st.text(max_size=30) | st.sampled_from(
    (
        "1",
        "0",
        "-1",
        "13",
        "@5",
        "get_header",
        "trap if",
        "headers",
        "0x100",
        "OK 1",
        "Continue",
        "a b c",
        "1 x",
    )
)
_HARMFUL = ("source", "save", "export", "assert", "quit", "q", "exit")


@settings(max_examples=25)
@given(st.lists(st.tuples(_WORDS, _REST), max_size=12))
def test_no_line_is_ever_more_than_a_sentence(lines: list[tuple[str, str]]) -> None:
    """Whatever is typed: no failure of ours, nothing on the terminal that could move the cursor, and it goes on."""
    typed = [f"{word} {rest}" for word, rest in lines if word not in _HARMFUL]
    stream, complaints = io.StringIO(), io.StringIO()
    start = start_with(ALLOW, remember=False)
    with redirect_stderr(complaints):
        _piped(start, stream, io.StringIO("\n".join((*typed, "restart"))))
    assert "simwasm itself failed" not in complaints.getvalue()
    for char in stream.getvalue() + complaints.getvalue():
        assert char.isprintable() or char in "\n\t"


def _piped(start: Start, stream: io.StringIO, lines: io.StringIO) -> None:
    """Take lines as from a pipe."""
    before, sys.stdin = sys.stdin, lines
    try:
        assert run(start, Terms((), False, stream, plain)) == 0
    finally:
        sys.stdin = before
