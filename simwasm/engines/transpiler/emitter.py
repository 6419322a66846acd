"""One function on its way to Python: the operands that wait, and the lines that are written.

A line is kept as `@offset`, a new line, and the text; inside of parentheses an expression may hold such a break too.
`split` turns them into source and a list of offsets.

Rules that live here: what waits is written down, in order, before something happens that it must not move past; an
operand that has to wait in a variable does so in the one of its height (`s0`, `s1`, …), so wherever two ways meet
operands are in the same variables; in the steppable variant every operand waits there (`watched.py`).
"""

from __future__ import annotations

from array import array

from simwasm.engines.transpiler.entries import (
    ATOM,
    CALL,
    CONSTANT,
    FILTER,
    IMPURE,
    LINE,
    LONGEST,
    MASK32,
    MASK64,
    SLOT,
    TRAP,
    TRUTH,
    WIDE,
    Entry,
    slot,
    value,
)
from simwasm.engines.transpiler.facts import Facts
from simwasm.errors import BadModule
from simwasm.wasm.module import ValType

DEEPEST = 200
"""From how many operands on that wait at once those below are written down, not looked at again and again."""
MANY = 8
"""More operands than these are weighed when they are moved at once."""
MOST_MOVED = 200_000
"""How many of those a function may move: each takes Python's compiler a kilobyte, and a call may have thousands."""

_SMALL = (1 << 30) - 1
"""What Python compares quickest: a number of one digit."""
_NEAR = 1 << 16
"""A counter or pointer goes up by less than this, and is seldom large."""

_TOP = {ValType.I32: MASK32, ValType.I64: MASK64}


