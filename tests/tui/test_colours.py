"""Colours say nothing that is not said without them."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from terminal import Terminal, on_screen, run

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
