"""Whole sessions in a real terminal: what a person types, and what they see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tmux import Tmux

ROOT = Path(__file__).parents[2]
PLUGIN, TRAFFIC = ROOT / "samples/http_auth/plugin.wasm", ROOT / "traces/traffic/http_auth.har"
SESSION = f"simwasm debug {PLUGIN} {TRAFFIC}"
STANDS = "■"
RECORDED = {(SESSION, (120, 40)): (r"row 10/71$",)}
"""What else is seen once it stands where it stays: it stands while it starts, too."""


@contextmanager
def opened(folder: Path, command: str = SESSION, size: tuple[int, int] = (120, 40)) -> Iterator[Tmux]:
    """A debugger in a terminal; it is left with q, and everything has to be as it was then."""
    with Tmux(folder, size) as at:
        before, settings = at.modes(), at.ask("stty -g")
        at.run(command)
        at.sees(STANDS, *RECORDED.get((command, size), ()))
        yield at
        leave(at)
        assert at.modes() == before
        assert at.ask("stty -g") == settings


def leave(at: Tmux) -> None:
    """Press q until the shell asks again."""
    at.press("q")
    assert at.shell() == 0


def closes(at: Tmux, pattern: str) -> None:
    """Press escape, and wait until a screen is gone; what is typed at once would be taken for alt and a key."""
    at.press("Escape")
    at.loses(pattern)


def test_a_session_from_the_first_row_to_the_shell(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.sees(r"row 10/71$", "ctx ▮▮▮▶", "Request headers")
        at.press("n", "n", "s")
        at.sees(r"row 13/71$", r"▶ +13 +get_header\(REQ", "before host call")
        at.press("b")
        at.sees("Breakpoint 1 on proxy_get_header_map_value", r"^ ● 1 get_header_map")
        at.press("c")
        at.sees("■ breakpoint ●1", r"row 33/71$", "#2/3")
        at.press("s", "s")
        at.sees(r"row 35/71$")
        at.press("S")
        at.sees(r"row 34/71$")
        at.press("C")
        at.sees("■ breakpoint ●1", r"row 33/71$")
        at.press("3")
        at.sees("━ 3 Inspect", r":path +/get")
        at.press("Right")
        at.press("4")
        at.sees(r"━ 4 \[Memory\]", r"[0-9a-f]{6} [ \[][0-9a-f ]{23}")


def test_a_filter_leaves_the_rows_it_describes(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.press("/")
        at.type("call:send_local_response")
        at.press("Enter")
        at.sees("call:send_local_response · 3 rows of 71", r"^.{25}│ +36 +send_local_response")
        at.press("/")
        at.type("(")
        at.press("Enter")
        at.sees("✗ ")
        closes(at, "✗ ")
        at.press("Escape")
        at.sees(r"1–\d+ of 71")


def test_a_breakpoint_with_a_condition_stops_where_it_holds(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.press("n", "n")
        at.sees(r"row 12/71$")
        at.press("B")
        at.sees("New breakpoint", "proxy_on_request_headers", "3 hits on this tape")
        at.press("Tab")
        at.type("exchange:3")
        at.press("Enter")
        at.loses("New breakpoint")
        at.sees("● 1 on_request_h")
        at.press("c")
        at.sees("■ breakpoint ●1", "#3/3")


def test_any_command_is_found_in_the_palette(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.press("C-p")
        at.sees("Search for commands")
        at.type("maximi")
        at.sees(r"Maximise pane +· +z")
        at.press("Enter")
        at.until(lambda text: "ABI trace" in text and "Streams" not in text, "only the trace")
        at.press("z")
        at.sees("1 Streams")


def test_help_is_about_the_focused_pane_and_the_manual_about_everything(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.press("?")
        at.sees("Every crossing of the ABI, in order")
        closes(at, "Every crossing of the ABI, in order")
        at.press("F1")
        at.sees("The first minute")
        closes(at, "The first minute")


def test_layouts_share_the_space_and_jumping_goes_to_a_letter(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.press("F2")
        at.sees("Layout: Source", r"─ 4 .*\[Source\]")
        at.press("F2")
        at.sees("Layout: Wasm", r"─ 4 .*\[Wasm\]")
        at.press("o")
        letter = re.search(r"─ +(\w) reams", at.sees(r"─ +\w +t?reams"))
        at.press("Escape" if letter is None else letter[1])
        at.sees("━ 1 Streams" if letter else "─ 1 Streams")


def test_a_call_answered_otherwise_is_a_branch_to_compare_with(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.press("n", "n", "s")
        at.sees(r"row 13/71$")
        at.press("O")
        at.sees("Answer in place of the host", "status +OK")
        at.press("C-s")
        at.sees(r"branch ")
        at.press("D")
        at.sees(r"^ A .*│ │ B ", "esc close")
        closes(at, r"│ │ B ")


def test_what_happened_becomes_a_test_that_passes(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.press("e")
        at.sees("Export", "what happened here as a pytest test")
        at.press("Down", "Down", "Down", "Down", "Down", "Down")
        name = re.search(r"file +(test_\S+\.py)", at.sees(r"file +test_\S+\.py"))
        assert name is not None
        at.press("Enter")
        at.loses("what happened here as a pytest test")
        at.sees(re.escape(name[1]))
        leave(at)
        at.run(f"python -m pytest -q -p no:cacheprovider {name[1]}")
        at.sees("1 passed")
        at.run(SESSION)
        at.sees(STANDS)


def test_it_fits_itself_into_every_size_and_back(tmp_path: Path) -> None:
    with opened(tmp_path, size=(200, 60)) as at:
        at.sees("1 Streams", "3 Inspect", r"row 10/71$")
        at.resize(80, 24)
        at.loses("1 Streams")
        at.sees(r"^━ 2 ABI trace ━", r"row 10/71$")
        at.resize(40, 10)
        at.sees("too small", "60 columns and 16 lines")
        at.press("s")
        at.resize(200, 60)
        at.sees("1 Streams", r"row 11/71$")
        at.resize(60, 16)
        at.sees("ABI trace")


def test_the_mouse_clicks_focuses_and_scrolls(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.sees("─ 1 Streams", r"│ +1 ←")
        at.click(*at.point("Wasm"))
        at.sees(r"\[Wasm\]")
        x, y = at.point("_initialize()")
        for _ in range(5):
            at.click(x, y, button=65)
        at.loses(r"_initialize\(\)")
        for _ in range(5):
            at.click(x, y, button=64)
        at.sees(r"_initialize\(\)")
        at.click(*at.point("s step"))
        at.sees(r"row 11/71$")


def test_what_is_pasted_goes_into_the_question_on_one_line(tmp_path: Path) -> None:
    with opened(tmp_path) as at:
        at.press("/")
        at.sees("^ Filter ")
        at.paste("call:log\nq\n")
        at.sees("^ Filter call:log")
        at.press("Escape")
        at.loses("^ Filter")
        at.paste("q\nq\n")
        at.press("s")
        at.sees(r"row 11/71$")


def test_two_debuggers_of_the_same_plugin_do_not_disturb_each_other(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as other:
        one.press("n", "n", "b")
        one.sees("● 1 on_request_h")
        other.press("s")
        other.sees(r"row 11/71$", "None yet")


@pytest.mark.parametrize(
    ("term", "env"),
    [
        ("linux", {}),
        ("xterm", {"COLORTERM": ""}),
        ("tmux-256color", {"NO_COLOR": "1"}),
        ("vt100", {"LANG": "C", "LC_ALL": "C"}),
        ("no-such-terminal", {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}),
    ],
    ids=("linux", "no truecolor", "no colour", "C", "no UTF-8, no terminfo"),
)
def test_other_terminals_show_it_too(tmp_path: Path, term: str, env: dict[str, str]) -> None:
    with Tmux(tmp_path, env=env) as at:
        before = at.modes()
        at.run(f"TERM={term} {SESSION}")
        at.sees(r"row 10/71$", "ABI trace")
        at.press("s")
        at.sees(r"row 11/71$")
        if "NO_COLOR" in env:
            assert not re.search(r"\x1b\[[\d;]*[34]8;", at.coloured())
        leave(at)
        assert at.modes() == before


def test_without_a_terminal_it_says_what_works(tmp_path: Path) -> None:
    with Tmux(tmp_path) as at:
        for command in (f"{SESSION} | cat; (exit ${{PIPESTATUS[0]}})", f"TERM=dumb {SESSION}"):
            at.run(command)
            assert at.shell() == 2
            text = at.text()
            assert "--plain works" in text
            assert "Traceback" not in text
            assert "\x1b[?1049h" not in at.raw.decode(errors="replace")
