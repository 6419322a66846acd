"""Who wrote this: every header, body, property, shared value and metric at this stop, and beside it who made it so.

Each entry leads to its call. The stories come from the tape (`debug/writers.py`), in a thread: a metric's story is the
whole run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static
from textual.worker import get_current_worker

from simwasm.abi.enums import BufferType, MapType
from simwasm.debug import writers
from simwasm.debug.state import State
from simwasm.debug.tape import Tape
from simwasm.debug.writers import Write
from simwasm.exchange import Headers
from simwasm.trace.text import value_text
from simwasm_tui.commands import Command
from simwasm_tui.rowline import short
from simwasm_tui.screens.listing import Made
from simwasm_tui.screens.modal import Modal
from simwasm_tui.text import Line, clean, fit
from simwasm_tui.widgets.virtual_list import VirtualList

_MAPS = {
    MapType.HTTP_REQUEST_HEADERS: "request",
    MapType.HTTP_REQUEST_TRAILERS: "request trailer",
    MapType.HTTP_RESPONSE_HEADERS: "response",
    MapType.HTTP_RESPONSE_TRAILERS: "response trailer",
}

_MARKS = {"~": "changed", "+": "added", "-": "removed", " ": ""}
_BODIES = {BufferType.HTTP_REQUEST_BODY: "request", BufferType.HTTP_RESPONSE_BODY: "response"}


class Thing(NamedTuple):
    """Something that was written."""

    kind: str
    name: str
    value: str | None
    """None if it is not there any more."""
    story: Callable[[Tape, int], tuple[Write, ...]]
    mark: str = " "
    """~ changed, + new, - gone, since the exchange began."""


def things(state: State, tape: Tape) -> Iterator[Thing]:
    """What there is at a stop."""
    yield from _headers(state, tape)
    for body in state.bodies:
        if body.kind in _BODIES:
            side = _BODIES[body.kind]
            text = f"{len(body.data):,} bytes"
            yield Thing(f"{side} body", "", text, partial(_body, body.kind))
    for each in state.properties:
        if each.own:
            yield Thing("property", each.name, value_text(each.raw), partial(_property, each.name))
    for kept in state.shared:
        yield Thing("shared", kept.key, value_text(kept.value), partial(_shared, kept.key))
    for metric in state.metrics:
        yield Thing("metric", metric.name, f"{metric.value:,}", partial(_metric, metric.name))


def _headers(state: State, tape: Tape) -> Iterator[Thing]:
    span = writers.exchange_at(tape, state.position)
    for map in state.maps:
        if map.kind not in _MAPS:
            continue
        now = _joined(map.entries)
        gone = (
            _gone(tape, span.first, state.position, map.kind, now) if span is not None and map.there else []
        )
        then = _first(tape, span.first, state.position, map.kind) if span is not None else now
        for name in (*now, *gone):
            mark = "-" if name not in now else "+" if name not in then else "~"
            mark = " " if then.get(name) == now.get(name) else mark
            yield Thing(_MAPS[map.kind], name, now.get(name), partial(_header, map.kind, name), mark)


def _first(tape: Tape, first: int, last: int, map: MapType) -> dict[str, str]:
    """A map of an exchange as it was seen first."""
    for _, maps in tape.seen.between(first, last):
        if map in dict(maps):
            return _joined(dict(maps)[map])
    return {}


def _joined(entries: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in entries:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _gone(tape: Tape, first: int, last: int, map: MapType, now: dict[str, str]) -> list[str]:
    """The headers of an exchange that were there once."""
    found: dict[str, None] = {}
    for _, maps in tape.seen.between(first, last):
        found.update((name, None) for name, _ in dict(maps).get(map, ()) if name not in now)
    return list(found)


def _header(map: MapType, name: str, tape: Tape, position: int) -> tuple[Write, ...]:
    return writers.header(tape, position, map, name)


def _body(kind: BufferType, tape: Tape, position: int) -> tuple[Write, ...]:
    return writers.body(tape, position, kind)


def _property(name: str, tape: Tape, position: int) -> tuple[Write, ...]:
    return writers.property(tape, position, name)


def _shared(key: str, tape: Tape, position: int) -> tuple[Write, ...]:
    return writers.shared(tape, position, key)


def _metric(name: str, tape: Tape, position: int) -> tuple[Write, ...]:
    return writers.metric(tape, position, name)


class Writers(Modal[int]):
    """Both lists; the answer is the position to go to."""

    ACTIONS = (
        Command("writers.go", "enter", "Go there", "Go to the call that wrote it.", short="its writers, go there"),
        Command("writers.other", "tab", "Other list", "Go to the other list.", short="other list"),
    )  # fmt: skip
    DEFAULT_CSS = """
    Writers > #box { max-width: 130; height: 80%; }
    Writers Horizontal { height: 1fr; }
    Writers #things { width: 45%; margin-right: 2; }
    Writers Horizontal Vertical { width: 1fr; }
    Writers #of { height: 1; text-style: bold; }
    Writers #writes { height: 1fr; }
    """

    def __init__(self, tape: Tape, position: int, found: tuple[Thing, ...], name: str = "") -> None:
        super().__init__()
        self.tape = tape
        self.position = position
        self.things = tuple(sorted(found, key=lambda thing: thing.mark == " "))
        found = self.things
        self.first = next((at for at, thing in enumerate(found) if name and thing.name == name.lower()), 0)
        self.writes: tuple[Write, ...] = ()

    def heading(self) -> str:
        return f"Who wrote this, up to row {self.tape.rows.at(self.position) + 1:,}"

    def content(self) -> ComposeResult:
        with Horizontal():
            yield VirtualList(id="things", empty="Nothing is there yet: take a step into an exchange.")
            with Vertical():
                yield Static("", id="of", markup=False)
                yield VirtualList(id="writes", empty="")

    def on_mount(self) -> None:
        listed = self.query_one("#things", VirtualList)
        listed.show(Made(self.things, _thing_line), self.first)
        listed.focus()
        self._tell()

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        if message.list.id == "things":
            self._tell()

    def _tell(self) -> None:
        cursor = self.query_one("#things", VirtualList).cursor
        if self.things:
            thing = self.things[cursor]
            self.query_one("#of", Static).update(clean(f"◂ {thing.kind} {thing.name} was written by"))
            self._ask(thing)

    @work(thread=True, exclusive=True, group="writers", exit_on_error=False)
    def _ask(self, thing: Thing) -> None:
        worker = get_current_worker()
        found = thing.story(self.tape, self.position)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._told, found)

    def _told(self, found: tuple[Write, ...]) -> None:
        self.writes = found
        listed = self.query_one("#writes", VirtualList)
        listed.empty = "No call of a plugin wrote it, and it was not seen to change."
        listed.show(Made(found, self._write_line), 0)

    def _write_line(self, write: Write, width: int) -> Line:
        number = f"{write.row + 1:>6,} " if write.row >= 0 else "       "
        change = _change(write)
        by: Line = ((number, "muted"), (f"{clean(write.by)} ", "strong"))
        call: Line = ((clean(short(write.call.partition("(")[0])) + " ", "call"),) if write.call else ()
        return fit((*by, *call, *change), width)

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        if message.list.id == "things":
            if self.writes:
                self.query_one("#writes", VirtualList).focus()
        else:
            self.dismiss(self.writes[message.index].position)

    def do_go(self) -> None:
        """Done by the lists."""

    def do_other(self) -> None:
        self.focus_next()


def _thing_line(thing: Thing, width: int) -> Line:
    value = "(gone)" if thing.value is None else thing.value
    return fit(
        (
            (f"{thing.mark} ", _MARKS[thing.mark]),
            (f"{thing.kind:<9} ", "muted"),
            (clean(thing.name) + " " if thing.name else "", "strong"),
            (clean(value[:200]), "removed" if thing.value is None else "string"),
        ),
        width,
    )


def _change(write: Write) -> Line:
    """What was there, and what is there now."""
    new = ("- removed", "removed") if write.new is None else (value_text(write.new), "added")
    if write.old is None or write.old == write.new:
        return (new,)
    return ((value_text(write.old, 40), "removed"), (" → ", "muted"), new)