class Emitter:
    """The operand stack, the lines, and the names that the code refers to."""

    __slots__ = (
        "assigned", "floor", "facts", "free", "indent", "lines", "memory", "offset", "stack", "steppable",
        "_landmarks", "_moved",
    )  # fmt: skip

    def __init__(self, locals: tuple[ValType, ...], steppable: bool, memory: int) -> None:
        self.stack: list[Entry] = []
        self.lines: list[str] = []
        self.floor = 0
        """How many operands wait below the block at hand, in variables."""
        self.indent = "  "
        self.offset = 0
        self.free: set[str] = {"d", "h"} if steppable else set()
        """What the code reads that is not its own."""
        self.assigned: set[str] = set()
        """What of that it assigns."""
        self.memory = memory
        """How many bytes the memory may have at most."""
        self.facts = Facts([_operand(index, kind) for index, kind in enumerate(locals)], steppable)
        self.steppable = steppable
        self._landmarks: list[tuple[int, Entry]] = []
        """Heights below which all is in variables as long as this very operand is the last one there."""
        self._moved = 0

    def line(self, text: str) -> None:
        """Write a line for the instruction at hand."""
        self.lines.append(f"@{self.offset}\n{self.indent}{text}")

    def hook(self) -> None:
        """Write a call of the hook, if there is one, for the instruction at hand."""
        self.line(f"if d: h({self.offset})")

    def give_back(self, entry: Entry) -> None:
        """Write `return value`."""
        text, flags, low, high = entry
        if flags & LINE and low >= 0 and high <= (MASK64 if flags & WIDE else MASK32):
            offset, text = text[2:-1].split("\n", 1)
            self.lines.append(f"@{offset}\n{self.indent}return {text}")
        else:
            self.line(f"return {value(entry)}")

    def push(self, text: str, flags: int, low: int, high: int) -> None:
        """Let an expression wait, unless it is too long."""
        self.stack.append((text, flags, low, high))
        if len(text) > LONGEST:
            self.put(len(self.stack) - 1)

    def assign(self, name: str, entry: Entry) -> None:
        """Write `name = value`; what is seldom too large is masked when it is."""
        text, flags, low, high = entry
        top = MASK64 if flags & WIDE else MASK32
        if (high > top or low < 0) and low >= -top and high <= 2 * top and not flags & TRUTH:
            self.line(f"{name} = {text}")
            if high <= top:
                self.line(f"if {name} < 0: {name} += {top + 1}")
                return
            least = _SMALL if top == MASK32 and high - top <= _NEAR and low <= _SMALL else top
            test = f"not 0 <= {name} <= {least}" if low < 0 else f"{name} > {least}"
            self.line(f"if {test}: {name} &= {top}")
            return
        if flags & LINE and low >= 0 and high <= (MASK64 if flags & WIDE else MASK32):
            offset, expression = text[2:-1].split("\n", 1)
            self.lines.append(f"@{offset}\n{self.indent}{name} = {expression}")
        else:
            self.lines.append(f"@{self.offset}\n{self.indent}{name} = {value(entry)}")

    def spill(self, index: int) -> None:
        """Write down the operand at that height."""
        entry = self.stack[index]
        name = slot(index)
        if entry[0] != name:
            self.assign(name, entry)
            self.stack[index] = _any(name, entry) if self.facts.off else _waiting(name, entry)

    def put(self, index: int) -> None:
        """Write down the operand at that height, after what reads the variable it will be in."""
        for at in range(self.first(), index):
            if self.stack[at][1] & SLOT:
                self.spill(at)
        self.spill(index)

    def flush(self, constants: bool = False) -> None:
        """Write down all that waits, constants only if asked for."""
        for index in range(self.first(), len(self.stack)):
            if constants or not self.stack[index][1] & CONSTANT:
                self.spill(index)

    def flush_new(self) -> None:
        """Write down what waits on top of what is in variables already."""
        index = len(self.stack)
        while index and self.stack[index - 1][0] != slot(index - 1):
            index -= 1
        for at in range(index, len(self.stack)):
            self.spill(at)
        if index and index == len(self.stack):
            entry = self.stack[-1]
            name, flags, low, high = entry
            if low < 0 or high > (MASK64 if flags & WIDE else MASK32):
                self.assign(name, entry)
            self.stack[-1] = _any(name, entry)

    def first(self) -> int:
        """The height from which on operands may not be in variables; there are not too many from there on."""
        stack, floor = self.stack, self.floor
        if len(stack) - floor <= DEEPEST:
            return floor
        landmarks, height = self._landmarks, floor
        while landmarks:
            height, last = landmarks[-1]
            if height <= len(stack) and stack[height - 1] is last:
                break
            landmarks.pop()
            height = floor
        height = max(height, floor)
        if len(stack) - height > DEEPEST:
            start, height = height, len(stack) - DEEPEST // 2
            for index in range(start, height):
                self.spill(index)
            name, flags, low, high = stack[height - 1]
            last = stack[height - 1] = name, flags, low, high  # a new one, found nowhere else
            landmarks.append((height, last))
        return height

    def weigh(self, count: int) -> None:
        """Refuse code that moves many operands too often."""
        if count > MANY:
            self._moved += count
        if self._moved > MOST_MOVED:
            raise BadModule(
                f"a function moves more than {MOST_MOVED:,} operands: the engine python takes no more, the others do"
                " (--engine)",
                section="code",
                offset=self.offset,
            )

    def before(self, flags: int) -> None:
        """Write down what must not move past something that is described by flags."""
        first = self.floor if len(self.stack) - self.floor <= DEEPEST else self.first()
        for entry in self.stack[first:]:
            if entry[1] & flags:
                break
        else:
            return
        flags |= TRAP | CALL | SLOT
        for index in range(first, len(self.stack)):
            if self.stack[index][1] & flags:
                self.spill(index)

    def discard(self, entry: Entry) -> None:
        """Let happen what an operand does that nobody wants."""
        text, flags, *_ = entry
        if flags & CALL:
            self.before(IMPURE)
        if flags & LINE:
            offset, text = text[2:-1].split("\n", 1)
            self.lines.append(f"@{offset}\n{self.indent}{text}")
        elif flags & (TRAP | CALL):
            self.line(text)

    def set_local(self, index: int, entry: Entry) -> None:
        """Write an assignment to a local, after what waits and reads it."""
        if self.stack:
            self.before(1 << index % FILTER | (IMPURE if entry[1] & CALL else entry[1] & TRAP))
        name = f"l{index}"
        if entry[0] != name:
            self.assign(name, entry)
            self.facts.assigned(index, entry)

    def settle(self, height: int, count: int) -> None:
        """Let the topmost operands be in the variables from that height on."""
        entries = self.stack[len(self.stack) - count :] if count else []
        moves = [
            (slot(height + at), entry) for at, entry in enumerate(entries) if entry[0] != slot(height + at)
        ]
        if len(moves) == 1:
            self.assign(*moves[0])
        elif moves:
            self.weigh(count)
            names = ", ".join(name for name, _ in moves)
            self.line(f"{names} = {', '.join(value(entry) for _, entry in moves)}")

    def results(self, height: int, types: tuple[ValType, ...]) -> None:
        """The stack where ways have met: operands of these types wait from that height on."""
        del self.stack[height:]
        for at, kind in enumerate(types, height):
            self.stack.append((slot(at), ATOM | SLOT | (kind is ValType.I64 and WIDE), 0, _TOP.get(kind, 0)))


def _operand(index: int, kind: ValType) -> Entry:
    """A local of which nothing is known."""
    wide = WIDE if kind is ValType.I64 else 0
    return f"l{index}", ATOM | 1 << index % FILTER | wide, 0, _TOP.get(kind, 0)


def _waiting(name: str, entry: Entry) -> Entry:
    flags, low, high = entry[1], entry[2], entry[3]
    if flags & TRUTH:
        return name, ATOM | SLOT, 0, 1
    top = MASK64 if flags & WIDE else MASK32
    if low < 0 or high > top:
        low, high = 0, top
    return name, ATOM | SLOT | flags & WIDE, low, high


def _any(name: str, entry: Entry) -> Entry:
    """The variable of an operand that may be changed by who watches: only its type is known."""
    flags, low, high = entry[1], entry[2], entry[3]
    if low or high or flags & (CONSTANT | TRUTH):
        return name, ATOM | SLOT | flags & WIDE, 0, MASK64 if flags & WIDE else MASK32
    return name, ATOM | SLOT, 0, 0


def split(lines: list[str], head: list[str]) -> tuple[str, array[int]]:
    """The source of these lines after those of the head, and the offset of each by its number, from 1."""
    found = [line.split("\n", 1) for line in "".join(lines).split("@")[1:]]
    offsets = array("I", bytes(4 * (len(head) + 1)))
    offsets.extend([int(offset) for offset, _ in found])
    return "\n".join([*head, *[text for _, text in found], ""]), offsets
