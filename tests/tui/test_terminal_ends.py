"""How a debugger in a real terminal ends, and what is there when it is started again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hostile import har, idle, on_headers, write_files
from tmux import Tmux

COMMAND = "simwasm debug p.wasm t.har"
STANDS = "■"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_ends_it_as_q_does(tmp_path: Path, number: signal.Signals) -> None:
    write_files(tmp_path, idle())
    with Tmux(tmp_path) as at:
        before, settings = at.modes(), at.ask("stty -g")
        at.run(COMMAND)
        at.sees(STANDS)
        at.press("b")
        at.sees("● 1 on_request_h")
        os.kill(at.child(), number)
        assert at.shell() == 128 + number
        assert "Traceback" not in at.text()
        assert (at.modes(), at.ask("stty -g")) == (before, settings)
        at.run(COMMAND)
        at.sees(STANDS, "● 1 on_request_h")


def test_breakpoints_and_the_place_come_back_after_a_kill(tmp_path: Path) -> None:
    write_files(tmp_path, idle())
    with Tmux(tmp_path) as at:
        at.run(COMMAND)
        at.sees(STANDS, r"row 1/4$")
        at.press("b")
        at.sees("● 1 on_request_h")
        at.press("s", "s")
        at.sees(r"row 3/4$")
        until_written(tmp_path, b'"exchange": 2')
        os.kill(at.child(), signal.SIGKILL)
        at.run("reset")
        at.run(COMMAND)
        at.sees(STANDS, "● 1 on_request_h", r"row 3/4$")


def test_control_z_gives_the_shell_back_and_fg_the_debugger(tmp_path: Path) -> None:
    write_files(tmp_path, idle())
    with Tmux(tmp_path) as at:
        before = at.modes()
        at.run(COMMAND)
        at.sees(STANDS, r"row 1/4$")
        at.press("C-z")
        at.sees(r"Stopped +simwasm debug")
        at.shell()
        assert at.modes() == before
        at.run("fg")
        at.sees("ABI trace", r"row 1/4$")
        at.press("s")
        at.sees(r"row 2/4$")
        at.press("q")
        assert at.shell() == 0
        assert at.modes() == before


def test_control_c_does_not_end_it_and_says_what_does(tmp_path: Path) -> None:
    write_files(tmp_path, idle())
    with Tmux(tmp_path) as at:
        at.run(COMMAND)
        at.sees(STANDS)
        at.press("C-c")
        at.sees("It stands already. q leaves the debugger")
        at.press("q")
        assert at.shell() == 0


def test_a_plugin_that_was_built_again_is_noticed_and_read_at_the_same_place(tmp_path: Path) -> None:
    write_files(tmp_path, idle())
    with Tmux(tmp_path) as at:
        at.run(COMMAND)
        at.sees(STANDS, r"row 1/4$")
        (tmp_path / "p.wasm").write_bytes(on_headers("(nop)"))
        at.press("s", "s")
        at.sees(r"row 3/4$", "p.wasm was written again: L reads it")
        at.press("L")
        at.sees("p.wasm is the new build now", "branch build 2", r"row 3/4$")
        (tmp_path / "p.wasm").write_bytes(b"rubbish")
        at.send(b"\x1b[I")  # the terminal says that it has the focus again
        at.sees("p.wasm was written again")
        at.press("L")
        at.sees("✗ not reloaded: .*not a Wasm module")
        (tmp_path / "p.wasm").unlink()
        at.press("s")
        at.sees("p.wasm is not there any more; the run goes on", r"row 4/4$")
        at.press("L")
        at.sees("✗ not reloaded: .*No such file")
        at.press("q")
        assert at.shell() == 0


def test_files_that_are_broken_cost_only_themselves(tmp_path: Path) -> None:
    write_files(tmp_path, idle(), har("/one"))
    keys = tmp_path / "config" / "simwasm" / "keys.json"
    keys.parent.mkdir(parents=True)
    keys.write_text('{"step": ')
    with Tmux(tmp_path) as at:
        at.run(COMMAND)
        at.sees(STANDS, "keys.json: the key")
        at.press("q")
        assert at.shell() == 0
        for session in (tmp_path / "state/simwasm/sessions").iterdir():
            session.write_bytes(b'{"simwasm_session": 1, "plugin": \x1b[31m')
        at.run(COMMAND)
        at.sees(STANDS)
        at.press("s")
        at.sees(r"row 2/2$")
        at.press("q")
        assert at.shell() == 0
        (tmp_path / "own.simwasm").write_bytes(b'{"simwasm_session": 1, "plugin": \x1b[31m')
        at.run("simwasm debug own.simwasm")
        assert at.shell() == 2
        assert "own.simwasm" in at.text()
        assert "Traceback" not in at.text()


@pytest.mark.parametrize("where", ["/dev/full", "/proc/nowhere", "file"])
def test_a_state_folder_that_cannot_be_written_to_disturbs_nobody(tmp_path: Path, where: str) -> None:
    write_files(tmp_path, idle())
    (tmp_path / "file").write_text("")
    with Tmux(tmp_path, env={"SIMWASM_STATE_DIR": where, "SIMWASM_CACHE_DIR": where}) as at:
        at.run(COMMAND)
        at.sees(STANDS, r"row 1/4$")
        at.press("b", "s")
        at.sees("● 1 on_request_h", r"row 2/4$")
        at.press("q")
        assert at.shell() == 0
        assert at.text().count("\n") < 60
        assert "Error" not in at.text()


def test_a_screen_that_fails_gives_the_terminal_back_and_says_so_in_a_line(tmp_path: Path) -> None:
    write_files(tmp_path, idle())
    (tmp_path / "sitecustomize.py").write_text(
        "from simwasm_tui.screens import verbs\n"
        "def do_health(self): raise RuntimeError('broken \\x1b[31m on purpose\\nhere')\n"
        "verbs.Verbs.do_zoom = do_health\n"
    )
    with Tmux(tmp_path, env={"PYTHONPATH": str(tmp_path)}) as at:
        before = at.modes()
        at.run(COMMAND)
        at.sees(STANDS)
        at.press("z")
        assert at.shell() == 1
        text = at.text()
        assert "simwasm: the screen failed: RuntimeError: broken \\x1b[31m on purpose here" in text
        assert "Traceback" not in text
        assert at.modes() == before
        assert "do_health" in (tmp_path / "state/simwasm/crash.txt").read_text()


def until_written(folder: Path, content: bytes) -> None:
    """Wait until what is remembered has this in it."""
    import time

    end = time.monotonic() + 30
    sessions = folder / "state/simwasm/sessions"
    while not any(content in file.read_bytes() for file in sessions.glob("*.simwasm")):
        assert time.monotonic() < end, "nothing was remembered"
        time.sleep(0.02)
