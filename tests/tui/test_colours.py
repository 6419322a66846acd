"""Colours say nothing that is not said without them."""

from __future__ import annotations

from itertools import product

import pytest
from rich.segment import Segment
from simwasm_tui.ink import style_of
from simwasm_tui.text import INKS
from simwasm_tui.widgets.keys import Keys
from terminal import Terminal, on_screen, run
from textual.color import Color

CASE = "http_auth/browser"


def segments(at: Terminal) -> list[Segment]:
    return [segment for strip in at.app.screen._compositor.render_strips() for segment in strip]


def test_no_color_is_obeyed_and_signs_say_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("s", "s", "s", "b")
            colours = [c for s in segments(at) if s.style for c in (s.style.color, s.style.bgcolor) if c]
            assert {colour.name for colour in colours} <= {"default"}
            screen = at.screen()
            assert any("┯━ 2 ABI trace ━" in line or "┬━ 2 ABI trace ━" in line for line in screen)
            assert any("▶● 13" in line for line in screen)
            assert "▮" in screen[1] and "▯" in screen[1]

    run(test())


def test_without_colours_the_recorded_future_is_faint_and_the_cursor_reversed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def test() -> None:
        async with on_screen(CASE) as at:
            later = next(s for s in segments(at) if s.text.startswith("on_request_headers"))
            assert later.style is not None
            assert later.style.dim
            here = next(
                s
                for s in segments(at)
                if s.text.startswith("on_context_create") and s.style and s.style.reverse
            )
            assert here.style is not None

    run(test())


def test_sixteen_colours_are_enough() -> None:
    async def test() -> None:
        async with on_screen(CASE, theme="ansi-dark") as at:
            colours = [c for s in segments(at) if s.style for c in (s.style.color, s.style.bgcolor) if c]
            assert {colour.type.name for colour in colours} <= {"DEFAULT", "STANDARD"}

    run(test())


def test_what_is_faint_on_paper_can_be_read() -> None:
    async def test() -> None:
        async with on_screen(CASE, theme="simwasm-light") as at:
            shown = [at.main.query_one(Keys), at.main.body, at.trace.list]
            for widget, ink in product(shown, sorted(set(INKS) - {"line"})):
                style = style_of(widget, f"ink--{ink}")
                behind = widget.background_colors[1]
                ground = Color.from_rich_color(style.bgcolor) if style.bgcolor else behind
                ink_colour = Color.from_rich_color(style.color) if style.color else widget.colors[3]
                assert _contrast(ink_colour, ground) >= 4.5, ink

    run(test())


def _contrast(one: Color, other: Color) -> float:
    """The ratio of two colours' luminances, as WCAG counts it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
