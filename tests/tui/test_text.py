"""Text that came from anywhere stays in its line and in its cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from simwasm_tui.text import cells, clean, fit, plain, spread, took


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\tand\r", "two\\nlines\\tand\\r"),
        ("\x1b[31mred", "\\e[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("byte \udcff", "byte \\xff"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u200bb", "a\\u200bb"),
        ("日本", "日本"),
        ("e\u0301", "e\u0301"),
        ("\u0301x", "\\u0301x"),
        ("e" + "\u0301" * 4, "e\u0301\u0301\\u0301\\u0301"),
        ("\u2764\ufe0f", "\u2764\\ufe0f"),
    ],
)
def test_what_cannot_be_printed_is_written_as_an_escape(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(st.characters()))
def test_no_text_moves_the_cursor(text: str) -> None:
    assert clean(text).isprintable()


@given(st.text(st.characters()), st.integers(0, 40))
def test_a_line_that_was_made_to_fit_is_never_wider(text: str, width: int) -> None:
    assert cells(fit(((clean(text), ""), ("more", "ok")), width)) <= width


@given(st.text(st.characters()), st.integers(1, 40))
def test_two_lines_in_one_are_exactly_as_wide_as_asked(text: str, width: int) -> None:
    line = spread(((clean(text), ""),), (("OK", "ok"),), width)
    assert cell_len(plain(line)) == (width if width > 2 else cells(line))


def test_a_cut_line_ends_in_dots() -> None:
    assert plain(fit((("abcdef", ""),), 4)) == "abc…"


def test_a_wide_character_is_not_halved() -> None:
    assert cell_len(plain(fit((("日本語", ""),), 4))) == 4


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (0, ""),
        (999, "999ns"),
        (3_400, "3µs"),
        (1_200_000, "1.2ms"),
        (42_000_000, "42ms"),
        (3_000_000_000, "3.0s"),
    ],
)
def test_durations_are_short(ns: int, shown: str) -> None:
    assert took(ns) == shown
