"""The panes with the lines between them. Where they are says `layout.py`, how the lines are drawn `frame.py`.

A pane is made when it is first seen: its module is imported then, and never if nobody looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle, islice
from typing import TYPE_CHECKING

from textual import events
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import Layout as Placing
from textual.layout import WidgetPlacement
from textual.widget import Widget

from simwasm_tui.frame import Frame, Heading, Spot, Tab
from simwasm_tui.layout import LAYOUTS, Area, Arrangement, Layout, areas
from simwasm_tui.messages import OpenPane
from simwasm_tui.panes.pane import Pane
from simwasm_tui.panes.table import BY_ID, KEYS, PANES, Entry, load
from simwasm_tui.text import Line
from simwasm_tui.widgets.line import Drawn

if TYPE_CHECKING:
    from simwasm.debug.inputs import Inputs
    from simwasm_tui.model import View


class _Placing(Placing):
    """Puts every pane into the area of its slot."""

    name = "panes"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> list[WidgetPlacement]:
        assert isinstance(parent, Body)
        parent.pre_layout(self)
        where = parent.where(size)
        found = []
        for child in children:
            area = where.get(parent.slot_of(child.id or "", where))
            if area is not None:
                region = Region(area.x, area.y + 1, area.width, max(0, area.height - 1))
                found.append(WidgetPlacement(region, NULL_OFFSET, NULL_SPACING, child))
        return found


class Body(Drawn):
    """The panes."""

    DEFAULT_CSS = "Body { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.wanted = Arrangement()
        self.chosen: dict[str, str] = {"strip": LAYOUTS[0].pane}
        """The pane that each slot shows, where there is more than one."""
        self.view: View | None = None
        self._lines = False
        """Whether there are lines of source for the plugin's code."""
        self._taking = False
        """The panes are given a view, after which the headings are looked at once."""
        self._panes: dict[str, Pane] = {}
        """Those that were made, which none is taken away from."""
        self._inputs: Inputs | None = None
        self._placing = _Placing()
        self._frame = Frame({}, {})
        self._headings: dict[str, Heading] = {}
        self._where: Mapping[str, Area] = {}
        self._focused = ""
        self.awaited = ""
        """The pane that gets the focus as soon as it is made."""

    @property
    def layout(self) -> Placing:
        return self._placing

    # Where things are.

    def where(self, size: Size) -> dict[str, Area]:
        """The areas for a size."""
        return areas(size.width, size.height, self.wanted, lines=self._lines)

    def slot_of(self, pane: str, where: Mapping[str, Area]) -> str:
        """The slot in which a pane has its place; empty if it has none."""
        entry = BY_ID.get(pane)
        slots = entry.slots if entry else ()
        return next((slot for slot in slots if slot in where), "")

    def panes_in(self, slot: str, where: Mapping[str, Area]) -> list[Entry]:
        """The panes of a slot, in their order."""
        return [entry for entry in PANES if self.slot_of(entry.id, where) == slot]

    def active(self, slot: str, where: Mapping[str, Area]) -> str:
        """The pane that a slot shows; empty for none."""
        here = [entry.id for entry in self.panes_in(slot, where)]
        wanted = self.chosen.get(slot, "")
        return wanted if wanted in here else here[0] if here else ""

    def pane(self, pane: str) -> Pane | None:
        """A pane that was made already."""
        return self._panes.get(pane)

    def made(self, y: int, width: int) -> Line:
        return self._frame.line(y, width)

    @property
    def spots(self) -> list[Spot]:
        """What can be clicked in the lines."""
        return self._frame.spots

    # What it shows.

    def take(self, view: View) -> None:
        """Give the panes the newest view."""
        self.view = view
        if view.inputs is not self._inputs:
            self._inputs = view.inputs
            before, self._lines = self._lines, not view.alone and _have_lines(view.inputs)
            if before != self._lines:
                self.rearrange()
        self._taking = True
        for pane in tuple(self._panes.values()):
            pane.take(view)
        self._taking = False
        self.reframe()

    def arrange_as(self, wanted: Arrangement) -> None:
        """Share the space in another way."""
        self.wanted = wanted
        self.rearrange()

    def take_layout(self, layout: Layout) -> None:
        """Use one of the layouts, with its pane in the strip."""
        where = self.where(self.size)
        self.chosen[self.slot_of(layout.pane, where) or "strip"] = layout.pane
        self.arrange_as(replace(self.wanted, layout=layout, zoomed=""))

    def next_layout(self) -> Layout:
        """The layout after the one in use."""
        following = cycle(LAYOUTS)
        return next(islice(following, LAYOUTS.index(self.wanted.layout) + 1, None))

    def rearrange(self) -> None:
        """Make the panes that are seen now, hide the others, and draw the lines."""
        if not self.is_mounted or not self.size.width:
            return
        where = self.where(self.size)
        shown = {self.active(slot, where) for slot in where} - {""}
        for pane in self._panes.values():
            pane.display = pane.id in shown
        new = {name: load(BY_ID[name])(id=name) for name in sorted(shown - self._panes.keys())}
        if new:
            self.call_after_refresh(self._give)
            self.mount_all(new.values())
            self._panes |= new
        else:
            self._give()
        self._reframe(where)
        self.refresh(layout=True)

    def _give(self) -> None:
        if self.view is not None:
            self.take(self.view)

    def reframe(self) -> None:
        """Draw those lines anew in which a heading has changed, or the focus."""
        if self._taking:
            return
        where, before = self.where(self.size), self._headings
        self._reframe(where)
        for slot, heading in self._headings.items():
            if heading != before.get(slot):
                self.refresh(Region(0, where[slot].y, self.size.width, 1))

    def _reframe(self, where: Mapping[str, Area]) -> None:
        headings = {slot: self._heading(slot, where) for slot in where}
        if headings != self._headings or where != self._where:
            self._frame = Frame(where, headings)
        self._headings, self._where = headings, where

    def _heading(self, slot: str, where: Mapping[str, Area]) -> Heading:
        active = self.active(slot, where)
        tabs = tuple(
            Tab(entry.id, entry.title + self._badge(entry.id), entry.id == active)
            for entry in self.panes_in(slot, where)
        )
        pane = self.pane(active)
        return Heading(KEYS.get(slot, ""), tabs, pane.note if pane else "", active == self._focused != "")

    def _badge(self, name: str) -> str:
        pane = self.pane(name)
        if pane is not None:
            return pane.badge
        if self.view is None:
            return ""
        if name == "problems" and self.view.problems:
            bad = sum(problem.severity > 0 for problem in self.view.problems)
            return f" {bad:,}" if bad else "•"
        return "•" if name == "log" and self.view.lines else ""

    # The focus.

    def bring(self, name: str) -> None:
        """Bring a pane into sight where nobody works in the one that is there; the focus stays."""
        slot, focused = self.slot_of(name, self.where(self.size)), self.focused_pane()
        if slot and (focused is None or self.slot_of(focused.id or "", self.where(self.size)) != slot):
            self.chosen[slot] = name
            self.rearrange()

    def open(self, name: str) -> None:
        """Bring a pane into sight and give it the focus."""
        where = self.where(self.size)
        slot = self.slot_of(name, where)
        if not slot:
            self.wanted = replace(self.wanted, zoomed="", tree=True)
            slot = self.slot_of(name, self.where(self.size))
        self.chosen[slot] = name
        self.rearrange()
        if not self._focus(name):
            self.awaited = name
            self.call_after_refresh(self._focus_later, name)

    def _focus_later(self, name: str) -> None:
        """Give a pane the focus that has been made since, unless another one or a question was asked for meanwhile."""
        if self.awaited == name and (self.screen.focused is None or self.focused_pane() is not None):
            self._focus(name)

    def _focus(self, name: str) -> bool:
        """Give a pane the focus at once, as the next key is meant for it; False if it is still being made."""
        pane = self.pane(name)
        target = next((node for node in pane.query("*") if node.focusable), None) if pane else None
        if target is not None:
            self.awaited = ""
            self.screen.set_focus(target)
        return target is not None

    def focused_pane(self) -> Pane | None:
        """The pane that has the focus."""
        node = self.screen.focused
        while node is not None and not isinstance(node, Pane):
            node = node.parent if isinstance(node.parent, Widget) else None
        return node

    def focus_moved(self) -> None:
        """Notice that the focus is elsewhere."""
        pane = self.focused_pane()
        name = pane.id or "" if pane else ""
        if name != self._focused:
            self._focused = name
            self.reframe()

    def on_resize(self) -> None:
        self.rearrange()

    def on_click(self, event: events.Click) -> None:
        for spot in self.spots:
            if event.y == spot.y and spot.x <= event.x < spot.x + spot.width:
                self.post_message(OpenPane(spot.pane))
                return


def _have_lines(inputs: Inputs) -> bool:
    """Whether the debug information of any plugin tells lines of source."""
    return any(plugin.lines.there for plugin in inputs.plugins)
