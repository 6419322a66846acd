"""The lines between panes."""

from __future__ import annotations

from simwasm_tui.frame import Frame, Heading, Tab
from simwasm_tui.layout import Area
from simwasm_tui.text import plain

WHERE = {"left": Area(0, 0, 12, 3), "centre": Area(13, 0, 18, 3), "strip": Area(0, 3, 31, 2)}


def frame(focused: str = "") -> list[str]:
    headings = {
        "left": Heading("1", (Tab("a", "Left"),), "", focused == "left"),
        "centre": Heading("2", (Tab("b", "Mid"),), "9 of 9", focused == "centre"),
        "strip": Heading("", (Tab("c", "A", False), Tab("d", "B")), "", focused == "strip"),
    }
    made = Frame(WHERE, headings)
    return [plain(made.line(y, 31)) for y in range(5)]


def test_lines_meet_in_joints() -> None:
    assert frame() == [
        "─ 1 Left ───┬─ 2 Mid ─ 9 of 9 ─",
        "            │                  ",
        "            │                  ",
        "─  A [B] ───┴──────────────────",
        " " * 31,
    ]


def test_the_focused_pane_has_a_heavy_line() -> None:
    assert frame("left")[0].startswith("━ 1 Left ━━━┬─ 2 Mid")


def test_a_heavy_line_keeps_its_joints() -> None:
    assert frame("strip")[3] == "━  A [B] ━━━┷━━━━━━━━━━━━━━━━━━"


def test_a_tab_can_be_clicked_where_it_is_drawn() -> None:
    made = Frame(WHERE, {"strip": Heading("", (Tab("c", "A", False), Tab("d", "B")))})
    spot = next(spot for spot in made.spots if spot.pane == "d")
    assert plain(made.line(3, 30))[spot.x : spot.x + spot.width] == "[B]"


def test_a_note_without_room_is_cut() -> None:
    made = Frame(
        {"one": Area(0, 0, 30, 3)}, {"one": Heading("", (Tab("a", "A"),), "a very long note, far too long")}
    )
    line = plain(made.line(0, 30))
    assert line.endswith("… ─")
    assert len(line) == 30
