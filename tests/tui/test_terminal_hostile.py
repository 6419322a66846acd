"""Plugins that mean harm, in a real terminal: they neither reach it nor hold the screen up."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import hostile
import pytest
from hostile import har, write_files
from tmux import Tmux

STANDS = "■"
ENDLESS = "--fuel 1000000000000000"
SPINNING = {
    "in a request": (hostile.spinning, "REQ HDR"),
    "while the VM starts": (hostile.spinning_at_start, "on_vm_start"),
    "while the module starts": (hostile.spinning_module, "Nothing has crossed the ABI yet"),
}


@pytest.mark.parametrize("where", SPINNING)
def test_a_plugin_that_spins_is_paused_ended_and_left(tmp_path: Path, where: str) -> None:
    make, seen = SPINNING[where]
    with Tmux(tmp_path) as at:
        at.run(f"simwasm debug {write_files(tmp_path, make())} {ENDLESS}")
        at.sees("▶ recording", "p pauses")
        at.press("?")
        at.sees("Every crossing of the ABI, in order")
        at.press("Escape")
        at.loses("Every crossing of the ABI, in order")
        at.press("p")
        at.sees("■ paused while the plugin computes", seen)
        at.press("S", "c")
        at.sees("▶ running")
        at.press("C-c")
        at.sees("■ paused while the plugin computes")
        at.press("C-c")
        at.sees("interrupted")
        at.press("c")
        at.press("q")
        assert at.shell() == 0


def test_nothing_that_a_plugin_writes_reaches_the_terminal_raw(tmp_path: Path) -> None:
    path = "/one/\u202e\u2066e\u0301\u0301\u0301\u0301\u0301[bold]/$end"
    traffic = har(path, "/two", headers=[("x-v", "\u202e\u2066e\u0301\u0301\u0301\u0301[bold]\x9b7;7H")])
    write_files(tmp_path, hostile.dirty(), traffic)
    name = "p\x1b[31m\u202e\u0301\u0301\u0301[b]\x9b.wasm"
    (tmp_path / "p.wasm").rename(tmp_path / name)
    with Tmux(tmp_path, (150, 45)) as at:
        (tmp_path / "run").write_text(f"exec simwasm debug '{name}' t.har --log-level trace\n")
        at.run("sh run")
        at.sees(STANDS, r"■ callback begins")
        at.press("s")
        at.sees("before host call")
        at.press("4")
        at.sees("━ 4")
        for tab in ("Source", "Wasm", "Stack", "Log", "Problems"):
            at.press("4")
            at.sees(rf"\[{tab}[^]]*\]")
        at.press("c")
        at.sees("the run has ended")
        at.press("g")
        at.type("8\r")
        at.sees(r"row +8/14$")
        for key, screen in (
            ("H", "Health"),
            ("W", "Who wrote this"),
            ("e", "Export"),
            ("O", "Answer in place"),
        ):
            at.press(key)
            at.sees(screen)
            at.press("Escape")
            at.loses(screen)
        at.press("3")
        for _ in range(6):
            at.press("Right")
        at.press("y", "q")
        assert at.shell() == 0
        leaked = [part for part in hostile.RAW if part in at.raw]
        assert not leaked
        assert set(re.findall(rb"\x1b[^\[]", at.raw)) <= {b"\x1b]", b"\x1bP", b"\x1b(", b"\x1b="}
        assert b"]52;c;" in at.raw or b"\x1b]" not in at.raw


def test_a_flood_of_log_lines_leaves_the_keys_working(tmp_path: Path) -> None:
    with Tmux(tmp_path) as at:
        at.run(f"simwasm debug {write_files(tmp_path, hostile.flooding(100_000), har('/one'))}")
        at.sees("▶ recording · [1-9][0-9,]* rows")
        at.press("?")
        at.sees("Every crossing of the ABI, in order")
        at.press("Escape")
        at.loses("Every crossing of the ABI, in order")
        at.sees(STANDS, "of 100,002|1–[0-9]+ of 100,002")
        at.press("End")
        at.sees("100,002 of 100,002")
        at.press("q")
        assert at.shell() == 0


def test_log_lines_of_ten_megabytes_are_cut(tmp_path: Path) -> None:
    with Tmux(tmp_path) as at:
        at.run(f"simwasm debug {write_files(tmp_path, hostile.shouting(), har('/one'))}")
        at.sees("■ callback begins")
        at.press("s", "s")
        at.sees(r"row 3/5$")
        at.press("4", "4", "4", "4", "4")
        at.sees(r"\[Log")
        at.press("q")
        assert at.shell() == 0
        assert len(at.raw) < 5 << 20


def test_a_trap_is_where_one_stands_when_it_comes(tmp_path: Path) -> None:
    with Tmux(tmp_path) as at:
        at.run(f"simwasm debug {write_files(tmp_path, hostile.trapping())}")
        at.sees(STANDS, r"row 1/2$")
        at.press("s")
        at.sees("trapped", r"✗ unreachable")
        at.press("S")
        at.sees(r"row 1/2$")
        at.press("q")
        assert at.shell() == 0


LARGE: dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
    "10,000 headers": (
        hostile.idle,
        lambda: har("/one", headers=[(f"x-h{n}", "v" * 20) for n in range(10_000)]),
    ),
    "a body of 60 MB": (hostile.idle, lambda: har("/one", body=os.urandom(1 << 20) * 60)),
    "1 GiB of memory": (lambda: hostile.on_headers(memory="16384"), lambda: har("/one")),
}


@pytest.mark.parametrize("what", LARGE)
def test_large_things_can_be_looked_at(tmp_path: Path, what: str) -> None:
    wasm, traffic = LARGE[what]
    with Tmux(tmp_path) as at:
        at.run(f"simwasm debug {write_files(tmp_path, wasm(), traffic())}")
        at.sees(STANDS, r"row 1/2$")
        at.press("3", "Right", "Right", "Left")
        at.press("4", "End")
        at.press("s")
        at.sees(r"row 2/2$")
        at.press("S")
        at.sees(r"row 1/2$")
        at.press("q")
        assert at.shell() == 0
