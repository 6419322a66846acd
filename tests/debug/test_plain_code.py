"""The line debugger inside of callbacks: what it writes, on real plugins."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from computing import computing
from debugging import inputs_for, requests
from wat import callback, plugin

from simwasm.debug.plain.front import Terms, run
from simwasm.debug.start import Start, start_with
from simwasm.recipe import Recipe
from simwasm.trace.text import plain

ROOT = Path(__file__).parent.parent.parent
LINED = Recipe(
    str(ROOT / "samples/allow_header/plugin.debug.wasm"), (str(ROOT / "traces/traffic/allow_header.har"),)
)


def talk(folder: Path, *lines: str, start: Start | None = None) -> str:
    """Do what lines say, and give what was written behind the last prompt."""
    return re.split(r"^\(simwasm .*?\) .*\n", talk_all(folder, *lines, start=start), flags=re.M)[-1]


def talk_all(folder: Path, *lines: str, start: Start | None = None) -> str:
    """Do what lines say, and give all that was written."""
    path, stream = folder / "commands.txt", io.StringIO()
    path.write_text("\n".join(lines))
    begin = start or Start(inputs_for(computing(), requests(2)))
    assert run(begin, Terms((path,), True, stream, plain)) == 0, stream.getvalue()
    return stream.getvalue()


HEADERS = "until on_request_headers"


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (("stepi",), "▶ 0x000d4  i32.const 21"),
        (("stepi 3",), "twice  · instruction 3 of"),
        (("stepi 2", "nexti"), "▶ 0x000d8  local.set 3"),
        (("stepi 3", "reverse-stepi"), "▶ 0x000d6  call 1"),
        (("stepi 2", "nexti", "rni"), "▶ 0x000d6  call 1"),
        (("stepi 3", "unit instruction", "finish"), "▶ 0x000d8  local.set 3"),
        (("unit",), "one step is one ABI call"),
        (("unit i", "step"), "▶ 0x000d4  i32.const 21"),
        (("stepi 5", "info locals"), "i32 x (l0) = 21 (0x15)"),
        (("stepi 5", "info locals"), "int s1 = 21 (0x15)"),
        (("stepi 5", "info locals 1"), "i32 found (l3) = 0"),
        (("info locals",), "no function is active here; `stepi` goes to an instruction"),
        (("info globals",), "i32 sum (g0) = 0"),
        (("stepi 5", "where"), "twice(x (l0) = 21 (0x15)) at 0xb5"),
        (("stepi 5", "print x + l0 + s0"), "63"),
        (("stepi 5", "print local"), "21 (0x15)"),
        (("stepi", "disassemble"), "▶ 0x000d4  i32.const 21"),
        (("disassemble twice",), "0x000b5  i32.add"),
        (("profile",), "with all it calls"),
        (("stepi 3", "set l0 = 5", "info locals"), "i32 x (l0) = 5"),
        (("stepi 3", "set l0 = 5", "branches"), "▶ edit 1"),
        (("stepi 3", "set memory[0] = 'bye'", "x/1s 0"), "byelo"),
        (("stepi 3", "set memory[0] = 41 42", "x/1s 0"), "ABllo"),
        (("break function:count if n == 1", "continue"), "breakpoint 2: function:count if n == 1"),
        (("break instruction:i32.store8", "info breakpoints"), "instruction:i32.store8  1 instruction"),
        (("break at:0x1", "info breakpoints"), "nothing in this plugin"),
        (("until instruction:drop", "who memory 100 4"), "i32.store: 0x64: 00 → 2a"),
        (("watch 100 4", "unit instruction", "continue"), "written by proxy_on_request_headers at 0xdf"),
    ],
)  # fmt: skip
def test_what_commands_about_code_write(lines: tuple[str, ...], shown: str, tmp_path: Path) -> None:
    assert shown in talk(tmp_path, HEADERS, *lines)


def test_steps_by_line_show_lines(tmp_path: Path) -> None:
    begin = start_with(LINED, remember=False)
    text = talk(tmp_path, "unit line", "until src/lib.rs:36", "next", "next", start=begin)
    assert "src/lib.rs:41" in text


def test_a_global_that_the_plugin_exports_itself_is_shown_and_changed(tmp_path: Path) -> None:
    shown = '(global $shown (export "shown") (export "again") (mut i32) (i32.const 5))'
    start = Start(inputs_for(plugin(shown, callback("proxy_on_request_headers")), requests(1)))
    lines = ("info globals", "stepi", "set g0 = 7", "print g0")
    text = talk_all(tmp_path, *lines, start=start)
    assert "i32 shown (g0) = 5" in text
    assert text.endswith("\n7\n")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("set l0 =", "use it as `set l0 = 5`"),
        ("set memory[0]", "use it as `set l0 = 5`"),
        ("info locals 7", "from 0 to 0 functions out, not 7"),
        ("profile -1", "-1 is less than none"),
    ],
)
def test_wrong_words_about_code_are_told_how_to_be_right(
    line: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "commands.txt"
    path.write_text(f"{HEADERS}\nstepi\n{line}\n")
    assert run(Start(inputs_for(computing(), requests(2))), Terms((path,), True, io.StringIO(), plain)) == 1
    assert says in capsys.readouterr().err
