"""Health, and what is shown of a trace file alone."""

from __future__ import annotations

from pathlib import Path

from cases import TRACES
from debugging import inputs_for, requests
from simwasm_tui.screens.health import Health, missing_imports
from simwasm_tui.screens.main import MainScreen
from simwasm_tui.text import plain
from terminal import on_screen, run
from until import until
from wat import plugin

from simwasm.debug.start import start_reading

GOLDEN = TRACES / "golden" / "http_auth" / "browser.jsonl"


def test_it_tells_abi_fuel_memory_and_debug_information() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser") as at:
            await at.press("H")
            assert isinstance(at.app.screen, Health)
            shown = at.app.screen.list
            told = [plain(shown.lines.line(index, 200)) for index in range(len(shown.lines))]
            assert any(line.split() == ["ABI", "0.2.1"] for line in told)
            assert any(line.endswith("for each call into a plugin") for line in told)
            assert any("1,088 KiB now" in line for line in told)
            assert any(line.endswith("the host has all of them") for line in told)
            assert any("names only" in line for line in told)
            await at.press("y")
            assert "names only" in at.app.clipboard

    run(test())


def test_imports_that_the_host_does_not_have_are_named() -> None:
    odd = plugin('(import "env" "proxy_make_tea" (func (result i32)))')
    assert list(missing_imports(odd)) == ["env.proxy_make_tea"]
    assert inputs_for(odd, requests(1)).plugins == (odd,)


def test_a_trace_alone_is_walked_through_and_says_what_is_missing() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser", start=start_reading(str(GOLDEN))) as at:
            await until(lambda: at.debugger.tape.complete)
            await at.press("s", "s")
            first = at.debugger.tape.spans[0].first
            assert at.stop.row == at.debugger.tape.rows.at(first) + 2
            assert "simwasm debug PLUGIN.wasm TRAFFIC" in at.listed("memory").empty
            for key in ("O", "W"):
                await at.press(key)
                assert isinstance(at.app.screen, MainScreen)
                assert at.said.startswith("This is a trace alone")
            assert "browser.jsonl" in at.screen()[0]

    run(test())


def test_a_trace_that_ends_in_the_middle_is_a_problem_that_stays(tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(GOLDEN.read_bytes()[:6000])

    async def test() -> None:
        async with on_screen("http_auth/browser", start=start_reading(str(cut))) as at:
            await until(lambda: any("the file ends there" in str(each) for each in at.view.problems))
            assert len(at.debugger.tape.rows) > 10

    run(test())
