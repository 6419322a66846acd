"""What the heading says of a stop."""

from __future__ import annotations

from simwasm_tui.widgets.header import standing

from simwasm.debug.stop import Stop, Why


def said(note: str) -> str:
    return "".join(text for text, _ in standing(Stop(0, -1, Why.FAILED, note)))


def test_a_short_note_is_there_whole() -> None:
    assert said("interrupted") == "■ the run cannot go on · interrupted"


def test_of_a_long_note_one_sees_whom_it_is_about_and_how_it_ends() -> None:
    text = said("auth: Failed to initialize Wasm code: Failed to create new Wasm instance: unreachable")
    assert text.startswith("■ the run cannot go on · auth: ")
    assert text.endswith(" new Wasm instance: unreachable")
