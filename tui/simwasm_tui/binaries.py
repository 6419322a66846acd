"""What is known of the plugins' code, found out once and kept: call stacks, names, instructions and lines.

Rule: a call stack costs that the plugin's call is left and repeated, so one is asked for only where a call stands, and
once; reading lines of source takes long enough to belong into another thread.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import NamedTuple
from weakref import WeakKeyDictionary

from simwasm.abi.table import Side
from simwasm.debug.stop import Stop, Why
from simwasm.debug.tape import Tape
from simwasm.errors import Frame
from simwasm.plugin import Plugin
from simwasm.sources import Remap
from simwasm.trace.event import Entered, Trapped
from simwasm.wasm.debuginfo import DebugInfo, inspect_debug_info
from simwasm.wasm.disasm import Line, disassemble
from simwasm.wasm.lines import Place
from simwasm.wasm.module import Kind, Module
from simwasm.wasm.names import function_names
from simwasm_tui import interior
from simwasm_tui.interior import Interior
from simwasm_tui.model import View

_KEPT = 64


class Spot(NamedTuple):
    """A frame of the call stack, and the line of source where it is."""

    frame: Frame
    place: Place | None = None


class Binary:
    """The code of one plugin."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self.name = plugin.name
        self.module: Module = plugin.module
        self.names: tuple[str, ...] = function_names(self.module)
        self.imported = len(self.module.imported(Kind.FUNCTION))
        self.lines = plugin.lines
        self._listings: dict[int, tuple[Line, ...]] = {}
        self._health: DebugInfo | None = None

    def listing(self, function: int) -> tuple[Line, ...]:
        """The instructions of a function; none of one that is imported."""
        if not self.imported <= function < len(self.names):
            return ()
        found = self._listings.get(function)
        if found is None:
            found = tuple(disassemble(self.module, function))
            if len(self._listings) >= _KEPT:
                self._listings.pop(next(iter(self._listings)))
            self._listings[function] = found
        return found

    def exported(self, name: str) -> Frame | None:
        """Where an exported function begins."""
        for export in self.module.exports:
            if export.kind is Kind.FUNCTION and export.name == name and export.index >= self.imported:
                return self.start(export.index)
        return None

    def start(self, function: int) -> Frame:
        """Where a function begins."""
        return Frame(function, self.names[function], self.module.bodies[function - self.imported].code)

    def end(self, function: int) -> Frame:
        """Where a function ends: its last instruction."""
        return Frame(function, self.names[function], self.module.bodies[function - self.imported].end - 1)

    def health(self) -> DebugInfo:
        """What debug information there is. It takes a while to find out."""
        if self._health is None:
            self._health = inspect_debug_info(self.module, self.plugin.beside, self.plugin.debug)
        return self._health

    def spots(self, frames: tuple[Frame, ...]) -> tuple[Spot, ...]:
        """Frames with their lines. It takes a while to find out."""
        return tuple(Spot(frame, self.lines.at(frame.offset)) for frame in frames)


class Binaries:
    """The code of all plugins, and the call stacks that were asked for."""

    def __init__(self) -> None:
        self.remaps: tuple[Remap, ...] = ()
        """Where source files are found, as the user said."""
        self._binaries: dict[str, Binary] = {}
        self._interior: tuple[Stop, Future[Interior]] | None = None
        self._stacks: WeakKeyDictionary[Tape, dict[int, Future[tuple[Frame, ...]]]] = WeakKeyDictionary()

    def of(self, view: View, vm: str = "") -> Binary | None:
        """The code of a plugin; of the one whose call this is, if none is named."""
        name = vm or acting(view)
        plugin = view.inputs.plugin_in(name)
        if plugin is None:
            return None
        found = self._binaries.get(plugin.sha256)
        if found is None:
            found = self._binaries[plugin.sha256] = Binary(plugin)
        return found

    def known(self, view: View) -> tuple[Frame, ...]:
        """The call stack as far as the tape tells it: that of a trap, or the callback's function."""
        if not view.position:
            return ()
        if view.instant is not None:
            return (Frame(view.instant.function, view.instant.name, view.instant.offset),)
        event = view.tape.at(view.position)
        if isinstance(event, Trapped):
            return event.trap.frames
        binary = self.of(view)
        calls = [view.tape.entered(at) for at in view.tape.calls_at(view.position)]
        name = next((call.function.name for call in reversed(calls) if call.function.side is Side.PLUGIN), "")
        frame = binary.exported(name) if binary is not None else None
        if binary is None or frame is None:
            return ()
        returned = not isinstance(event, Entered) and view.tape.is_callback(view.tape.opening(view.position))
        return (binary.end(frame.function) if returned else frame,)

    def stack(self, view: View) -> Future[tuple[Frame, ...]] | None:
        """The plugin's call stack where the run stands; None where there is nothing to ask for."""
        stop, debugger = view.stop, view.debugger
        if stop is None or debugger is None or stop.instant is not None or not _inside(view):
            return None
        asked = self._stacks.setdefault(view.tape, {})
        found = asked.get(stop.position)
        if found is None or (found.done() and found.exception() is not None):
            found = debugger.stack()
            if stop.why is not Why.COMPUTING:
                asked[stop.position] = found
        return found

    def interior(self, view: View) -> Future[Interior] | None:
        """What the plugin's functions hold at the instant where the run stands; None where it stands at none."""
        stop = view.stop
        if stop is None or stop.instant is None or view.debugger is None:
            return None
        if self._interior is None or self._interior[0] is not stop:
            self._interior = stop, interior.ask(view.debugger)
        return self._interior[1]


def acting(view: View) -> str:
    """The plugin whose call this is; the first of the chain where nothing is called."""
    if view.instant is not None:
        return view.instant.vm
    if view.position:
        return view.tape.entered(view.position).vm
    return view.inputs.plugins[0].name if view.inputs.plugins else ""


def _inside(view: View) -> bool:
    """Whether the plugin is in the middle of a call of its own."""
    if view.stop is not None and view.stop.why is Why.COMPUTING:
        return True
    event = view.tape.at(view.position) if view.position else None
    return isinstance(event, Entered) and event.function.side is Side.HOST
