"""A list that makes only the lines one sees: of a trace, a memory, a source, a log. A million rows cost nothing.

    log = VirtualList(empty="The plugin has written nothing yet.")
    log.show(lines)                    # anything with len(lines) and lines.line(index, width)
    log.grown()                        # there are more lines at the end; what was there has not changed
    log.go(41)                         # put the cursor on a line and bring it into sight

It posts `Moved` when the cursor moves, `Seen` when other lines are in sight, `Chosen` for Enter and double clicks.
Rules: nothing scrolls smoothly, since that costs more than the rest together; a line is made once for a width and kept,
drawn to its last cell, until `show` is called again; scrolling never places anything anew on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from textwrap import wrap
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import NULL_SPACING, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from simwasm_tui.ink import style_of
from simwasm_tui.items import Lines
from simwasm_tui.text import Line, cells, clean, plain
from simwasm_tui.widgets.strips import Sight, Strips, cut, marked

_SIDEWAYS = 8
_COPIED = 20_000
"""Lines that one selection may copy."""


class FixedLines(tuple[Line, ...]):
    """Lines that are there already."""

    def line(self, index: int, width: int) -> Line:
        return self[index]


NOTHING = FixedLines()


def _nobody() -> None:
    """Nobody wants to be told."""


class VirtualList(ScrollView, can_focus=True):
    """A list on the line API."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("left", f"sideways(-{_SIDEWAYS})", "Left", show=False),
        Binding("right", f"sideways({_SIDEWAYS})", "Right", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    class Moved(Message):
        """The cursor is on another line."""

        def __init__(self, list: VirtualList, index: int) -> None:
            super().__init__()
            self.list = list
            self.index = index

        @property
        def control(self) -> VirtualList:
            return self.list

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualList.Moved) and message.list is self.list

    class Seen(Message):
        """Other lines are in sight."""

        def __init__(self, list: VirtualList) -> None:
            super().__init__()
            self.list = list

        @property
        def control(self) -> VirtualList:
            return self.list

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualList.Seen) and message.list is self.list

    class Chosen(Message):
        """Enter, or a double click, on a line."""

        def __init__(self, list: VirtualList, index: int) -> None:
            super().__init__()
            self.list = list
            self.index = index

        @property
        def control(self) -> VirtualList:
            return self.list

    def __init__(
        self, lines: Lines = NOTHING, *, empty: str = "", id: str | None = None, follow: bool = False
    ) -> None:
        super().__init__(id=id)
        self.lines = lines
        self.empty = empty
        """What is said where there are no lines, and what to do about that."""
        self.follow = follow
        """Whether the list stays at its end as it grows, as long as the cursor is there."""
        self.at_once: Callable[[], None] = _nobody
        """Called when the cursor or what is in sight moves, before that is drawn, so that one picture shows all."""
        self.search: str = ""
        """What is marked wherever it occurs."""
        self._strips = Strips()
        self._inks: dict[str, Style] = {}
        self._teaching: tuple[str, int, Style | None, list[Strip]] = ("", 0, None, [])
        self._widest = 0
        self._sight = Sight()

    @property
    def room(self) -> int:
        """The cells of a line, the scrollbar's left out."""
        return self.scrollable_content_region.width

    # What is shown.

    def show(self, lines: Lines, cursor: int | None = None) -> None:
        """Show other lines, or the same ones drawn anew."""
        self.lines = lines
        self._strips.clear()
        self._widest = 0
        self._resize()
        if cursor is not None:
            self.go(cursor)
        else:
            self.cursor = self.validate_cursor(self.cursor)
        self.refresh()

    def grown(self, *, more: bool = False) -> None:
        """Take notice of lines that were added at the end.

        With `more` to come, a few lines that nobody sees are not worth drawing all of them anew for the scrollbar.
        """
        before = self.virtual_size.height
        follows = self.follow and self.cursor >= before - 1
        unseen = before > self.scroll_offset.y + 2 * self.size.height
        if more and unseen and not follows and len(self.lines) < before * 1.2:
            return
        self._resize()
        if follows:
            self.go(len(self.lines) - 1)
        elif not unseen:
            self.refresh()

    def go(self, index: int, *, middle: bool = False, anew: bool = False) -> None:
        """Put the cursor on a line and bring it into sight, `middle` if it was out of it, or `anew` where it was in."""
        self.cursor = index
        self._into_sight(middle, anew)

    def redraw(self, indices: Iterable[int]) -> None:
        """Draw these lines anew: what they show has changed."""
        for index in indices:
            self._strips.discard(index)
            self.refresh_line(index)

    def _resize(self) -> None:
        """Know how far one can scroll; nothing else on the screen depends on that."""
        before, size = self.virtual_size, Size(max(self._widest, self.room), len(self.lines))
        if self.styles.auto_dimensions:
            self.virtual_size = size
            return
        self.set_reactive(ScrollView.virtual_size, size)  # pyright: ignore[reportArgumentType]  # as Textual has it
        if size.height != before.height or size.width < before.width:
            self._scroll_update(size)

    def _into_sight(self, middle: bool = False, anew: bool = False) -> None:
        height, top = self.size.height, self.scroll_offset.y
        if height <= 0 or (top <= self.cursor < top + height and not anew):
            return
        nearest = self.cursor if self.cursor < top else self.cursor - height + 1
        wanted = self.cursor - height // 3 if middle else nearest
        self.scroll_to(y=max(0, wanted), animate=False, force=True, immediate=True)

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self.lines) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_line(old)
        self.refresh_line(new)
        if old != new:
            self.at_once()
            self.post_message(self.Moved(self, new))

    # Keys and mouse.

    def action_move(self, by: int) -> None:
        self.go(self.cursor + by)

    def action_page(self, by: int) -> None:
        self.go(self.cursor + by * max(1, self.size.height - 1))

    def action_first(self) -> None:
        self.go(0)

    def action_last(self) -> None:
        self.go(len(self.lines) - 1)

    def action_sideways(self, by: int) -> None:
        self.scroll_to(x=max(0, self.scroll_offset.x + by), animate=False, force=True)

    def action_choose(self) -> None:
        if len(self.lines):
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        index = self.scroll_offset.y + event.y
        if index < len(self.lines):
            self.go(index)
            if event.chain == 2:
                self.post_message(self.Chosen(self, index))

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._wheel(event, 1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        if event.shift or event.ctrl:
            self.action_sideways(by * _SIDEWAYS)
        else:
            self.scroll_to(y=self.scroll_offset.y + 3 * by, animate=False, force=True)

    # Searching.

    def find(self, wanted: Callable[[str], bool], *, back: bool = False, from_cursor: bool = True) -> bool:
        """Go to the next line whose text is wanted, round the end if need be; False if there is none."""
        size = len(self.lines)
        step = -1 if back else 1
        start = self.cursor + step if from_cursor else 0
        for offset in range(size):
            index = (start + step * offset) % size
            if wanted(self.text_of(index)):
                self.go(index, middle=True)
                return True
        return False

    def text_of(self, index: int) -> str:
        """The text of a line."""
        return plain(self.lines.line(index, self.room))

    # Drawing.

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._inks.clear()
        self._strips.clear()
        self._teaching = ("", 0, None, [])
        self._sight = Sight()

    def on_resize(self) -> None:
        self._resize()
        self._into_sight()
        self.post_message(self.Seen(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.at_once()
            self.post_message(self.Seen(self))

    def render_lines(self, crop: Region) -> list[Strip]:
        self._sight = self._look()
        if self.styles.gutter != NULL_SPACING:  # what is around the lines Textual draws
            return super().render_lines(crop)
        self._styles_cache.clear()
        width, base = self.size.width, self._sight.base
        found = [self._line(y).adjust_cell_length(width, base) for y in crop.line_range]
        for filter in self.get_line_filters():
            background = self.background_colors[1]
            found = [strip.apply_filter(filter, background) for strip in found]
        return found if crop.column_span == (0, width) else [strip.crop(*crop.column_span) for strip in found]

    def _look(self) -> Sight:
        """What decides how a line looks; each of it costs more than a line, so it is asked once for all of them."""
        x, top = self.scroll_offset
        known = self._sight.base
        base = known if known is not None else self.rich_style
        active = self.has_focus or self.has_pseudo_class("focus-within")
        return Sight(x, top, self.room, base, self.cursor if active else -1, self.text_selection)

    def render_line(self, y: int) -> Strip:
        """A line for the mouse, which learns from it what it points at; a picture has no need of that."""
        return self._line(y).apply_offsets(self._sight.x, self._sight.top + y)

    def _line(self, y: int) -> Strip:
        sight, size = self._sight, len(self.lines)
        index = sight.top + y
        base = sight.base or Style.null()
        if index >= size:
            return self._taught(y, sight.width, base) if not size else Strip.blank(sight.width, base)
        selected = sight.selection.get_span(index) if sight.selection is not None else None
        if selected is not None:
            return self._drawn(index, sight, selected)
        found = self._strips.get(index, sight)
        if found is None:
            found = self._drawn(index, sight)
            self._strips.keep(index, sight, found)
        return found

    def _drawn(self, index: int, sight: Sight, selected: tuple[int, int] | None = None) -> Strip:
        line = self._strips.line(self.lines, index, sight.width)
        if (wide := cells(line)) > max(self._widest, sight.width):
            self._widest = wide
            self._resize()
        style = sight.base or Style.null()
        if index == sight.cursor:
            style += self._ink("list--cursor")
        strip = Strip(Segment(text, style + self._ink(f"ink--{ink}") if ink else style) for text, ink in line)
        if selected is not None:
            strip = Strip(marked(strip, *selected, self.screen.get_component_rich_style("screen--selection")))
        return cut(strip, sight.x, sight.width, style)

    def _taught(self, y: int, width: int, base: Style) -> Strip:
        """What is said where there are no lines."""
        if self._teaching[:3] != (self.empty, width, base):
            muted = base + self._ink("ink--muted")
            lines = [
                part for line in self.empty.splitlines() for part in wrap(line, max(8, width - 3)) or [""]
            ]
            strips = [
                Strip([Segment("  " + clean(text), muted)]).crop_extend(0, width, base) for text in lines
            ]
            self._teaching = (self.empty, width, base, strips)
        strips = self._teaching[3]
        return strips[y - 1] if 1 <= y <= len(strips) else Strip.blank(width, base)

    def _ink(self, name: str) -> Style:
        style = self._inks.get(name)
        if style is None:
            style = self._inks[name] = style_of(self, name)
        return style

    # Selecting text with the mouse.

    @property
    def allow_select(self) -> bool:
        return True

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        first = selection.start.y if selection.start else 0
        last = selection.end.y if selection.end else len(self.lines) - 1
        last = min(last, len(self.lines) - 1, first + _COPIED)
        found = []
        for index in range(first, last + 1):
            if (span := selection.get_span(index)) is not None:
                text = self.text_of(index)
                found.append(text[span[0] : None if span[1] == -1 else span[1]].rstrip())
        return "\n".join(found), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def refresh_line(self, y: int) -> None:
        place = y - self.scroll_offset.y
        if 0 <= place < self.size.height:
            self.refresh(Region(0, place, self.size.width, 1))
