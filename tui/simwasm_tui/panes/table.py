"""Which panes there are, and where each has its place. Their modules are imported when they are first seen."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simwasm_tui.panes.pane import Pane


class Entry(NamedTuple):
    """A pane: its id, its title, where its class is and the slots it goes to, the first that has a place."""

    id: str
    title: str
    place: str
    slots: tuple[str, ...]


PANES = (
    Entry("streams", "Streams", "streams:Streams", ("left",)),
    Entry("breakpoints", "Breakpoints", "breakpoints:BreakpointList", ("left_low",)),
    Entry("trace", "ABI trace", "trace:Trace", ("centre",)),
    Entry("inspector", "Inspect", "inspector:Inspector", ("right", "strip")),
    Entry("memory", "Memory", "memory:Memory", ("strip",)),
    Entry("source", "Source", "source:Source", ("beside", "strip")),
    Entry("wasm", "Wasm", "wasm:Wasm", ("strip",)),
    Entry("stack", "Stack", "stack:Stack", ("strip",)),
    Entry("log", "Log", "log:Log", ("strip",)),
    Entry("problems", "Problems", "problems:Problems", ("strip",)),
    Entry("eval", "Eval", "evaluate:Evaluate", ("strip",)),
)

KEYS = {"left": "1", "centre": "2", "right": "3", "strip": "4"}
"""The key that focuses a slot."""

BY_ID = {entry.id: entry for entry in PANES}


def load(entry: Entry) -> type[Pane]:
    """The class of a pane."""
    module, _, name = entry.place.partition(":")
    found: type[Pane] = getattr(import_module(f"simwasm_tui.panes.{module}"), name)
    return found
