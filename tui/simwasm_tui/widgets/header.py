"""The first line: what is being debugged, in which engine, which exchange it is, and whether it stands or runs.

simwasm  auth  abi 0.2.1  wasmer  login.har #3/12                              ■ breakpoint ● 1
"""

from __future__ import annotations

from simwasm.debug.stop import Stop, Why
from simwasm_tui.model import View
from simwasm_tui.text import Line, clean, spread
from simwasm_tui.widgets.line import Drawn

_BAD = (Why.FAILED,)


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
        return (("▶ ", "accent"), (clean(doing), "accent"), (f" · {view.rows:,} rows · p pauses", "muted"))
    return standing(view.stop)


def standing(stop: Stop) -> Line:
    """Why it stands."""
    numbers = " ".join(f"●{number}" for number in stop.breakpoints)
    note = f" · {clean(stop.note)}" if stop.note else ""
    ink = "bad" if stop.why in _BAD else "warn" if stop.why in (Why.BREAKPOINT, Why.COMPUTING) else "strong"
    return (
        ("■ ", ink),
        (stop.why.value, ink),
        (f" {numbers}" if numbers else "", "mark"),
        (note[:60], "muted"),
    )
