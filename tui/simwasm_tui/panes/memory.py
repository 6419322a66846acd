"""The memory of the plugin: its bytes with those of the call marked, and ways to go about in it."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from simwasm.debug.expressions import evaluate
from simwasm.errors import ExpressionError
from simwasm_tui.commands import BACK, FIND, KEEP, RUN, STOPS, VIEW, Command
from simwasm_tui.messages import Question, Say
from simwasm_tui.model import View
from simwasm_tui.panes.inspector_call import pointed
from simwasm_tui.panes.memory_lines import MemoryLines, Stretch, TextLines, stretches
from simwasm_tui.panes.memory_reading import (
    COPIED,
    MOST_TEXTS,
    find,
    grown,
    next_different,
    pointer,
    texts,
    wanted,
)
from simwasm_tui.panes.memory_time import Time
from simwasm_tui.sight import Bytes, Sight, see
from simwasm_tui.text import count
from simwasm_tui.widgets.virtual_list import NOTHING, VirtualList

_EMPTY = "No plugin runs here, so there is no memory.\n\nPress s to take a step into a callback."
_PLACES = 200


class HexList(VirtualList):
    """A list whose cursor is on a byte."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "byte(-1)", "Byte before", show=False),
        Binding("right", "byte(1)", "Next byte", show=False),
    ]

    def action_byte(self, by: int) -> None:
        if isinstance(self.parent, Memory):
            self.parent.move(self.parent.at + by)


