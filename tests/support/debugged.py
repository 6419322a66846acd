"""The modules of tests/wasm/debugged, run in the engine python, and what can be read wherever they call the host."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from guest import NOWHERE, imports

from simwasm.engines import find
from simwasm.engines.engine import Activation, Steppable, Word
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.wasm.dwarf.state import State
from simwasm.wasm.dwarf.variables import Found
from simwasm.wasm.encode import section
from simwasm.wasm.lines import Lines, Place
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import Limits, global_export

FOLDER = Path(__file__).parents[1] / "wasm" / "debugged"


class Look(NamedTuple):
    """An active function where the host is called: what the debug information says, and what was read."""

    found: Found
    place: Place | None
    values: dict[str, str]
    """What each variable was; in angle brackets, why that is not known."""


class Stop(NamedTuple):
    """A call of the host: what it was given, and the active functions, innermost first."""

    given: Word
    looks: tuple[Look, ...]


def read(name: str) -> Module:
    """One of the modules."""
    return read_module((FOLDER / name).read_bytes())


def stripped(module: Module, *more: bytes) -> Module:
    """The module without its custom sections, and with others behind it."""
    kept = [section(each.id, module.data[each.start : each.end]) for each in module.sections if each.id]
    return read_module(module.data[:8] + b"".join((*kept, *more)))


def stops(name: str, argument: int, *, hint: bool = False) -> list[Stop]:
    """Run it, and look around at each call of the host; with a hint, without locals, as other engines do."""
    found: list[Stop] = []
    module = read(name)
    lines = Lines(module)

    def pause(value: Word) -> None:
        found.append(
            Stop(value, tuple(look(each, not level) for level, each in enumerate(running.activations())))
        )

    def look(each: Activation, innermost: bool) -> Look:
        pointer = running.get_global(global_export(0))
        assert isinstance(pointer, int)
        state = State(
            each.locals,
            each.stack,
            running.memory.read,
            lambda index: running.get_global(global_export(index)),
        )
        if hint:
            state = State(memory=running.memory.read, pointer=pointer if innermost else None)
        found = lines.variables.at(each.offset)
        values: dict[str, str] = {}
        for variable in found.variables:
            text, reason, *_ = variable.value(state)
            values.setdefault(variable.name, text or f"<{reason}>")
        return Look(found, lines.at(each.offset), values)

    hosts = {item.name: ("i32 -> ", pause) for item in module.imports}
    program = load(find.engine("python"), module.data, Limits(), NOWHERE)
    started = program.start(imports(hosts), Fuel())
    assert isinstance(started, Steppable)
    running: Steppable = started
    running.watch(lambda offset: None)
    running.exports["run"](argument)
    return found
