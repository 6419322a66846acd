"""`simwasm transpile`, as a user has it."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from process import Run

from simwasm.cli import main

ROOT = Path(__file__).parent.parent.parent
PLUGIN = str(ROOT / "samples/allow_header_c/plugin.wasm")
RUST = str(ROOT / "samples/allow_header/plugin.debug.wasm")


def test_a_function_is_shown_with_names_and_offsets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transpile", PLUGIN, "-f", "append"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "def f6__append_number(l0, l1):  # append_number"
    assert [line.split()[-1] for line in lines if "f6__append_number(l0, l1 // 10)" in line] == ["0x35a"]


def test_what_is_shown_is_python(capsys: pytest.CaptureFixture[str]) -> None:
    main(["transpile", PLUGIN])
    text = capsys.readouterr().out.replace("nonlocal", "global")  # nothing is around them here
    compile(text, "shown", "exec")
    assert text.count("\ndef ") == 4


def test_lines_of_source_are_between_them(capsys: pytest.CaptureFixture[str]) -> None:
    main(["transpile", RUST, "-f", "RootContext>::create_http_context"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.lstrip().startswith("# ") and "src/lib.rs:22" in line for line in lines)


def test_colours_are_there_when_they_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    main(["transpile", PLUGIN, "-f", "6", "--color", "always"])
    assert "\x1b[1;36mreturn\x1b[0m" in capsys.readouterr().out


def test_an_invalid_module_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wasm = bytearray(wasmtime.wat2wasm("(module (func (result i32) (i32.const 1)))"))
    wasm[wasm.index(b"\x41\x01")] = 0x43  # f32.const, which takes four bytes and is no i32
    (tmp_path / "bad.wasm").write_bytes(bytes(wasm))
    assert main(["transpile", str(tmp_path / "bad.wasm")]) == 2
    assert "bad.wasm" in capsys.readouterr().err


def test_names_cannot_become_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name ends neither its comment nor the identifier that is made of it."""
    evil = r"\0aimport os\0a\1b[2J):"
    (tmp_path / "evil.wasm").write_bytes(
        bytes(wasmtime.wat2wasm(f'(module (func (export "{evil}") (param i32) (call 0 (local.get 0))))'))
    )
    main(["transpile", str(tmp_path / "evil.wasm")])
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert not any(line.lstrip().startswith("import") for line in text.splitlines())


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path, simwasm: Run) -> None:
    done = simwasm("transpile", PLUGIN, "-o", str(tmp_path / "no" / "where.py"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "where.py: input or output failed: No such file" in done.stderr
