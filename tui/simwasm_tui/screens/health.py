"""Health: what runs the plugin, what it needs that is not there, and how much of its debug information is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simwasm.abi.table import host_functions
from simwasm.debug.debugger import Debugger
from simwasm.debug.stop import Stop
from simwasm.errors import SimwasmError
from simwasm.plugin import Plugin
from simwasm.wasm.debuginfo import DebugInfo, DebugKind, inspect_debug_info
from simwasm.wasm.module import Kind
from simwasm_tui.commands import Command
from simwasm_tui.screens.listing import Listing
from simwasm_tui.text import Line, clean, count
from simwasm_tui.widgets.virtual_list import FixedLines

_KIB = 1024
_WIDE = 14
_REMEDIES = {
    DebugKind.NONE: "functions have numbers only: build without strip, or keep the name section",
    DebugKind.NAMES: "no source lines: build with debug info (cargo: debug = true; tinygo: no -no-debug)",
    DebugKind.STALE: "do not run wasm-opt on the build that you debug",
    DebugKind.STRIPPED: "do not run wasm-opt on the build that you debug",
    DebugKind.UNCHECKED: "pip install pyelftools",
    DebugKind.BROKEN: "rebuild the plugin",
}


class Health(Listing[None]):
    """The list."""

    HEADING = "Health"
    ACTIONS = (Command("health.copy", "y", "Copy", "Copy all of it.", short="copy"),)

    def __init__(self, debugger: Debugger) -> None:
        super().__init__()
        self.debugger = debugger

    def fill(self) -> None:
        self.show(FixedLines(report(self.debugger)))

    def do_copy(self) -> None:
        text = "\n".join(self.list.text_of(index) for index in range(len(self.list.lines)))
        self.app.copy_to_clipboard(text)
        self.say("Copied.")


def report(debugger: Debugger) -> Iterator[Line]:
    """The lines of the report."""
    inputs, tape = debugger.inputs, debugger.tape
    yield _told("engine", inputs.engine or "the best that loads (wasmer, else wasmtime)")
    fuel = "without limit" if inputs.fuel is None else f"{inputs.fuel:,} for each call into a plugin"
    yield _told("fuel", fuel)
    yield _told("host", f"{inputs.profile.name}, seed {inputs.profile.seed}")
    whole = "all of the run" if tape.complete else "not to the end: c goes on"
    yield _told("on tape", f"{count(len(tape), 'event')} in {count(len(tape.rows), 'row')}, {whole}")
    yield _told("branches", str(len(debugger.branches)))
    for plugin in inputs.plugins:
        yield ()
        yield ((clean(plugin.name), "heading"),)
        yield from _plugin(debugger, plugin)


def _vm(debugger: Debugger, plugin: Plugin) -> str:
    """The name of the VM that a plugin is in: plugins of one name have VMs of their own."""
    names = (vm.name for vm in debugger.state().vms)
    return next((name for name in names if debugger.inputs.plugin_in(name) is plugin), plugin.name)


def _plugin(debugger: Debugger, plugin: Plugin) -> Iterator[Line]:
    yield _told("sha256", plugin.sha256)
    yield _told("ABI", plugin.abi.value)
    if debugger.alone:
        yield _told("plugin", debugger.alone)
        return
    yield _told("size", f"{len(plugin.wasm):,} bytes")
    yield _told(
        "memory",
        _said(lambda: f"{debugger.memory(_vm(debugger, plugin)).size() // _KIB:,} KiB now", debugger.stop),
    )
    absent = list(missing_imports(plugin))
    yield _told("imports", f"{len(absent)} that the host does not have" if absent else "the host has all of them",
                "bad" if absent else "ok")  # fmt: skip
    for name in absent:
        yield _told("", f"✗ {name}", "bad")
    yield from _debug_info(inspect_debug_info(plugin.module, plugin.beside, plugin.debug))


def missing_imports(plugin: Plugin) -> Iterator[str]:
    """The functions that a plugin imports and the host has not."""
    known = host_functions(plugin.abi)
    for each in plugin.module.imported(Kind.FUNCTION):
        if (each.module, each.name) not in known:
            yield f"{each.module}.{each.name}"


def _debug_info(info: DebugInfo) -> Iterator[Line]:
    score = ""
    if info.sampled:
        score = f": {info.score} %, {info.matching:,} of {info.sampled:,} functions are where it says"
    fine = info.kind in (DebugKind.OK, DebugKind.MAP)
    yield _told("debug info", info.kind.value + score, "ok" if fine else "warn")
    if remedy := _REMEDIES.get(info.kind):
        yield _told("", remedy, "muted")
    if info.file:
        yield _told("debug file", info.file)
    if info.problem:
        yield _told("", info.problem, "warn")
    if info.source_map:
        yield _told("source map", info.source_map)


def _told(name: str, text: str, ink: str = "") -> Line:
    return ((f"{name:<{_WIDE}}", "muted"), (clean(text), ink))


def _said(ask: Callable[[], str], stop: Stop | None) -> str:
    if stop is None:
        return "known when the run stands"
    try:
        return ask()
    except SimwasmError as error:
        return str(error)
