"""The lines of the call stack: the plugin's frames, innermost first, among the calls of the ABI they belong to.

    ▶ proxy_get_property                        host call, row 24
      hostcalls::get_property      +0x177cf     hostcalls.rs:715
      on_http_request_headers      +0x6028      lib.rs:45
    ← proxy_on_request_headers                  callback, row 21

At an instruction frames have their arguments, and below the one that is chosen stands what it holds. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simwasm.abi.table import Side
from simwasm.debug.activations import Variable
from simwasm.debug.tape import Tape
from simwasm_tui.binaries import Spot
from simwasm_tui.interior import OPERAND, Held, Interior, Key
from simwasm_tui.rowline import call
from simwasm_tui.text import Line, clean, spread

_ARGUMENTS = 8
_LONG = 200


class Inner(NamedTuple):
    """What is known inside of a callback, and the values of the stop before."""

    interior: Interior
    before: Mapping[Key, str]


class Level(NamedTuple):
    """A line: a call of the ABI at a position, a frame of the plugin, something that it holds, or a sentence."""

    position: int = 0
    frame: int = -1
    held: Held | None = None
    first: bool = False
    """Of its kind."""
    text: str = ""


def levels(tape: Tape, position: int, spots: Sequence[Spot], *, instant: bool = False) -> tuple[Level, ...]:
    """The calls around a position and the frames of the innermost callback, innermost first."""
    calls = list(reversed(tape.calls_at(position))) if position else []
    found: list[Level] = []
    frames = [Level(frame=index) for index in range(len(spots))]
    for at in calls:
        if tape.entered(at).function.side is Side.PLUGIN and frames:
            found += frames
            frames = []
        over = instant and frames and tape.entered(at).function.side is Side.HOST
        if not over:
            found.append(Level(at))
    return (*found, *frames)


def holdings(interior: Interior, level: int) -> list[Level]:
    """What a function holds, one line each."""
    found: list[Level] = []
    kind = ""
    for held in interior.held(level):
        found.append(Level(held=held, first=held.kind != kind))
        kind = held.kind
    why = interior.activations[level].why if level < len(interior.activations) else ""
    return [*found, *([Level(text=why)] if why else [])]


class StackLines:
    """The call stack, as lines."""

    def __init__(
        self, tape: Tape, position: int, spots: Sequence[Spot], chosen: int, inner: Inner | None = None
    ) -> None:
        self.levels = levels(tape, position, spots, instant=inner is not None)
        if inner is not None:
            behind = self.levels.index(Level(frame=chosen)) + 1
            held = holdings(inner.interior, chosen)
            self.levels = (*self.levels[:behind], *held, *self.levels[behind:])
        self._tape = tape
        self._position = position
        self._spots = spots
        self._chosen = chosen
        self._inner = inner

    def __len__(self) -> int:
        return len(self.levels)

    def line(self, index: int, width: int) -> Line:
        level = self.levels[index]
        if level.held is not None:
            return self._held(level.held, level.first)
        if level.text:
            return (("        ", ""), (clean(level.text), "reason"))
        return self._call(level.position, index, width) if level.position else self._frame(level.frame, width)

    def _call(self, position: int, index: int, width: int) -> Line:
        row = self._tape.rows[self._tape.rows.at(position)]
        callback = row.entered.function.side is Side.PLUGIN
        sign = "▶" if index == 0 else " "
        left: Line = ((f"{sign} ", "now"), ("← " if callback else "", "callback"), *call(row))
        kind = "callback" if callback else "host call"
        return spread(left, ((f"{kind} · row {row.index + 1:,} ", "muted"),), width)

    def _frame(self, index: int, width: int) -> Line:
        spot = self._spots[index]
        name = clean(spot.frame.name or f"func[{spot.frame.function}]")
        sign = "▶ " if self._inner is not None and index == 0 else "  "
        left: Line = (
            (sign + "  " + ("› " if index == self._chosen else "  "), "now"),
            (name, "strong" if index == self._chosen else ""),
            *self._arguments(index),
            (f"  +0x{spot.frame.offset:x}", "muted"),
        )
        place = spot.place
        right: Line = ((clean(f"{place.file.rpartition('/')[2]}:{place.line} "), "string"),) if place else ()
        return spread(left, right, width)

    def _arguments(self, index: int) -> Line:
        active = self._inner.interior.activations if self._inner is not None else ()
        if index >= len(active) or not active[index].parameters:
            return ()
        given = active[index].arguments
        told = ", ".join(_brief(each) for each in given[:_ARGUMENTS]) or "…"
        more = ", …" if len(given) > _ARGUMENTS else ""
        return (("(", "muted"), (told + more, "number"), (")", "muted"))

    def _held(self, held: Held, first: bool) -> Line:
        variable, text = held.variable, held.variable.text
        named = variable.name if variable.name != variable.slot else ""
        before = self._inner.before.get(held.key) if self._inner is not None else None
        known = bool(self._inner.before) if self._inner is not None else False
        sign = "+" if before is None and known and held.kind == OPERAND else " "
        sign = "~" if before is not None and before != text else sign
        return (
            ("      ", ""),
            (f"{held.kind if first else '':<8}", "muted"),
            (f"{sign} ", "changed"),
            (f"{clean(variable.slot):<4} ", "strong"),
            (f"{clean(named)} " if named else "", "callback"),
            (f"{_cut(variable.type)} ", "muted"),
            *((("– " + _cut(variable.why), "reason"),) if variable.why else ((f"= {_cut(text)}", "number"),)),
        )


def _brief(variable: Variable) -> str:
    """An argument: its name if it has one, and its value without the hex."""
    value = _cut(variable.text).partition(" (0x")[0] if not variable.why else "?"
    return f"{clean(variable.name)}={value}" if variable.name else value


def _cut(text: str) -> str:
    safe = clean(text)
    return safe if len(safe) <= _LONG else f"{safe[:_LONG]}…"
