"""Which panes one sees, how large, and which of them has the focus."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from simwasm_tui.widgets.body import Body

    _Screen = Screen[None]
else:
    _Screen = object


class Viewing(_Screen):
    """The commands; mixed into the main screen."""

    if TYPE_CHECKING:
        body: Body

        def say(self, text: str) -> None: ...

    def do_jump(self) -> None:
        from simwasm_tui.screens.jump import Jump

        def chosen(pane: str | None) -> None:
            if pane:
                self.body.open(pane)

        offset = self.body.region.offset
        spots = [spot._replace(x=spot.x + offset.x, y=spot.y + offset.y) for spot in self.body.spots]
        self.app.push_screen(Jump(spots), chosen)

    def do_zoom(self) -> None:
        body = self.body
        pane = body.focused_pane()
        if body.wanted.zoomed:
            body.arrange_as(replace(body.wanted, zoomed=""))
        elif pane is not None:
            body.arrange_as(replace(body.wanted, zoomed=body.slot_of(pane.id or "", body.where(body.size))))

    def do_layout(self) -> None:
        following = self.body.next_layout()
        self.body.take_layout(following)
        self.say(f"Layout: {following.name}.")

    def do_tree(self) -> None:
        body = self.body
        shown = "left" in body.where(body.size)
        body.arrange_as(replace(body.wanted, tree=not shown, zoomed=""))
        pane = body.focused_pane()
        if pane is not None and not pane.display:
            body.open("trace")

    def do_focus_1(self) -> None:
        self.body.open("streams")

    def do_focus_2(self) -> None:
        self.body.open("trace")

    def do_focus_3(self) -> None:
        pane = self.body.focused_pane()
        if pane is not None and pane.id == "inspector":
            pane.action_do("inspector.next_tab")
        else:
            self.body.open("inspector")

    def do_focus_4(self) -> None:
        body = self.body
        where = body.where(body.size)
        panes = [entry.id for entry in body.panes_in("strip", where)]
        active = body.active("strip", where)
        pane = body.focused_pane()
        following = panes[(panes.index(active) + 1) % len(panes)]
        there = body.awaited == active or (pane is not None and pane.id == active)
        body.open(following if there else active)
