"""The exchanges of the run, what became of each, and the callbacks of the one where the run stands.

  start
▸ #1 GET /health                  200
▾ #2 POST /login                  403 !
    request_headers
  ▶ request_body              pause
"""

from __future__ import annotations

from enum import IntEnum

from textual.app import ComposeResult

from simwasm.conversation import Conversation
from simwasm.debug.tape import Span, Tape
from simwasm.trace.event import Left, Trapped
from simwasm_tui.messages import Go
from simwasm_tui.model import View
from simwasm_tui.panes.pane import Pane
from simwasm_tui.phases import callbacks, rows_of
from simwasm_tui.rowline import short, vm_name
from simwasm_tui.text import Line, Piece, clean, spread
from simwasm_tui.widgets.virtual_list import VirtualList


class StreamLines:
    """The start, all exchanges, and the callbacks of one of them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._tape = view.tape
        self._open = -1 if view.span is None else view.span.index
        first, last = self._range(self._open)
        self._callbacks = list(callbacks(self._tape, first, last)) if last >= first else []

    def __len__(self) -> int:
        return 1 + self._view.spans + len(self._callbacks) if self._view.rows else 0

    @property
    def current(self) -> int:
        """The line of the callback in which the run stands, otherwise of its exchange."""
        here = self._view.row
        inside = [i for i, (first, last) in enumerate(self._callbacks) if first <= here <= last]
        return self._open + 2 + inside[-1] if inside else self._open + 1

    def position(self, index: int) -> int:
        """Where a line leads; 0 for nowhere."""
        rows = self._tape.rows
        callback = index - self._open - 2
        if 0 <= callback < len(self._callbacks):
            return rows.position(self._callbacks[callback][0])
        first, _ = self._range(self._span_of(index))
        return rows.position(first) if first < len(rows) else 0

    def line(self, index: int, width: int) -> Line:
        callback = index - self._open - 2
        if 0 <= callback < len(self._callbacks):
            return self._callback(*self._callbacks[callback], width)
        which = self._span_of(index)
        sign = "▾ " if which == self._open else "▸ "
        if which < 0:
            return ((sign, "muted"), ("start", "strong" if self._open < 0 else ""))
        span = self._tape.spans[which]
        label = (
            (f"#{which + 1} ", "muted"),
            (clean(span.exchange.label), "strong" if which == self._open else ""),
        )
        return spread(((sign, "muted"), *label), status(span), width)

    def _span_of(self, index: int) -> int:
        """The exchange of a line; -1 for the start."""
        which = index - 1
        return which - len(self._callbacks) if which > self._open else which

    def _range(self, which: int) -> tuple[int, int]:
        tape, rows = self._tape, self._view.rows
        if which < 0:
            return 0, (tape.rows.at(tape.spans[0].first - 1) if self._view.spans else rows - 1)
        return rows_of(tape, tape.spans[which], rows)

    def _callback(self, first: int, last: int, width: int) -> Line:
        row = self._tape.rows[first]
        here = self._view.row
        sign: Piece = ("▶", "now") if first <= here <= last else (" ", "")
        ink = "future" if first > here else "callback"
        left: Line = (
            ("  ", ""),
            sign,
            (" ", ""),
            (short(row.entered.function.name).removeprefix("on_"), ink),
        )
        right = _result(self._tape, row.position, first > here)
        if len(self._view.inputs.plugins) > 1:
            right = ((clean(vm_name(row.entered.vm, width // 3)), "muted"), (" ", ""), *right)
        return spread(left, right, width)


def status(span: Span) -> Line:
    """What became of an exchange: its status, `!` if somebody else answered, `✗` if it was cut off, `?` if a trace does
    not tell."""
    outcome = span.outcome
    if outcome is None:
        return (("…", "muted"),)
    if outcome.waiting:
        return (("hung", "bad"), (" ✗", "bad"))
    if isinstance(span.exchange, Conversation):
        return (("closed", "ok"), ("  ", ""))
    if outcome.reset:
        return (("reset", "bad"), (" ✗", "bad"))
    if outcome.status is None:
        return (("?", "muted"), ("  ", ""))
    ink = "ok" if outcome.status < 400 else "warn" if outcome.status < 500 else "bad"
    return ((str(outcome.status), ink), (" !" if outcome.local_reply else "  ", "warn"))


def _result(tape: Tape, position: int, later: bool) -> Line:
    end = tape.end_of(position)
    event = tape.at(end) if end else None
    if isinstance(event, Trapped):
        return (("✗  ", "bad"),)
    if not isinstance(event, Left) or event.result is None:
        return ()
    if not isinstance(event.result, IntEnum) or not event.result:
        return ()
    return ((f"{event.result.name.lower()}  ", "future" if later else "action"),)


class Streams(Pane):
    """The exchanges."""

    HELP = (
        "Every recorded exchange, with the status its client got: ! if the plugin or the proxy answered in the "
        "upstream's place, ✗ if it was cut off or trapped. The exchange where the run stands is open: its callbacks, "
        "and what each returned. Enter goes to where an exchange or a callback begins."
    )

    def compose(self) -> ComposeResult:
        yield VirtualList(empty="No traffic yet.\n\nGive recorded traffic on the\ncommand line, a .har say.")

    def draw(self, view: View, before: View | None) -> None:
        if (
            before is not None
            and view.stop is None
            and (view.spans, view.last) == (before.spans, before.last)
        ):
            return
        lines = StreamLines(view)
        self.query_one(VirtualList).show(lines, lines.current if view.stop is not None else None)
        self.head(note=f"{view.spans:,}" if view.spans > 1 else "")

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        lines = message.list.lines
        assert isinstance(lines, StreamLines)
        if position := lines.position(message.index):
            self.post_message(Go(position))
