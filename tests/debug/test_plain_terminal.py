"""The line debugger as a person has it: at a terminal, with ctrl-c, history, completion, and after a kill."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import wat
from typist import Typist

from simwasm.engines.engine import Engine

ROOT = Path(__file__).parent.parent.parent
PLUGIN = str(ROOT / "samples/allow_header/plugin.wasm")
TRAFFIC = str(ROOT / "traces/traffic/allow_header.har")
CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"

Debug = Callable[..., Typist]


@pytest.fixture
def debug(tmp_path: Path) -> Debug:
    """Start the line debugger at a terminal; its state is that of the test."""

    def start(*words: str) -> Typist:
        env = {
            **os.environ,
            "SIMWASM_STATE_DIR": str(tmp_path / "state"),
            "TERM": "xterm",
            "PYTHONUNBUFFERED": "1",
        }
        env.pop("NO_COLOR", None)
        return Typist([sys.executable, "-m", "simwasm", "debug", "--plain", *words], ROOT, env)

    return start


@pytest.fixture
def spinning(tmp_path: Path) -> str:
    """The file of a plugin that computes for ever in the request's headers."""
    path = tmp_path / "spinning.wasm"
    path.write_bytes(wat.plugin(wat.callback("proxy_on_request_headers", "(loop $l (br $l))")).wasm)
    return str(path)


def test_ctrl_c_pauses_a_plugin_that_computes_and_interrupt_ends_its_call(
    debug: Debug, spinning: str, engine: Engine
) -> None:
    with debug(spinning, TRAFFIC, "--fuel", "900000000000", "--engine", engine.name) as person:
        person.until("recording")
        person.press(CTRL_C)
        person.until("paused while the plugin computes")
        person.until("(simwasm ")
        person.press("where\n")
        person.until("#0")
        person.until("proxy_on_request_headers")
        person.until("(simwasm ")
        person.press("interrupt\n")
        person.until("interrupted")
        person.until("(simwasm ")
        person.press("quit\n")
        assert person.end() == 0


def test_ctrl_c_at_the_prompt_is_a_new_line_and_ctrl_d_leaves(debug: Debug) -> None:
    with debug(PLUGIN, TRAFFIC) as person:
        person.until("(simwasm 9/114) ")
        person.press("ste")
        person.until("ste")
        person.press_until(CTRL_C, "(simwasm 9/114) ")
        person.press("step\n")
        person.until("(simwasm 10/114) ")
        person.press(CTRL_D)
        assert person.end() == 0
        assert "Traceback" not in person.shown


def test_an_empty_line_does_the_last_motion_again(debug: Debug) -> None:
    with debug(PLUGIN, TRAFFIC) as person:
        person.until("(simwasm 9/114) ")
        person.press("step 2\n")
        person.until("(simwasm 11/114) ")
        person.press("\n")
        person.until("(simwasm 13/114) ")
        person.press("info row\n")
        person.until("(simwasm 13/114) ")
        person.press("\nstep\n")
        assert "(simwasm 15/114)" not in person.until("(simwasm 14/114) ")


def test_tab_completes_commands_and_what_stands_behind_them(debug: Debug) -> None:
    with debug(PLUGIN, TRAFFIC) as person:
        person.until("(simwasm 9/114) ")
        person.press("info proper\t\n")
        person.until("info properties")
        person.until("(simwasm 9/114) ")
        person.press("undisp\t\n")
        person.until("undisplay")
        person.until("(simwasm 9/114) ")


def test_history_is_there_the_next_time(debug: Debug) -> None:
    with debug(PLUGIN, TRAFFIC) as person:
        person.until("(simwasm 9/114) ")
        person.press("print 6 * 7\nquit\n")
        assert person.end() == 0
    with debug(PLUGIN, TRAFFIC) as person:
        person.until("(simwasm 9/114) ")
        person.press(UP + UP + "\n")
        person.until("print 6 * 7")
        person.until("42")


def test_breakpoints_are_there_again_after_a_kill(debug: Debug) -> None:
    with debug(PLUGIN, TRAFFIC) as person:
        person.until("(simwasm 9/114) ")
        person.press("break get_header if exchange:3\n")
        person.until("1 hit on tape")
        person.until("(simwasm 9/114) ")
        person.kill()
    with debug(PLUGIN, TRAFFIC) as person:
        person.until("1 breakpoint of the last time")
        person.until("(simwasm 9/114) ")
        person.press("continue\n")
        person.until("breakpoint 1: get_header if exchange:3")


def test_a_script_leaves_the_session_that_is_remembered_alone(debug: Debug, tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text("break trap\n")
    with debug(PLUGIN, TRAFFIC) as person:
        person.until("(simwasm 9/114) ")
        person.press("break on_log\nquit\n")
        assert person.end() == 0
    with debug(PLUGIN, TRAFFIC, "-x", str(script)) as person:
        person.until("1  trap")
        person.until("(simwasm 9/114) ")
        person.press("quit\n")
        assert person.end() == 0
    with debug(PLUGIN, TRAFFIC) as person:
        person.until("1 breakpoint of the last time")
        person.press("info breakpoints\n")
        person.until("1  on_log")


def test_escape_sequences_of_a_plugin_never_reach_the_terminal(debug: Debug, tmp_path: Path) -> None:
    text = "\\1b]0;owned\\07\\1b[2J\\9b31m\\0dover"
    log = (
        '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))',
        f'(data (i32.const 64) "{text}")',
        wat.callback(
            "proxy_on_request_headers", "(drop (call $log (i32.const 2) (i32.const 64) (i32.const 26)))"
        ),
    )
    path = tmp_path / "\x1b]0;name\x07.wasm"
    path.write_bytes(wat.plugin(*log).wasm)
    with debug(str(path), TRAFFIC, "--name", "a\x1b[5mb") as person:
        person.until(") ")
        person.press("break \x16\x1b[5mx\n")
        person.until("(simwasm ")
        for line in (
            "step 5",
            "list",
            "log",
            "info row",
            "info plugin",
            "print call",
            "x/2s 64",
            "problems",
            "streams",
        ):
            person.press(f"{line}\n")
            person.until(f"{line}\r\n")
            person.until("(simwasm ")
        person.press("quit\n")
        assert person.end() == 0
    assert "owned" in person.shown
    for sequence in ("\x1b]0;", "\x1b[2J", "\x9b", "\x1b[5m", "\rover"):
        assert sequence not in person.shown