class Memory(Time):
    """The memory."""

    HELP = (
        "The plugin's memory, sixteen bytes a line. [ ] are the bytes of the arguments of the call where the run "
        "stands, { } those you have chosen, * * those that have changed since the stop that the heading names. The "
        "arrows go from byte to byte. P goes to who wrote them last: to the row of the trace, or where u makes steps "
        "of lines or instructions, to the instruction. x writes other bytes, and the run forks."
    )
    COMMANDS = (
        Command("memory.goto", "at", "Go to address…", "Go to an address: a number, or an expression.", FIND),
        Command("memory.find", "slash", "Find in memory…", "Look for a text, or for bytes written as 0x61 62.", FIND),
        Command("memory.next", "greater_than_sign", "Find next", "Go to the next place of what was looked for.", FIND),
        Command("memory.previous", "less_than_sign", "Find previous", "Go to the place before.", FIND),
        Command("memory.follow", "enter", "Follow pointer", "Go to the address that lies under the cursor.", FIND),
        Command("memory.back", "minus", "Address before", "Go back to where one looked before.", VIEW),
        Command("memory.forward", "plus", "Address after", "Go forward again.", VIEW),
        Command("memory.change", "d", "Next changed bytes", "Go to the next bytes that have changed.", FIND),
        Command("memory.texts", "v", "Texts or bytes", "List the printable texts, or show bytes again.", VIEW),
        Command("memory.arguments", "a", "Follow the arguments", "Show the argument at each stop, or stay.", VIEW),
        Command("memory.writer", "P", "Who wrote these bytes", "Go to the last time before now at which they changed.",
                BACK),
        Command("memory.writer_after", "", "Who writes these bytes next", "Go to the next time at which they change.",
                RUN),
        Command("memory.write", "x", "Write bytes…", "Put other bytes there: the run forks.", KEEP),
        Command("memory.watch", "w", "Stop when written", "Set a breakpoint on the chosen bytes.", STOPS),
    )  # fmt: skip

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.at = 0
        """The address under the cursor."""
        self.selected: Stretch | None = None
        self.following = True
        self.texts = False
        self.looked_for = b""
        self.places: list[int] = []
        """Addresses that were gone to, and which of them is the present one."""
        self.place = -1
        self._sight: Sight | None = None
        self._lines: MemoryLines | None = None
        self._copy: tuple[str, int, bytes] | None = None
        """Whose memory was kept at this stop, at which row, and what was in it."""
        self._before: tuple[str, int, bytes] | None = None
        self._size_before = 0

    def compose(self) -> ComposeResult:
        yield HexList(empty=_EMPTY)

    @property
    def list(self) -> HexList:
        """The lines."""
        return self.query_one(HexList)

    @property
    def memory(self) -> Bytes | None:
        """The memory that is shown."""
        return self._lines.memory if self._lines is not None else None

    # Drawing.

    def draw(self, view: View, before: View | None) -> None:
        new = self._sight is None or not self._sight.of(view)
        if view.stop is not None and new:
            self._arrive(view)
        if new or self._sight is None:
            self._show()

    def _arrive(self, view: View) -> None:
        """Look at the memory of a new stop, and keep what it was before."""
        self._size_before = self.memory.size() if self.memory is not None else 0
        self._sight = sight = see(view)
        self.selected = None
        if sight is None or sight.memory is None:
            return
        name = sight.state.where.vm
        self._before = self._copy if self._copy is not None and self._copy[0] == name else None
        small = sight.memory.size() <= COPIED
        self._copy = (name, view.row, sight.memory.read(0, sight.memory.size())) if small else None
        if self.following and (argument := pointed(sight.arguments)) is not None:
            self.at = argument.pointer or 0

    def _show(self) -> None:
        sight, shown = self._sight, self.list
        if sight is None or sight.memory is None:
            self._lines = None
            shown.empty = _EMPTY
            shown.show(NOTHING)
            self.head(note="")
            return
        if self.texts:
            shown.empty = "Reading the memory…"
            shown.show(NOTHING)
            self.run_worker(self._list_texts(sight, sight.memory), exclusive=True, group="texts")
            return
        self._lines = MemoryLines(
            sight.memory,
            shown.room or self.size.width,
            arguments=stretches(sight.arguments),
            selected=self.selected,
            before=self._before[2] if self._before is not None else None,
        )
        self.at = max(0, min(self.at, sight.memory.size() - 1))
        self._lines.cursor = self.at
        shown.show(self._lines)
        shown.go(self.at // self._lines.columns, middle=True)
        self._foot()

    async def _list_texts(self, sight: Sight, memory: Bytes) -> None:
        found = await asyncio.to_thread(lambda: list(texts(memory)))
        if not self.texts or sight is not self._sight:
            return
        self.list.empty = "There is no text in this memory."
        self.list.show(TextLines(found, len(f"{memory.size():x}")), bisect_left(found, (self.at,)))
        more = " (the first)" if len(found) >= MOST_TEXTS else ""
        self.head(note=f"{count(len(found), 'text')}{more}")

    def _foot(self) -> None:
        if self._lines is None or self.texts:
            return
        size = grown(self._size_before, self._lines.memory.size())
        since = f" · Δ since row {self._before[1] + 1:,}" if self._before is not None else ""
        if self._copy is None:
            since = f" · changes are not shown above {COPIED >> 20} MiB"
        self.head(note=f"0x{self.at:x} · {size}{since}")

    def on_resize(self, event: events.Resize) -> None:
        if self._sight is not None:
            self._show()

    # Going about.

    def move(self, at: int) -> None:
        """Put the cursor on an address that is near."""
        lines = self._lines
        if lines is None or self.texts or not 0 <= at < lines.memory.size():
            return
        before, self.at = self.at // lines.columns, at
        lines.cursor = at
        self.list.go(at // lines.columns)
        self.list.redraw((before, at // lines.columns))
        self._foot()

    def goto(self, at: int, selected: Stretch | None = None) -> None:
        """Go to an address that is far, so that one can go back."""
        if self.memory is None or not 0 <= at < self.memory.size():
            return
        if not self.places:
            self.places, self.place = [self.at], 0
        del self.places[self.place + 1 :]
        self.places = [*self.places, at][-_PLACES:]
        self.place = len(self.places) - 1
        self._jump(at, selected)

    def _jump(self, at: int, selected: Stretch | None = None) -> None:
        self.at, self.selected, self.texts = at, selected, False
        self._show()

    def show_bytes(self, at: int, size: int, name: str) -> None:
        self._jump(at, Stretch(at, size, name))

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        lines = self._lines
        if lines is None or self.texts or message.index == self.at // lines.columns:
            return
        self.move(min(message.index * lines.columns + self.at % lines.columns, lines.memory.size() - 1))

    def on_virtual_list_chosen(self) -> None:
        self.do_follow()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the byte that was clicked."""
        lines = self._lines
        if lines is None or self.texts:
            return
        place = event.x - lines.digits - 1
        half = lines.columns // 2
        if lines.columns > 8 and place > half * 3:
            place -= 1
        if 0 <= place < lines.columns * 3:
            row = self.list.scroll_offset.y + event.y
            self.move(min(row * lines.columns + place // 3, lines.memory.size() - 1))

    def do_goto(self) -> None:
        """Ask for an address."""
        sight = self._sight
        if sight is None:
            return

        def answered(text: str) -> str:
            try:
                value = evaluate(text, sight.scope)
            except ExpressionError as error:
                return str(error)
            if isinstance(value, bool) or not isinstance(value, int):
                return "an address is a number, as 0x2f40 or u32(0x10)"
            size = self.memory.size() if self.memory is not None else 0
            if not 0 <= value < size:
                return f"the memory has addresses from 0 to 0x{max(0, size - 1):x}"
            self.goto(value)
            return ""

        self.post_message(
            Question(self.id or "", "Go to address", answered, hint='0x2f40 · u32(0x10) · find("text")')
        )

    def do_find(self) -> None:
        """Ask what to look for."""

        def answered(text: str) -> str:
            self.looked_for = wanted(text)
            return self._find(back=False)

        self.post_message(Question(self.id or "", "Find", answered, hint='text · "0x as text" · 0x61 62'))

    def _find(self, *, back: bool) -> str:
        if self.memory is None or not self.looked_for:
            return "there is nothing to look for yet"
        found = find(self.memory, self.looked_for, self.at, back=back)
        if found is None:
            return "it is nowhere in this memory"
        self.goto(found, Stretch(found, len(self.looked_for), "found"))
        return ""

    def do_next(self) -> None:
        """Go to the next place of what was looked for."""
        self._tell(self._find(back=False))

    def do_previous(self) -> None:
        """Go to the place before."""
        self._tell(self._find(back=True))

    def _tell(self, wrong: str) -> None:
        if wrong:
            self.post_message(Say(f"{wrong[0].upper()}{wrong[1:]}."))

    def do_follow(self) -> None:
        """Go to the address under the cursor; from a text, to its bytes."""
        if self.texts and isinstance(self.list.lines, TextLines) and self.list.lines.found:
            found = self.list.lines.found[self.list.cursor]
            self.goto(found.at, Stretch(found.at, len(found.data), "text"))
            return
        target = pointer(self.memory, self.at) if self.memory is not None else None
        if target is None:
            self._tell("the four bytes here are no address of this memory")
        else:
            self.goto(target)

    def do_back(self) -> None:
        """Go back to where one looked before."""
        self._along(-1)

    def do_forward(self) -> None:
        """Go forward again."""
        self._along(1)

    def _along(self, step: int) -> None:
        if 0 <= self.place + step < len(self.places):
            self.place += step
            self._jump(self.places[self.place])
        else:
            self._tell("there is no address " + ("before this one" if step < 0 else "after this one"))

    def do_change(self) -> None:
        """Go to the next bytes that have changed."""
        if self.memory is None or self._before is None:
            self._tell("nothing is known of an earlier stop: take a step first")
            return
        found = next_different(self._before[2], self.memory, self.at)
        if found is None:
            self._tell(f"nothing has changed since row {self._before[1] + 1:,}")
        else:
            self.goto(found)

    def do_texts(self) -> None:
        """List texts, or show bytes again."""
        self.texts = not self.texts
        self._show()

    def do_arguments(self) -> None:
        """Follow the arguments of the call, or stay."""
        self.following = not self.following
        self._tell(
            "the memory follows the call's arguments" if self.following else "the memory stays where it is"
        )
