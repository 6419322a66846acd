"""Backtraces of traps with their lines of source, on every engine."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from debugged import stripped

from simwasm.backtrace import Backtraces, told
from simwasm.cli import main
from simwasm.errors import Frame
from simwasm.plugin import Plugin
from simwasm.recipe import Recipe, plugin

ROOT = Path(__file__).parent.parent
DEBUG = ROOT / "samples" / "allow_header" / "plugin.debug.wasm"
TRAFFIC = ROOT / "traces" / "traffic" / "allow_header.har"
ENGINES = ("wasmer", "wasmtime", "python") if sys.version_info[:2] == (3, 10) else ("wasmtime", "python")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_trap_is_told_with_the_lines_it_happened_at(
    engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It runs out of fuel in the midst of a callback: on all engines in the same place."""
    words = ["run", str(DEBUG), str(TRAFFIC), "--fuel", "3000", "--engine", engine]
    assert main(words) == 1
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("at ")]
    assert "core::result::Result<T,E>::unwrap at " in lines[0]
    assert any(
        "on_http_request_headers at samples/allow_header/src/lib.rs:38 (func" in line for line in lines
    )
    closure, last = lines[-4], lines[-1]
    assert closure.endswith("vendor/proxy-wasm/src/dispatcher.rs:640 (inlined)")
    assert last.startswith("at proxy_on_request_headers at vendor/proxy-wasm/src/dispatcher.rs:639 (func")


def test_frames_of_a_plugin_without_lines_stay_as_they_are() -> None:
    frame = Frame(3, "malloc", 0x99)
    bare = plugin(Recipe(str(DEBUG.with_name("plugin.wasm"))))
    assert told(bare, [frame]) == ("malloc (func 3, offset 0x99)",)


def test_frames_of_a_vm_that_nobody_knows_stay_as_they_are() -> None:
    frame = Frame(3, "malloc", 0x99)
    known = plugin(Recipe(str(DEBUG)))
    traces = Backtraces([known, Plugin("of a trace", b"")])
    assert traces("other", [frame]) == traces("of a trace", [frame]) == (str(frame),)
    body = known.module.bodies[300]
    assert (
        " at " in traces(f"{known.name}@2", [replace(frame, offset=body.code)])[-1]
        or known.lines.at(body.code) is None
    )


def test_debug_information_of_another_build_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["send", str(DEBUG.with_name("plugin.wasm")), "GET", "/", "--debug-file", str(DEBUG)]
    assert main(words) == 2
    assert "belongs to another build" in capsys.readouterr().err


def test_debug_information_in_another_file_is_used(tmp_path: Path) -> None:
    whole = plugin(Recipe(str(DEBUG)))
    bare = tmp_path / "plugin.wasm"
    bare.write_bytes(stripped(whole.module).data)
    found = plugin(Recipe(str(bare), debug_file=str(DEBUG)))
    moved = found.module.bodies[0].code - whole.module.bodies[0].code
    places = [whole.lines.at(body.code) for body in whole.module.bodies]
    assert [found.lines.at(body.code + moved) for body in whole.module.bodies] == places
    assert any(places)


def test_a_folder_of_the_build_has_to_be_said_with_one_of_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", str(DEBUG), "GET", "/", "--source-map", "/build"]) == 2
    assert "--source-map /build: write it as /build/folder=/folder/here" in capsys.readouterr().err
    found = plugin(Recipe(str(DEBUG), source_map=(f"samples={tmp_path}",)))
    assert found.remaps == (("samples/", f"{tmp_path}/"),)
