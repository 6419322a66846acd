"""A function as nested expressions, the way the text format folds instructions.

    0x1a9 (if (i32.eqz (local.get 0))
    0x1a9   (then
    0x1b0     (call 12 (i32.const 1024) (i32.const 5))))

Rules that live here: it assembles to the same instructions; what an operator takes is folded into it if that is just
what the instructions before it left, else they stand in lines of their own and the operator says only its name;
blocks are lines of their own and never operands, so no nesting of the plugin's is one here; an expression is no
deeper than `_DEEPEST`, and one that is too long for a line has a line for each operand; notes are block comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simwasm.wasm.arity import LEAVING, Arities, Arity
from simwasm.wasm.decode import Immediates
from simwasm.wasm.disasm import Line, Listing
from simwasm.wasm.opcodes import Immediate, Opcode

_DEEPEST = 24
_WIDTH = 88
_WAITING = 1000
"""As many values wait to be taken; a plugin of any sense has a dozen."""


class _Expression(NamedTuple):
    """What is folded: its lines, their depth counted from its own, how many values it gives, how deep it is."""

    lines: tuple[Line, ...]
    gives: int
    deep: int


class _Block(NamedTuple):
    """An open block, and how many values a branch to it takes."""

    kind: str
    label: int


def fold(listing: Listing, function: int) -> Iterator[Line]:
    """The code of a function of the module's own, by its index among all functions, without its last `end`."""
    last: Line | None = None
    for line in _Folding(listing, function).lines():
        if isinstance(line, Line):
            if last is not None:
                yield last
            last = line
        elif last is not None:
            last = last._replace(text=last.text + line)
    if last is not None:
        yield last


class _Folding:
    """One function while it is folded: what waits for its operator, and the open blocks."""

    def __init__(self, listing: Listing, function: int) -> None:
        self._instructions = zip(listing.lines(function), listing.decoded(function), strict=True)
        self._arities = Arities(listing.module)
        self._blocks = [_Block("function", self._arities.function(function).gives)]
        self._waiting: list[_Expression] = []
        self._depth = 0

    def lines(self) -> Iterator[Line | str]:
        """The lines; a text is what to put at the end of the line before it."""
        for line, (opcode, immediates) in self._instructions:
            if opcode.immediate is Immediate.BLOCK:
                yield from self._begin(line, opcode.name, self._arities.block(immediates[0]))
            elif opcode.name == "else":
                yield from self._flush()
                yield ")"
                yield Line(line.offset, self._depth - 1, "(else")
            elif opcode.name == "end":
                yield from self._flush()
                yield from self._end()
            else:
                arity = self._arity(opcode, immediates)
                operands = self._operands(arity.takes)
                if operands is None:
                    yield from self._flush()
                self._waiting.append(_folded(line, operands or [], arity.gives))
                if not arity.gives or len(self._waiting) > _WAITING:
                    yield from self._flush()
        yield from self._flush()

    def _begin(self, line: Line, kind: str, arity: Arity) -> Iterator[Line | str]:
        condition = self._operands(1) if kind == "if" else []
        yield from self._flush()
        *before, last = _folded(line, condition or [], 0).lines
        for each in (*before, last._replace(text=last.text[:-1])):  # it is closed by its `end`
            yield each._replace(depth=each.depth + self._depth)
        self._blocks.append(_Block(kind, arity.takes if kind == "loop" else arity.gives))
        self._depth += 1
        if kind == "if":
            yield Line(line.offset, self._depth, "(then")
            self._depth += 1

    def _end(self) -> Iterator[str]:
        if len(self._blocks) > 1:
            kind = self._blocks.pop().kind
            self._depth -= 2 if kind == "if" else 1
            yield "))" if kind == "if" else ")"

    def _arity(self, opcode: Opcode, immediates: Immediates) -> Arity:
        """What an instruction takes and gives, branches what their label wants."""
        takes, gives = self._arities.of(opcode, immediates)
        if opcode.name == "return":
            takes = self._blocks[0].label
        elif opcode.immediate in (Immediate.LABEL, Immediate.LABELS):
            label = immediates[-1]
            wanted = self._blocks[-1 - label].label if label < len(self._blocks) else 0
            takes, gives = takes + wanted, wanted
        return Arity(takes, 0 if opcode.name in LEAVING else gives)

    def _operands(self, takes: int) -> list[_Expression] | None:
        """The last expressions that wait, if they give as much as is taken; else they stay."""
        first = len(self._waiting)
        while takes > 0 and first:
            first -= 1
            takes -= self._waiting[first].gives
        if takes or any(each.deep >= _DEEPEST for each in self._waiting[first:]):
            return None
        found = self._waiting[first:]
        del self._waiting[first:]
        return found

    def _flush(self) -> Iterator[Line]:
        """Write what waits: nobody will take it."""
        for expression in self._waiting:
            for line in expression.lines:
                yield line._replace(depth=line.depth + self._depth)
        self._waiting.clear()


def _folded(line: Line, operands: list[_Expression], gives: int) -> _Expression:
    """An operator and what it takes."""
    head = f"({line.text} (;{line.note};)" if line.note else f"({line.text}"
    deep = max((each.deep for each in operands), default=0) + 1
    short = " ".join([head, *(each.lines[0].text for each in operands)]) + ")"
    if len(short) <= _WIDTH and all(len(each.lines) == 1 for each in operands):
        return _Expression((Line(line.offset, 0, short, "", line.targets),), gives, deep)
    lines = [Line(line.offset, 0, head, "", line.targets)]
    lines += [inner._replace(depth=inner.depth + 1) for each in operands for inner in each.lines]
    lines[-1] = lines[-1]._replace(text=lines[-1].text + ")")
    return _Expression(tuple(lines), gives, deep)
