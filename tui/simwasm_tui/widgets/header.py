"""The first line: what is being debugged, in which engine, which exchange it is, and whether it stands or runs.

simwasm  auth  abi 0.2.1  wasmer  login.har #3/12                              ■ breakpoint ● 1
"""

from __future__ import annotations

from simwasm.debug.instant import Instant
from simwasm.debug.stop import Stop, Why
from simwasm.debug.unit import Unit
from simwasm.trace.rows import Kind
from simwasm_tui.model import View
from simwasm_tui.text import Line, clean, count, spread
from simwasm_tui.widgets.line import Drawn

_LONG = 60
_FRONT = 16
_PLAIN = (Why.ENTRY, Why.STEP, Why.GOTO)
"""Nothing but where it stands is worth telling."""
_KINDS = {
    Kind.CALLBACK: "callback begins",
    Kind.HOST_CALL: "before host call",
    Kind.RETURN: "callback returned",
    Kind.TRAP: "trapped",
}


_UNITS = {Unit.LINE: "line", Unit.INSTRUCTION: "instruction"}
"""How far one step goes, where it is not a call."""
_NAME = 28


class Header(Drawn):
    """The first line."""

    DEFAULT_CSS = "Header { height: 1; dock: top; }"

    def __init__(self) -> None:
        super().__init__(id="header")
        self.view: View | None = None

    def take(self, view: View) -> None:
        """Show a view."""
        self.view = view
        self.refresh()

    def made(self, y: int, width: int) -> Line:
        return header(self.view, width)


def header(view: View | None, width: int) -> Line:
    """The line for a view."""
    name: Line = ((" simwasm ", "heading"), (" ", ""))
    if view is None:
        return name
    return spread((*name, *_what(view)), (*state(view), (" ", "")), width)


def _what(view: View) -> Line:
    plugins = view.inputs.plugins
    names = " + ".join(plugin.name for plugin in plugins)
    abis = " + ".join(dict.fromkeys(plugin.abi.value for plugin in plugins))
    engine = view.inputs.engine or ""
    span = view.span
    place = f"#{span.index + 1}/{max(view.spans, len(view.inputs.exchanges))}" if span else ""
    branch = f"  branch {clean(view.branch)}" if view.branch else ""
    return (
        *(((f"by {_UNITS[view.unit]}  ", "accent"),) if view.unit in _UNITS else ()),
        (clean(names), "strong"),
        (f"  abi {abis}" if abis else "", "muted"),
        (f"  {engine}" if engine else "", "muted"),
        (f"  {clean(view.title)}" if view.title else "", ""),
        (f" {place}" if place else "", "strong"),
        (branch, "accent"),
    )


def state(view: View) -> Line:
    """Whether it stands, and why, or what it does."""
    if view.stop is None:
        doing = view.busy or "running"
        return (
            ("▶ ", "accent"),
            (clean(doing), "accent"),
            (f" · {count(view.rows, 'row')} · p pauses", "muted"),
        )
    if view.stop.instant is not None:
        return amid(view.stop, view.stop.instant)
    return standing(view.stop, _where(view))


def amid(stop: Stop, instant: Instant) -> Line:
    """Where it stands inside of a callback: which of its instructions, in which function, on which line."""
    numbers = " ".join(f"●{number}" for number in stop.breakpoints)
    total = f" of {instant.total:,}" if instant.total else ""
    name = clean(instant.name)
    name = name if len(name) <= _NAME else f"…{name[1 - _NAME :]}"
    place = f" {clean(instant.place.file.rpartition('/')[2])}:{instant.place.line}" if instant.place else ""
    why = "" if stop.why in _PLAIN else f"{stop.why.value} "
    return (
        ("■ ", "warn" if why else "strong"),
        (why, "warn"),
        (f"{numbers} " if numbers else "", "mark"),
        (f"ins {instant.count:,}{total}", "strong"),
        (f" · {name}", "callback"),
        (place, "string"),
    )


def standing(stop: Stop, where: str = "") -> Line:
    """Why it stands, and where."""
    numbers = " ".join(f"●{number}" for number in stop.breakpoints)
    note = f" · {clean(stop.note)}" if stop.note else ""
    ink = (
        "bad"
        if stop.why is Why.FAILED
        else "warn"
        if stop.why in (Why.BREAKPOINT, Why.COMPUTING)
        else "strong"
    )
    words = where if stop.why in _PLAIN and where else stop.why.value
    more = f" · {where}" if stop.why is Why.BREAKPOINT and where else ""
    return (
        ("■ ", ink),
        (words, ink),
        (f" {numbers}" if numbers else "", "mark"),
        (_shortened(more + note), "muted"),
    )


def _shortened(text: str) -> str:
    """A long text without its middle: who it is about stands in front, and what happened at the end."""
    return text if len(text) <= _LONG else f"{text[:_FRONT]}…{text[_FRONT + 1 - _LONG :]}"


def _where(view: View) -> str:
    """What is on the row it stands on."""
    return _KINDS[view.tape.rows[view.row].kind] if 0 <= view.row < view.rows else ""
