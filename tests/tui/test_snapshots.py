"""How the screen looks: as drawings, which are compared whole. Made anew with --update-traces, and then looked at.

What is drawn depends on the exact version of Textual, which the tests' requirements say.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from terminal import Terminal, on_screen, run

FOLDER = Path(__file__).parent / "snapshots"
SHOTS = {
    "begin": ("http_auth/browser", (120, 40), "", []),
    "begin-light": ("http_auth/browser", (120, 40), "simwasm-light", []),
    "narrow": ("http_auth/browser", (80, 24), "", ["s", "s", "s", "3"]),
    "wide-contrast": ("allow_header/browser", (200, 60), "simwasm-contrast", ["s", "s", "s"]),
    "breakpoint": ("http_auth/browser", (120, 40), "", ["s", "s", "s", "s", "b", "c"]),
    "folded": ("http_auth/browser", (120, 40), "", ["s", "s", "minus", "m"]),
    "problems": ("grpc_auth/denied", (120, 40), "", ["s", "s", "s", "4", "4", "4", "4", "4", "4"]),
    "inspector": ("http_auth/browser", (120, 40), "", [*"ssss", *"333333"]),
    "memory": ("http_auth/browser", (120, 40), "", [*"sss", "4", "s"]),
    "source": ("http_auth/browser", (120, 40), "", [*"ss", *"44"]),
    "wasm": ("http_auth/browser", (120, 40), "", [*"ss", *"444"]),
    "stack": ("http_auth/browser", (120, 40), "", [*"ss", *"4444"]),
    "eval": (
        "http_auth/browser",
        (120, 40),
        "",
        [*"ss", *"4444444", "equals_sign", *"args", "enter", "escape", "w"],
    ),
    "help": ("http_auth/browser", (80, 24), "simwasm-light", ["question_mark"]),
    "instruction": ("allow_header_c/browser", (120, 40), "", [*"suussss", *"44", *"ssss"]),
    "instruction-narrow": ("allow_header_c/browser", (80, 24), "simwasm-light", [*"suuss", *"44"]),
}
_NOT_FOUND = ["g", "2", "0", "enter", "O", "ctrl+u", *"NOT_FOUND", "enter"]
"""Go to the second header that is asked for, and say that it is not there."""
SHOTS |= {
    "editor": ("http_auth/browser", (120, 40), "", ["B", "ctrl+u", *"on_request_hedaers"]),
    "bookmarks": ("http_auth/browser", (80, 24), "", ["m", "s", "s", "m", "c", "M"]),
    "override": ("http_auth/browser", (120, 40), "", _NOT_FOUND[:5]),
    "diff": ("http_auth/browser", (120, 40), "", [*_NOT_FOUND, "D"]),
    "branches": ("http_auth/browser", (80, 24), "simwasm-light", [*_NOT_FOUND, "V"]),
    "export": ("http_auth/browser", (120, 40), "", ["s", "s", "e"]),
    "writers": ("http_auth/browser", (120, 40), "simwasm-light", ["s", "s", "W"]),
    "health": ("http_auth/browser", (80, 24), "", ["H"]),
    "start": ("http_auth/browser", (80, 24), "", ["ctrl+o"]),
}
_LEFT_OUT = (
    (re.compile(r"terminal-\d+"), "terminal"),
    (re.compile(r' clip-path="url\(#terminal-line-\d+\)"'), ""),
    (re.compile(r'<clipPath id="terminal-line-\d+">\s*<rect [^>]*/>\s*</clipPath>\s*'), ""),
)
"""What differs without being seen, and what only makes a drawing larger."""


@pytest.mark.parametrize("name", SHOTS)
def test_the_screen_looks_as_it_did(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """What differs is beside the drawing in the test's folder; look at both in a browser."""
    what, size, theme, keys = SHOTS[name]

    async def test() -> str:
        async with on_screen(what, size, theme=theme) as at:
            await at.press(*keys)
            await quiet(at)
            return _small(at.app.export_screenshot(title=name, simplify=True))

    drawn = run(test())
    path = FOLDER / f"{name}.svg"
    if request.config.getoption("--update-traces"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn)
    if drawn != (path.read_text() if path.exists() else ""):
        other = tmp_path / path.name
        other.write_text(drawn)
        pytest.fail(f"{path} is not what is drawn now: {other}. --update-traces writes it anew.")


def _small(drawing: str) -> str:
    for pattern, text in _LEFT_OUT:
        drawing = pattern.sub(text, drawing)
    return drawing


async def quiet(at: Terminal) -> None:
    """Wait until the run stands and two looks at the screen are alike."""
    before: list[str] = []
    while before != (before := at.screen()):
        await at.pilot.pause(0.1)
        await at.settle()
