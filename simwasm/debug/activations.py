"""The functions of a plugin that are active where it stands, with what is in them, as values that stay true.

Rules: what an engine cannot tell, and what debug information leaves out, has a reason in words; names are the plugin's
own and may hold anything, so whoever shows them makes them safe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from simwasm.debug.code import Code
from simwasm.engines.engine import Activation as Raw
from simwasm.engines.engine import Instance, Slot
from simwasm.wasm.module import Kind, ValType

if TYPE_CHECKING:
    from simwasm.wasm.lines import Place

NO_LOCALS = "this engine keeps locals and operands in registers; `--engine python` shows them"


_CALLS = (0x10, 0x11)
"""A function that calls another has set the stack pointer to its frame, which serves where no locals are known."""


class Variable(NamedTuple):
    """Something with a value."""

    slot: str
    """How it is called when it is changed, and in expressions: `l3`, `s0` (from the bottom), `g1`; or its own name."""
    name: str
    """What the plugin's author called it; empty if nothing tells."""
    type: str
    """`i32`, or as the source says."""
    value: Slot
    """Signed; None for a reference, and for what only has a text."""
    text: str
    """The value for people."""
    why: str = ""
    """Why there is no value."""


class Activation(NamedTuple):
    """A function of the plugin that is active."""

    level: int
    """0 is the innermost."""
    function: int
    name: str
    offset: int
    """Of the instruction that is next; in outer functions, of the call."""
    place: Place | None
    parameters: int
    """How many of the locals, the first, are its parameters."""
    locals: tuple[Variable, ...]
    stack: tuple[Variable, ...]
    """The operands, the one on top last."""
    variables: tuple[Variable, ...]
    """Those of the source."""
    inlined: tuple[str, ...]
    """The functions of the source that are inlined there, the innermost first."""
    why: str
    """Why there are no locals, or no variables of the source."""

    @property
    def arguments(self) -> tuple[Variable, ...]:
        """Its parameters, as they are now: a function may change them."""
        return self.locals[: self.parameters]


class Guest(NamedTuple):
    """What values are read from."""

    code: Code
    instance: Instance


def activation(guest: Guest, level: int, raw: Raw, *, source: bool = True) -> Activation:
    """An active function, as an engine tells of it; without the variables of the source it is quick."""
    code = guest.code
    type = code.type(raw.function)
    kinds = code.locals(raw.function)
    names = code.local_names.get(raw.function, {})
    locals = tuple(
        _variable(f"l{index}", names.get(index, ""), kinds[index] if index < len(kinds) else None, value)
        for index, value in enumerate(raw.locals)
    )
    stack = tuple(_variable(f"s{index}", "", None, value) for index, value in enumerate(raw.stack))
    found, inlined, why = _of_source(guest, raw, level) if source else ((), (), "")
    why = NO_LOCALS if kinds and not raw.locals else why
    return Activation(
        level, raw.function, code.name(raw.function), raw.offset, code.place(raw.offset), len(type.params), locals,
        stack, found, inlined, why,
    )  # fmt: skip


def global_variables(guest: Guest) -> tuple[Variable, ...]:
    """The plugin's own globals that can change."""
    module, names = guest.code.module, guest.code.global_names
    first = len(module.imported(Kind.GLOBAL))
    return tuple(
        _variable(
            f"g{index}",
            names.get(index, ""),
            module.globals[index - first].type.type,
            guest.instance.get_global(label),
        )
        for index, label in guest.code.global_exports.items()
    )


def _of_source(guest: Guest, raw: Raw, level: int) -> tuple[tuple[Variable, ...], tuple[str, ...], str]:
    """The variables of the source, what is inlined, and why there are none."""
    from simwasm.wasm.dwarf.state import State

    found = guest.code.lines.variables.at(raw.offset)
    memory = guest.instance.memory

    def read(at: int, size: int) -> bytes | None:
        try:
            return memory.read(at, size)
        except IndexError:
            return None

    def global_of(index: int) -> int | float | bytes | None:
        label = guest.code.global_exports.get(index)
        return None if label is None else guest.instance.get_global(label)

    stack = raw.stack if raw.locals or raw.stack else None
    state = State(
        raw.locals or None, stack, read, global_of, None if level else _pointer(guest, raw, global_of)
    )
    variables = []
    for each in found.variables:
        value = each.value(state)
        variables.append(Variable(each.name, each.name, each.type, None, value.text, value.reason))
    return tuple(variables), tuple(each.name for each in found.inlined), found.reason


def _pointer(guest: Guest, raw: Raw, global_of: Callable[[int], Slot]) -> int | None:
    """Where the innermost function has its variables in memory, if it is calling another."""
    if guest.code.module.data[raw.offset] not in _CALLS:
        return None
    names = guest.code.global_names.items()
    found = global_of(next((index for index, name in names if name == "__stack_pointer"), 0))
    return found if isinstance(found, int) else None


def _variable(slot: str, name: str, kind: ValType | None, value: Slot) -> Variable:
    return Variable(
        slot, name, kind.value if kind is not None else _guessed(value), value, shown(value, kind)
    )


def _guessed(value: Slot) -> str:
    """What kind an operand may be; the engine does not say."""
    if isinstance(value, bytes):
        return "v128"
    return "ref" if value is None else "float" if isinstance(value, float) else "int"


def shown(value: Slot, kind: ValType | None = None) -> str:
    """A word for people: numbers as they are and in hex, vectors as bytes."""
    if value is None:
        return "a reference"
    if isinstance(value, bytes):
        return value.hex(" ", 4)
    if isinstance(value, float):
        return repr(value)
    wide = kind is ValType.I64 or not -(1 << 31) <= value < 1 << 32
    bits = value & (0xFFFF_FFFF_FFFF_FFFF if wide else 0xFFFF_FFFF)
    return str(value) if 0 <= value < 10 else f"{value} (0x{bits:x})"
