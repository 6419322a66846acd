"""`simwasm debug` as a process: what it says without a terminal, scripts, sessions, and what it never lets out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import wat
from process import Run, here
from typist import Typist

from simwasm.cli.words import parse

ROOT = Path(__file__).parent.parent.parent
PLUGIN = "samples/allow_header/plugin.wasm"
TRAFFIC = "traces/traffic/allow_header.har"


@pytest.fixture
def commands(tmp_path: Path) -> str:
    """A file of commands."""
    path = tmp_path / "commands.txt"
    path.write_text("# to the first question\nbreak get_header\ncontinue\nprint args.key\n")
    return str(path)


def test_without_a_terminal_the_screen_says_what_does_without(simwasm: Run) -> None:
    done = simwasm("debug", PLUGIN, TRAFFIC)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("simwasm: debug: the screen needs a terminal")
    assert "--plain works without" in done.stderr


def test_without_textual_it_says_what_to_install(tmp_path: Path) -> None:
    blind = tmp_path / "blind.py"
    blind.write_text(
        "import sys; from importlib import util; found = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'textual' else found(name, *more)\n"
        "from simwasm.cli import main; raise SystemExit(main(sys.argv[1:]))\n"
    )
    with Typist([sys.executable, str(blind), "debug", PLUGIN, TRAFFIC], ROOT, dict(os.environ)) as person:
        assert person.end() == 2
        assert "pip install 'simwasm[tui]'" in person.shown
        assert "--plain works without it" in person.shown


def test_plain_without_anything_to_debug_says_how_it_is_used(simwasm: Run) -> None:
    done = simwasm("debug", "--plain")
    assert done.returncode == 2
    assert "simwasm debug --plain plugin.wasm login.har" in done.stderr


def test_commands_from_a_file_are_done_and_shown(simwasm: Run, commands: str) -> None:
    done = simwasm("debug", PLUGIN, TRAFFIC, "-x", commands, "--batch")
    assert (done.returncode, done.stderr) == (0, "")
    assert "(simwasm 9/114) continue\n" in done.stdout
    assert done.stdout.endswith('(simwasm 13/114) print args.key\n"allow"\n')


def test_behind_a_file_commands_come_from_a_pipe(simwasm: Run, commands: str) -> None:
    done = simwasm("debug", PLUGIN, TRAFFIC, "-x", commands, stdin="step\nquit\nbogus\n")
    assert done.returncode == 0
    assert "(simwasm 13/114) step\n" in done.stdout
    assert done.stdout.endswith("(simwasm 14/114) quit\n")


def test_a_pipe_goes_on_behind_an_error_and_a_batch_does_not(simwasm: Run) -> None:
    done = simwasm("debug", "--plain", PLUGIN, TRAFFIC, stdin="bogus\nstep\n")
    assert done.returncode == 0
    assert "simwasm: standard input:1: there is no command `bogus`" in done.stderr
    assert "(simwasm 9/114) step\n" in done.stdout
    done = simwasm("debug", PLUGIN, TRAFFIC, "--batch", stdin="bogus\nstep\n")
    assert done.returncode == 1
    assert "step" not in done.stdout


def test_a_file_of_commands_that_is_not_there_is_an_error() -> None:
    done = here("debug", PLUGIN, TRAFFIC, "-x", "nowhere.txt", "--batch")
    assert done.returncode == 2
    assert "nowhere.txt: cannot be read: No such file or directory" in done.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("nowhere.wasm",), "nowhere.wasm: cannot be read"),
        (("README.md",), "not a Wasm module"),
        ((PLUGIN, "nowhere.har"), "nowhere.har: cannot be read"),
        ((PLUGIN, "README.md"), "is of no format known here"),
        (
            ("nowhere.simwasm",),
            "nowhere.simwasm: cannot be read: No such file or directory; is the path right?",
        ),
        ((PLUGIN, TRAFFIC, "--fuel", "0"), "--fuel: 0 is not a positive number"),
        ((PLUGIN, TRAFFIC, "--callout", "x=y"), "is no status"),
    ],
)
def test_what_cannot_be_debugged_is_one_sentence(words: tuple[str, ...], complaint: str) -> None:
    done = here("debug", "--plain", *words)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_options_of_plugin_and_host_are_those_of_run(simwasm: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"header":"x-powered-by","value":"simwasm"}')
    done = simwasm(
        "debug", "samples/config_loading/plugin.wasm", "traces/traffic/config_loading.har", "--config", f"@{config}",
        "--vm-config", "ready", "--name", "mine", "--engine", "wasmtime", "--batch", stdin="info plugin\nc\nlog",
    )  # fmt: skip
    assert done.returncode == 0
    assert "  mine  abi 0.2.1" in done.stdout


def test_a_configuration_from_standard_input_is_kept_in_the_session(
    simwasm: Run, commands: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.simwasm"
    (tmp_path / "save.txt").write_text(f"save {file}\n")
    done = simwasm(
        "debug", "samples/config_loading/plugin.wasm", "traces/traffic/config_loading.har", "--config", "@-",
        "-x", str(tmp_path / "save.txt"), "--batch", stdin='{"header":"x-a","value":"b"}',
    )  # fmt: skip
    assert done.returncode == 0
    assert '\\"x-a\\"' in file.read_text()


def test_a_session_opens_at_its_stop_and_may_be_moved(simwasm: Run, tmp_path: Path) -> None:
    for path in (PLUGIN, TRAFFIC):
        shutil.copy(ROOT / path, tmp_path)
    done = simwasm(
        "debug", "plugin.wasm", "allow_header.har", "--batch", stdin="goto 13\nsave it\n", cwd=tmp_path
    )
    assert done.returncode == 0
    tmp_path.rename(tmp_path.with_name("moved"))
    moved = tmp_path.with_name("moved")
    done = simwasm("debug", "it.simwasm", "--batch", stdin="info row\n", cwd=moved)
    assert (done.returncode, done.stderr) == (0, "")
    assert "(simwasm 13/114) info row\n" in done.stdout
    done = simwasm("debug", "it.simwasm", "--batch", "--name", "other", stdin="info plugin\n", cwd=moved)
    assert "  other  abi" in done.stdout
    done = simwasm("debug", "it.simwasm", "allow_header.har", "--batch", stdin="", cwd=moved)
    assert "brings its traffic along" in done.stderr
    (moved / "plugin.wasm").unlink()
    done = simwasm("debug", "it.simwasm", "--batch", stdin="", cwd=moved)
    assert done.returncode == 2
    assert "plugin.wasm is not there (sha256 " in done.stderr


def test_a_plugin_that_was_rebuilt_is_told_and_breakpoints_are_found_again(
    simwasm: Run, tmp_path: Path
) -> None:
    shutil.copy(ROOT / PLUGIN, tmp_path)
    shutil.copy(ROOT / TRAFFIC, tmp_path)
    lines = "break get_header if exchange:2\ngoto 13\nsave it\n"
    simwasm("debug", "plugin.wasm", "allow_header.har", "--batch", stdin=lines, cwd=tmp_path)
    shutil.copy(ROOT / "samples/allow_header_go/plugin.wasm", tmp_path)
    done = simwasm("debug", "it.simwasm", "--batch", stdin="info row\ncontinue\n", cwd=tmp_path)
    assert done.returncode == 0
    assert "plugin.wasm has changed since the session was saved" in done.stdout
    assert (
        "proxy_get_header_map_value"
        in done.stdout.partition("info row\n")[2].partition("\n")[2].partition("\n")[0]
    )
    assert "breakpoint 1: get_header if exchange:2" in done.stdout


def test_scripts_neither_remember_nor_are_told_what_was(simwasm: Run) -> None:
    for _ in range(2):
        done = simwasm("debug", PLUGIN, TRAFFIC, "--batch", stdin="info breakpoints\nbreak trap\n")
        assert "there are no breakpoints" in done.stdout


def test_output_has_colours_only_where_they_are_wanted(simwasm: Run, commands: str) -> None:
    words = "debug", PLUGIN, TRAFFIC, "-x", commands, "--batch"
    assert "\x1b[" not in simwasm(*words).stdout
    assert "\x1b[" in simwasm(*words, "--color", "always").stdout


def test_names_with_escape_sequences_never_get_out(simwasm: Run, tmp_path: Path) -> None:
    path = tmp_path / "\x1b[2Jplugin\x07.wasm"
    path.write_bytes(wat.plugin(wat.callback("proxy_on_request_headers")).wasm)
    lines = "info plugin\nbreak \x1b[31mx\nbogus\x1b[5m\nsave /nowhere/\x1b[1m\nsource /\x9b31m\nprint '\x1b[5m'\n"
    done = simwasm("debug", "--plain", str(path), TRAFFIC, "--name", "\x1b]0;x\x07", stdin=lines)
    assert done.returncode == 0
    for stream in (done.stdout, done.stderr):
        assert all(char.isprintable() or char in "\n\t" for char in stream)
    done = simwasm("debug", "--plain", "\x1b[2Jnone.wasm", stdin="")
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("typed", "port", "plugin"),
    [
        (("--web", "p.wasm"), 0, "p.wasm"),
        (("--web", "8000", "p.wasm"), 8000, "p.wasm"),
        (("--web=8000", "p.wasm"), 8000, "p.wasm"),
        (("p.wasm", "--web"), 0, "p.wasm"),
        (("p.wasm",), None, "p.wasm"),
    ],
)
def test_what_follows_web_is_a_port_only_if_it_is_a_number(
    typed: tuple[str, ...], port: int | None, plugin: str
) -> None:
    words = parse(("debug", *typed))
    assert (words.web, words.plugin) == (port, plugin)


def test_exchanges_may_run_together(simwasm: Run) -> None:
    apart = simwasm("debug", PLUGIN, TRAFFIC, "--batch", stdin="list 1 200\n").stdout
    together = simwasm("debug", PLUGIN, TRAFFIC, "--together", "--batch", stdin="list 1 200\n").stdout
    assert together.count("proxy_on_log(") == apart.count("proxy_on_log(") == 5


def test_completion_knows_the_command(simwasm: Run) -> None:
    for shell in ("bash", "zsh"):
        script = simwasm("completion", shell).stdout
        assert "--batch" in script
        assert "--keymap" in script


def test_a_reader_that_leaves_early_is_no_error(commands: str) -> None:
    command = f"{sys.executable} -m simwasm debug {PLUGIN} {TRAFFIC} -x {commands} --batch | head -1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=ROOT, check=True, timeout=120
    )
    assert done.stderr == ""


TRACE = "traces/golden/allow_header/browser.jsonl"


def test_a_trace_is_walked_through_without_its_plugin(simwasm: Run) -> None:
    lines = "next\nwhere\nprint args.message\n"
    done = simwasm("debug", "--plain", TRACE, "--row", "13", stdin=lines)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "This is a trace alone: one can walk through it, and no plugin runs behind it.\n"
    )
    assert "(simwasm 13/114) next\n" in done.stdout
    assert "#1  row 11  proxy_on_request_headers(" in done.stdout
    assert "deny by default" in done.stdout.splitlines()[-1]


def test_what_a_trace_does_not_tell_is_refused_with_what_to_type(simwasm: Run) -> None:
    done = simwasm("debug", "--plain", TRACE, stdin="info headers\nx/4x 0\nfinish\n")
    assert done.stderr.count("simwasm debug PLUGIN.wasm TRAFFIC") == 2


def test_a_trace_that_was_cut_off_is_read_up_to_there(simwasm: Run, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes((ROOT / TRACE).read_bytes()[:3000])
    done = simwasm("debug", "--plain", str(cut), stdin="")
    assert done.returncode == 0
    assert "line 22 is not JSON" in done.stdout


@pytest.mark.parametrize(
    ("named", "told"), [((PLUGIN, TRAFFIC), "▶  14     proxy_log("), ((TRACE,), "▶  14     ")]
)
def test_a_row_is_gone_to_at_once(simwasm: Run, named: tuple[str, ...], told: str) -> None:
    assert told in simwasm("debug", "--plain", *named, "--row", "14", stdin="").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((TRACE, "--row", "1400"), "there is no row 1,400: the tape has 1 to 114"),
        (("--row", "7"), "--row 7: of what?"),
        ((TRACE, "--row", "-7"), "rows are counted from 1"),
    ],
)
def test_a_row_that_is_not_there_is_one_sentence(simwasm: Run, words: tuple[str, ...], told: str) -> None:
    done = simwasm("debug", "--plain", *words)
    assert done.returncode == 2
    assert told in done.stderr
