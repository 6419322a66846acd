"""Bytes of the memory through time, and by hand: who wrote them, stopping when they are written, other bytes.

Where steps are calls, who wrote is a row of the trace; in smaller steps it is the instruction itself.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from simwasm.abi.table import ALLOCATORS, Side
from simwasm.debug.byte_writers import MemoryWrite
from simwasm.debug.tape import Tape
from simwasm.errors import SimwasmError
from simwasm.trace.query.syntax import QueryError
from simwasm_tui.messages import Changed, Complain, Go, Question, Say, WriteBytes
from simwasm_tui.panes.memory_lines import MemoryLines, Stretch
from simwasm_tui.panes.memory_reading import wanted
from simwasm_tui.panes.pane import Pane
from simwasm_tui.rowline import short
from simwasm_tui.text import clean, count

if TYPE_CHECKING:
    from simwasm_tui.sight import Bytes


def writer(tape: Tape, position: int) -> tuple[str, int]:
    """Who wrote what was found changed at a position, and where to look: never inside the allocator."""
    entered, opened = tape.entered(position), tape.opening(position)
    if entered.function.name in ALLOCATORS and (around := tape.around(opened)):
        position, opened, entered, ended = around, around, tape.entered(around), True
    else:
        ended = position != opened
    name, row = short(entered.function.name), tape.rows.at(position) + 1
    if entered.function.side is Side.HOST and ended:
        return f"the host, in {name} (row {row:,})", position
    return f"the plugin, {'in' if ended else 'before'} {name} (row {row:,})", position


class Time(Pane):
    """The commands; mixed into the memory."""

    at: int
    selected: Stretch | None
    following: bool
    _lines: MemoryLines | None

    if TYPE_CHECKING:

        @property
        def memory(self) -> Bytes | None: ...

        def _tell(self, wrong: str) -> None: ...

    @property
    def chosen(self) -> Stretch:
        """The bytes that are meant: those chosen, or of an argument, or the four under the cursor."""
        lines = self._lines
        every = ((self.selected,) if self.selected else ()) + (lines.arguments if lines is not None else ())
        inside = (each for each in every if each.at <= self.at < each.at + each.size)
        return next(inside, Stretch(self.at, 4, f"0x{self.at:x}"))

    def do_writer(self) -> None:
        """Go to where these bytes changed last before now: a row, or the instruction in smaller steps."""
        view = self.view
        if view is not None and view.unit.inside:
            self._instruction()
        else:
            self._changes(back=True)

    def do_writer_after(self) -> None:
        """Go to the next time at which these bytes change."""
        self._changes(back=False)

    # Rows.

    def _changes(self, *, back: bool) -> None:
        view = self.view
        if view is None or view.debugger is None or self.memory is None:
            return
        chosen, here = self.chosen, view.position

        def found(ended: Future[tuple[int, ...]]) -> None:
            error = ended.exception()
            if isinstance(error, SimwasmError):
                self.post_message(Complain(str(error)))
            elif error is None:
                places = [at for at in ended.result() if (at < here if back else at > here)]
                self.app.call_later(
                    self._go_to_change, chosen, places[-1 if back else 0] if places else 0, back
                )

        self._looking(chosen)
        size = min(chosen.size, self.memory.size() - chosen.at)
        view.debugger.changes(chosen.at, size).add_done_callback(found)

    def _looking(self, chosen: Stretch) -> None:
        self.post_message(Say(f"Looking for who wrote {count(chosen.size, 'byte')} at 0x{chosen.at:x}…"))

    def _go_to_change(self, chosen: Stretch, position: int, back: bool) -> None:
        if not position or self.view is None:
            self._tell(
                "nothing changed these bytes before this row: the module's own data, since it was loaded"
                if back
                else "these bytes do not change after this row, as far as it is recorded"
            )
            return
        who, place = writer(self.view.tape, position)
        self._stay(chosen, place)
        self.post_message(Say(f"{count(chosen.size, 'byte')} at 0x{chosen.at:x}: written by {who}."))

    def _stay(self, chosen: Stretch, position: int, ticks: int = 0) -> None:
        """Go to a moment, and look at the same bytes there."""
        self.following = False
        self.at = chosen.at
        self.post_message(Go(position, ticks))

    # Instructions.

    def _instruction(self) -> None:
        """Go to the instruction that wrote last."""
        view = self.view
        if view is None or view.debugger is None or self.memory is None:
            return
        chosen = self.chosen
        size = min(chosen.size, self.memory.size() - chosen.at)

        def found(ended: Future[list[MemoryWrite]]) -> None:
            error = ended.exception()
            if isinstance(error, SimwasmError):
                self.post_message(Complain(str(error)))
            elif error is None and not self.app._exit:
                self.app.call_later(self._go_to_write, chosen, ended.result())

        self._looking(chosen)
        view.debugger.inside.written_by(chosen.at, size, most=1).add_done_callback(found)

    def _go_to_write(self, chosen: Stretch, found: list[MemoryWrite]) -> None:
        if not found:
            self._tell("nothing wrote these bytes up to here: the module's own data, since it was loaded")
            return
        write = found[0]
        self._stay(chosen, write.position, write.instant.ticks if write.instant is not None else 0)
        change = f"{write.old[:8].hex(' ')} → {write.new[:8].hex(' ')}"
        self.post_message(Say(f"0x{chosen.at:x}: {change}, written by {clean(write.by)}."))

    def do_watch(self) -> None:
        """Set a breakpoint on the chosen bytes."""
        view = self.view
        if view is None or view.debugger is None or self.memory is None:
            return
        chosen = self.chosen
        where = f"memory:0x{chosen.at:x}+{chosen.size}"
        try:
            view.debugger.breakpoints.add(where)
        except QueryError as error:
            self._tell(str(error))
            return
        self.post_message(Changed())
        self.post_message(Say(f"It stops when these bytes are written: {where}. c goes there, C goes back."))

    # By hand.

    def do_write(self) -> None:
        """Ask for other bytes in the place of those under the cursor."""
        view, memory, at = self.view, self.memory, self.at
        if view is None or view.debugger is None or memory is None:
            return

        def answered(text: str) -> str:
            data = wanted(text)
            if not data or at + len(data) > memory.size():
                return f"write bytes as 0x61 62, or a text; it has to end before 0x{memory.size():x}"
            self.following = False
            self.post_message(WriteBytes(at, data))
            return ""

        self.post_message(
            Question(self.id or "", f"Write at 0x{at:x}", answered, hint='0x61 62 · text · "0x as text"')
        )
