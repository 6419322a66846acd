"""Where the panes are, on every size of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simwasm_tui.layout import LAYOUTS, LEAST, Area, Arrangement, Layout, areas


@pytest.mark.parametrize(
    ("width", "slots"),
    [
        (80, {"centre", "strip"}),
        (120, {"left", "left_low", "centre", "right", "strip"}),
        (200, {"left", "left_low", "centre", "beside", "right", "strip"}),
    ],
)
def test_the_width_decides_which_slots_there_are(width: int, slots: set[str]) -> None:
    assert set(areas(width, 30, Arrangement())) == slots


def test_the_left_column_can_be_shown_where_it_is_narrow_and_hidden_where_it_is_wide() -> None:
    assert "left" in areas(80, 20, Arrangement(tree=True))
    assert "left" not in areas(120, 36, Arrangement(tree=False))


def test_a_maximised_slot_has_everything() -> None:
    assert areas(120, 36, Arrangement(zoomed="strip")) == {"strip": Area(0, 0, 120, 36)}


@given(
    st.integers(LEAST[0], 400),
    st.integers(LEAST[1] - 3, 120),
    st.sampled_from(LAYOUTS),
    st.sampled_from([None, True, False]),
)
def test_areas_share_the_screen_without_touching(
    width: int, height: int, layout: Layout, tree: bool | None
) -> None:
    found = areas(width, height, Arrangement(layout, tree))
    taken: set[tuple[int, int]] = set()
    for area in found.values():
        assert area.width >= 8
        assert area.height >= 3
        for y in range(area.y, area.y + area.height):
            row = {(x, y) for x in range(area.x, area.x + area.width)}
            assert not row & taken
            taken |= row
    assert max(x for x, _ in taken) < width
    assert max(y for _, y in taken) < height


def test_without_lines_of_source_there_is_no_column_for_them() -> None:
    assert "beside" not in areas(200, 60, Arrangement(), lines=False)
    assert "beside" in areas(200, 60, Arrangement(layout=LAYOUTS[1]), lines=False)
