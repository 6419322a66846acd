"""The start screen: what is typed, dropped or chosen is opened; what is wrong stands below its field."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cases import ROOT
from simwasm_tui.app import DebuggerApp
from simwasm_tui.samples import samples
from simwasm_tui.screens.main import MainScreen
from simwasm_tui.screens.start import EntryLines, StartScreen, ago, entries
from simwasm_tui.text import plain
from terminal import Terminal, on_screen, run
from textual import events
from textual.widgets import Static
from until import until

from simwasm.debug.reader import TraceReader
from simwasm.debug.recent import recent
from simwasm.debug.start import Start

PLUGIN = ROOT / "samples" / "allow_header" / "plugin.wasm"
TRAFFIC = ROOT / "traces" / "traffic" / "allow_header.har"
TRACE = ROOT / "traces" / "golden" / "http_auth" / "browser.jsonl"


@asynccontextmanager
async def asked() -> AsyncIterator[Terminal]:
    """The debugger without arguments."""
    app = DebuggerApp(Start())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        yield Terminal(app, pilot)


def start(at: Terminal) -> StartScreen:
    assert isinstance(at.app.screen, StartScreen)
    return at.app.screen


def under(at: Terminal, field: str) -> str:
    return str(start(at).field(field).query_one(".under", Static).content)


async def opened(at: Terminal) -> None:
    await until(lambda: at.app.main is not None)
    await at.settle()
    assert isinstance(at.app.screen, MainScreen)


async def drop(at: Terminal, text: str) -> None:
    """Drop files on the terminal, which it tells as pasted text."""
    at.app.post_message(events.Paste(text))
    await at.pilot.pause()


def test_the_first_time_it_says_what_to_do_and_lists_the_samples() -> None:
    async def test() -> None:
        async with asked() as at:
            lines = start(at).list.lines
            assert isinstance(lines, EntryLines)
            texts = [plain(entry.text) for entry in lines]
            assert any("None yet" in text for text in texts)
            assert {f"  {sample.name}" for sample in samples()} <= {text[:27].rstrip() for text in texts}

    run(test())


def test_without_samples_it_says_where_they_are(tmp_path: Path) -> None:
    assert samples(tmp_path) == ()
    assert any("come with a checkout" in plain(entry.text) for entry in entries((), (), 0))


def test_a_plugin_and_its_traffic_are_opened() -> None:
    async def test() -> None:
        async with asked() as at:
            start(at).field("plugin").text = str(PLUGIN)
            start(at).field("traffic").text = str(TRAFFIC)
            await at.pilot.press("enter")
            await opened(at)
            assert at.debugger.inputs.plugins[0].name == "allow_header"
            assert len(at.debugger.inputs.exchanges) == 5

    run(test())


def test_dropped_files_find_their_fields_in_any_order() -> None:
    async def test() -> None:
        async with asked() as at:
            await drop(at, f"'{TRAFFIC}' file://{PLUGIN}\n")
            assert start(at).field("plugin").text == str(PLUGIN)
            assert start(at).field("traffic").text == str(TRAFFIC)

    run(test())


def test_a_trace_alone_is_opened_to_be_read() -> None:
    async def test() -> None:
        async with asked() as at:
            await drop(at, str(TRACE))
            await at.pilot.press("enter")
            await opened(at)
            assert isinstance(at.debugger, TraceReader)

    run(test())


@pytest.mark.parametrize(
    ("plugin", "traffic", "field", "text"),
    [
        ("", "", "plugin", "a plugin is needed"),
        ("nowhere.wasm", "", "plugin", "nowhere.wasm is not there"),
        (str(PLUGIN), "nowhere.har", "traffic", "nowhere.har is not there"),
        (str(PLUGIN), "no/*.har", "traffic", "no/*.har is not there"),
        (str(PLUGIN), str(ROOT / "README.md"), "traffic", "README.md"),
        (str(TRAFFIC), "", "plugin", "allow_header.har"),
    ],
)
def test_what_is_wrong_stands_below_its_field_and_the_text_stays(
    plugin: str, traffic: str, field: str, text: str
) -> None:
    async def test() -> None:
        async with asked() as at:
            start(at).field("plugin").text = plugin
            start(at).field("traffic").text = traffic
            await at.pilot.pause()
            await at.pilot.press("enter")
            await until(lambda: text in under(at, field), under(at, field))
            assert start(at).field("plugin").text == plugin
            assert start(at).field("traffic").text == traffic

    run(test())


def test_a_sample_is_opened_with_its_configuration() -> None:
    async def test() -> None:
        async with asked() as at:
            lines = start(at).list.lines
            assert isinstance(lines, EntryLines)
            wanted = next(
                i for i, each in enumerate(lines) if each.sample and "config_loading" in each.sample.name
            )
            start(at).list.focus()
            start(at).list.go(wanted)
            await at.pilot.press("enter")
            await opened(at)
            assert at.debugger.inputs.plugins[0].vm_config == b"ready"

    run(test())


def test_what_was_debugged_is_listed_with_where_one_stood() -> None:
    async def test() -> None:
        async with asked() as at:
            await drop(at, f"{PLUGIN} {TRAFFIC}")
            await at.pilot.press("enter")
            await opened(at)
            await at.press("s", "s")
            at.app.exit()
        (kept,) = recent()
        found = "".join(plain(entry.text) for entry in entries((kept,), (), kept.used_ns))
        assert "allow_header/plugin.wasm" in found
        assert "allow_header.har" in found
        assert "#1 proxy_on_request_headers" in found
        async with asked() as at:
            start(at).list.focus()
            await at.pilot.press("enter")
            await opened(at)
            tape = at.debugger.tape
            await until(lambda: at.view.last is not None and at.view.row > tape.rows.at(tape.spans[0].first))
            assert tape.rows[at.view.row].entered.function.name == "proxy_on_request_headers"

    run(test())


def test_tab_completes_a_path() -> None:
    async def test() -> None:
        async with asked() as at:
            start(at).field("plugin").text = str(PLUGIN.parent / "plug")
            await at.pilot.press("tab")
            assert start(at).field("plugin").text.startswith(str(PLUGIN.parent / "plugin"))

    run(test())


def test_opened_from_the_debugger_it_goes_back_there() -> None:
    async def test() -> None:
        async with on_screen("allow_header/browser") as at:
            await at.press("ctrl+o")
            assert isinstance(at.app.screen, StartScreen)
            await at.pilot.press("escape")
            await at.pilot.pause()
            assert at.main.is_current

    run(test())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "just now"),
        (61, "1 min ago"),
        (3600, "1 hour ago"),
        (7300, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
    ],
)
def test_how_long_ago_something_was(seconds: int, text: str) -> None:
    assert ago(seconds * 1_000_000_000) == text
