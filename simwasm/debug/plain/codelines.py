"""A plugin's instructions as lines, and what its functions hold, for the line debugger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simwasm.debug.activations import Activation, Variable
from simwasm.debug.code import Code
from simwasm.debug.instant import Instant
from simwasm.trace.text import printable

_LONGEST = 120
"""How much of a name is shown."""


def name(text: str) -> str:
    """What the plugin calls something, on one line and not too long."""
    safe = printable(text.replace("\n", " "))
    return safe if len(safe) <= _LONGEST else f"{safe[:_LONGEST]}…"


def place(where: object) -> str:
    """A line of source, if there is one."""
    return "" if where is None else f"  {name(str(where))}"


def standing(code: Code, instant: Instant, context: int) -> Iterator[tuple[str, bool]]:
    """The instructions around an instant, and whether each is the one that is next."""
    total = f" of {instant.total:,}" if instant.total else ""
    yield (
        f"{name(instant.name)}{place(instant.place)}  · instruction {instant.count:,}{total} of the callback",
        True,
    )
    yield from listing(code, instant.function, instant.offset, context)


def listing(code: Code, function: int, here: int, context: int) -> Iterator[tuple[str, bool]]:
    """The instructions of a function around an offset; with a line of source where it changes."""
    offsets = list(code.instructions(function))
    index = offsets.index(here) if here in offsets else 0
    before = None
    for offset in offsets[max(0, index - context) : index + context + 1]:
        line = code.place(offset)
        told = place(line) if line is not None and line != before else ""
        before = line
        mark = "▶" if offset == here else " "
        yield f"  {mark} 0x{offset:05x}  {code.text(offset)}{'  ;' + told if told else ''}", offset == here


def frame(active: Activation) -> str:
    """An active function, with its arguments."""
    given = ", ".join(value(each) for each in active.arguments)
    why = f"  ({active.why})" if active.why and not active.locals and active.parameters else ""
    return f"{name(active.name)}({given}) at 0x{active.offset:x}{place(active.place)}{why}"


def value(variable: Variable) -> str:
    """A variable with its value, or why it has none."""
    slot = variable.slot
    told = name(slot if variable.name in ("", slot) else f"{variable.name} ({slot})")
    return f"{told}: {name(variable.why)}" if variable.why else f"{told} = {name(variable.text)}"


def values(variables: Sequence[Variable], most: int = 100) -> Iterator[str]:
    """Variables with their types, each on a line."""
    for each in variables[:most]:
        yield f"  {name(each.type)} {value(each)}"
    if len(variables) > most:
        yield f"  … and {len(variables) - most:,} more"
