"""`simwasm disasm`, as a user has it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from process import Run

from simwasm.cli import main
from simwasm.wasm.decode import instructions
from simwasm.wasm.reader import read_module

ROOT = Path(__file__).parent.parent.parent
PLUGIN = "samples/allow_header_c/plugin.wasm"
RUST = "samples/allow_header/plugin.debug.wasm"
GO = "samples/allow_header_go/plugin.wasm"


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process: many of them are cheaper so."""
    monkeypatch.chdir(ROOT)

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        status = main(["disasm", *args])
        done = capsys.readouterr()
        return subprocess.CompletedProcess(args, status, done.out, done.err)

    return run


def test_a_function_is_found_by_a_part_of_its_name(shown: Run) -> None:
    lines = shown(PLUGIN, "-f", "append").stdout.splitlines()
    assert lines[0] == "(func (;6;) (type 4) (param i32 i32) (result i32)  ;; append_number"
    assert lines[1] == "0x34a    block"
    assert lines[5] == "0x351      br_if 0  ;; -> 0x362 end of block"
    assert lines[-1] == "0x375  )  ;; end"


@pytest.mark.parametrize("text", ["6", "func[6]", "0x357", "0x34a", "append_number"])
def test_a_function_has_many_handles(shown: Run, text: str) -> None:
    assert shown(PLUGIN, "-f", text).stdout.startswith("(func (;6;)")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("proxy", "2 functions fit 'proxy'"),
        ("nobody", "no function is called 'nobody'"),
        ("99", "there is no function 99: the last one is 7"),
        ("0x1", "no function has code at offset 0x1"),
        ("0", "func 0 is imported (env.proxy_get_header_map_value)"),
    ],
)
def test_a_function_that_is_none_or_several_is_an_error_that_helps(
    shown: Run, text: str, reason: str
) -> None:
    done = shown(PLUGIN, "-f", text)
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr


def test_of_an_ambiguous_name_the_candidates_are_listed(shown: Run) -> None:
    listed = shown(PLUGIN, "-f", "proxy").stderr.splitlines()[1:]
    assert [line.split() for line in listed] == [
        ["4", "proxy_on_request_headers"],
        ["7", "proxy_abi_version_0_1_0"],
    ]


def test_all_functions_are_shown_with_every_instruction(shown: Run) -> None:
    text = shown(PLUGIN).stdout
    module = read_module((ROOT / PLUGIN).read_bytes())
    offsets = {
        each.offset for body in module.bodies for each in instructions(module.data, body.code, body.end)
    }
    assert {int(line[2:5], 16) for line in text.splitlines() if line.startswith("0x")} == offsets


def test_a_list_has_a_line_for_each_function(shown: Run) -> None:
    lines = shown(PLUGIN, "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["3", "4", "5", "6", "7"]


def test_a_list_is_told_as_json_too(shown: Run) -> None:
    first = json.loads(shown(PLUGIN, "--list", "--json").stdout.splitlines()[0])
    assert first["function"] == 6 - 3
    assert "lines" not in first


def test_folded_code_has_operands_inside(shown: Run) -> None:
    assert "(i32.store8" in shown(PLUGIN, "-f", "append_number", "--folded").stdout
    assert "(i32.div_u (local.get 1) (i32.const 10))" in shown(PLUGIN, "-f", "6", "--folded").stdout


def test_json_is_one_function_a_line(shown: Run) -> None:
    functions = [json.loads(line) for line in shown(PLUGIN, "--json").stdout.splitlines()]
    assert [each["function"] for each in functions] == [3, 4, 5, 6, 7]
    branch = next(line for line in functions[3]["lines"] if line["text"].startswith("br_if"))
    assert branch["targets"] == [0x362]


def test_lines_of_source_are_between_the_instructions(shown: Run) -> None:
    lines = shown(RUST, "-f", "RootContext>::get_type", "--source").stdout.splitlines()
    assert any(line.lstrip().startswith(";; ") and "lib.rs:" in line for line in lines)


def test_without_debug_information_it_is_said_what_to_do(shown: Run) -> None:
    done = shown(PLUGIN, "--source")
    assert done.returncode == 2
    assert "build it with -g" in done.stderr


def test_colours_are_there_when_they_are_wanted(shown: Run) -> None:
    assert "\x1b[" in shown(PLUGIN, "-f", "6", "--color", "always").stdout
    assert "\x1b[" not in shown(PLUGIN, "-f", "6").stdout


def test_names_cannot_move_the_cursor(shown: Run, tmp_path: Path) -> None:
    import wasmtime

    wasm = wasmtime.wat2wasm(r'(module (func (export "\1b[2J\n;)") nop))')
    (tmp_path / "evil.wasm").write_bytes(bytes(wasm))
    for shape in ("--flat", "--folded", "--list"):
        text = shown(str(tmp_path / "evil.wasm"), shape).stdout
        assert "\x1b" not in text
        assert r"\x1b[2J\n" in text


def test_a_reader_that_leaves_early_is_no_error() -> None:
    """As `| head -3` does; the module is large, so most of it is never made."""
    command = [sys.executable, "-m", "simwasm", "disasm", GO]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline().startswith("(func")
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_machine_code_is_beside_its_instructions(shown: Run) -> None:
    """A division is one on every processor."""
    lines = shown(PLUGIN, "-f", "append_number", "--native").stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if "i32.div_u" in line)
    assert any("div" in line.split()[1] for line in lines[at + 1 : at + 5])


def test_what_rewriting_inserted_is_named(shown: Run) -> None:
    assert ";; counting instructions" in shown(PLUGIN, "-f", "append_number", "--native").stdout


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="wasmer needs Python 3.10")
def test_machine_code_of_wasmer_says_what_it_lacks(shown: Run) -> None:
    done = shown(PLUGIN, "-f", "append_number", "--native", "--engine", "wasmer")
    assert "singlepass" in done.stdout
    assert "--engine wasmtime does" in done.stdout
    assert "push rbp" in done.stdout


def test_without_a_linker_wasmer_has_no_machine_code_to_show(
    shown: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    done = shown(PLUGIN, "--native", "--engine", "wasmer")
    assert done.returncode == 2
    assert "gcc" in done.stderr


def test_an_engine_without_machine_code_is_refused(shown: Run) -> None:
    done = shown(PLUGIN, "--native", "--engine", "python")
    assert done.returncode == 2
    assert "known are wasmtime, wasmer" in done.stderr
