"""A list that makes only the lines one sees: of a trace, a memory, a source, a log. A million rows cost nothing.

    log = VirtualList(empty="The plugin has written nothing yet.")
    log.show(lines)                    # anything with len(lines) and lines.line(index, width)
    log.grown()                        # there are more lines at the end; what was there has not changed
    log.go(41)                         # put the cursor on a line and bring it into sight

It posts `Moved` when the cursor moves, `Seen` when other lines are in sight, `Chosen` for Enter and double clicks.
Rules: nothing scrolls smoothly, since that costs more than the rest together; a line is made once for a width and kept
until `show` is called again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from textwrap import wrap
from typing import ClassVar, Protocol

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from simwasm_tui.ink import style_of
from simwasm_tui.text import Line, cells, clean, plain

_KEPT = 2048
_SIDEWAYS = 8
_COPIED = 20_000
"""Lines that one selection may copy."""


class Lines(Protocol):
    """Where a list has its lines from."""

    def __len__(self) -> int: ...
    def line(self, index: int, width: int, /) -> Line: ...


class FixedLines(tuple[Line, ...]):
    """Lines that are there already."""

    def line(self, index: int, width: int) -> Line:
        return self[index]


NOTHING = FixedLines()


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
        self.search: str = ""
        """What is marked wherever it occurs."""
        self._generation = 0
        self._made: LRUCache[tuple[int, int, int], tuple[Segment, ...]] = LRUCache(_KEPT)
        self._inks: dict[str, Style] = {}
        self._widest = 0
        self._base = Style.null()

    @property
    def room(self) -> int:
        """The cells of a line, the scrollbar's left out."""
        return self.scrollable_content_region.width

    # What is shown.

    def show(self, lines: Lines, cursor: int | None = None) -> None:
        """Show other lines, or the same ones drawn anew."""
        self.lines = lines
        self._generation += 1
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

    def go(self, index: int, *, middle: bool = False) -> None:
        """Put the cursor on a line and bring it into sight, `middle` if it was out of it."""
        self.cursor = index
        self._into_sight(middle)

    def redraw(self, indices: Iterable[int]) -> None:
        """Draw these lines anew: what they show has changed."""
        for index in indices:
            self._made.discard((index, self.room, self._generation))
            self.refresh_line(index)

    def _resize(self) -> None:
        width = max(self._widest, self.room)
        self.virtual_size = Size(width, len(self.lines))

    def _into_sight(self, middle: bool = False) -> None:
        height, top = self.size.height, self.scroll_offset.y
        if height <= 0 or top <= self.cursor < top + height:
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
        self._made.clear()

    def on_resize(self) -> None:
        self._resize()
        self._into_sight()
        self.post_message(self.Seen(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Seen(self))

    def render_lines(self, crop: Region) -> list[Strip]:
        self._base = self.rich_style  # which costs more than a line, so it is asked once for all of them
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        x, top = self.scroll_offset
        width, index = self.room, top + y
        base = self._base
        size = len(self.lines)
        if index >= size:
            return self._teaching(y, width, base) if not size else Strip.blank(width, base)
        style = base
        if index == self.cursor and (self.has_focus or self.has_pseudo_class("focus-within")):
            style = base + self._ink("list--cursor")
        strip = Strip(Segment.apply_style(self._segments(index, width), style))
        strip = self._selected(strip, index)
        if strip.cell_length > x + width > 0:  # what is cut says so
            strip = Strip([*strip.crop(0, x + width - 1), Segment("…", style)])
        return strip.crop_extend(x, x + width, style).apply_offsets(x, index)

    def _teaching(self, y: int, width: int, base: Style) -> Strip:
        lines = [part for line in self.empty.splitlines() for part in wrap(line, max(8, width - 3)) or [""]]
        if not 1 <= y <= len(lines):
            return Strip.blank(width, base)
        text = clean(lines[y - 1])
        muted = base + self._ink("ink--muted")
        return Strip([Segment("  " + text, muted)]).crop_extend(0, width, base)

    def _segments(self, index: int, width: int) -> tuple[Segment, ...]:
        key = (index, width, self._generation)
        found = self._made.get(key)
        if found is None:
            line = self.lines.line(index, width)
            found = tuple(Segment(text, self._ink(f"ink--{ink}") if ink else None) for text, ink in line)
            self._made[key] = found
            if (wide := cells(line)) > max(self._widest, width):
                self._widest = wide
                self.call_after_refresh(self._resize)
        return found

    def _ink(self, name: str) -> Style:
        style = self._inks.get(name)
        if style is None:
            style = self._inks[name] = style_of(self, name)
        return style

    # Selecting text with the mouse.

    @property
    def allow_select(self) -> bool:
        return True

    def _selected(self, strip: Strip, index: int) -> Strip:
        selection = self.text_selection
        span = None if selection is None else selection.get_span(index)
        if span is None:
            return strip
        style = self.screen.get_component_rich_style("screen--selection")
        return Strip(_marked(strip, span[0], span[1], style))

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
        self.refresh(Region(0, y - self.scroll_offset.y, max(self.virtual_size.width, self.room), 1))


def _marked(strip: Strip, start: int, end: int, style: Style) -> Iterable[Segment]:
    """A strip's segments, those between two characters in another style; -1 is the end."""
    at = 0
    for text, own, _ in strip:
        first = min(max(0, start - at), len(text))
        last = len(text) if end == -1 else min(max(first, end - at), len(text))
        own = own or Style()
        for part, ink in ((text[:first], own), (text[first:last], own + style), (text[last:], own)):
            if part:
                yield Segment(part, ink)
        at += len(text)
