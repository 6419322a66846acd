"""The instructions of a function as lines, the one where a frame stands marked ▶. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from simwasm.wasm.disasm import Line as Instruction
from simwasm_tui.binaries import Binary
from simwasm_tui.text import Line, clean, count

_DEEPEST = 24
_INKS = {"call": "callback", "return": "action", "unreachable": "bad", "br": "accent", "if": "accent",
         "else": "accent", "end": "muted", "block": "accent", "loop": "accent", "local": "", "i32": "number",
         "i64": "number", "f32": "number", "f64": "number"}  # fmt: skip
"""By the first word of an instruction."""


class WasmLines:
    """A function, as lines."""

    def __init__(
        self, instructions: Sequence[Instruction], at: int = -1, marks: Mapping[int, str] | None = None
    ) -> None:
        self.instructions = instructions
        self.at = at
        """The offset of the instruction where the frame stands."""
        self._marks = marks or {}
        self._digits = len(f"{instructions[-1].offset:x}") if instructions else 4

    def __len__(self) -> int:
        return len(self.instructions)

    @property
    def current(self) -> int:
        """The line of the frame's instruction."""
        index = bisect_right([each.offset for each in self.instructions], self.at) - 1
        return max(0, index)

    def line(self, index: int, width: int) -> Line:
        each = self.instructions[index]
        here = each.offset == self.at
        word, _, rest = each.text.partition(" ")
        kind = word.partition(".")[0].partition("_")[0]
        return (
            ("▶" if here else " ", "now"),
            (self._marks.get(each.offset, " "), "mark"),
            (f"{each.offset:0{self._digits}x}  ", "now" if here else "muted"),
            ("  " * min(each.depth, _DEEPEST), ""),
            (word, "now" if here else _INKS.get(kind, "")),
            (f" {rest}" if rest else "", "number"),
            (f"  ;; {clean(each.note)}" if each.note else "", "string" if kind == "call" else "muted"),
        )


def target(instruction: Instruction) -> int | None:
    """The function that an instruction calls."""
    word, _, rest = instruction.text.partition(" ")
    return int(rest) if word in ("call", "return_call") and rest.isdigit() else None


def title(binary: Binary, function: int) -> str:
    """A function in words: `func 436 hostcalls::send (i32 i32 -> i32), 120 instructions`."""
    name = clean(binary.names[function])
    return f"func {function} {name} ({binary.module.function_type(function)})"


def size(instructions: Sequence[Instruction]) -> str:
    """How much there is of a function."""
    return count(len(instructions), "instruction")
