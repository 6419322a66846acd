"""What both ways of writing control have in common: branches, their operands, returns, fuel, hooks.

Rules that live here: before a branch what may trap or does something is written down, the operands it takes along are
moved to where the target expects them, and then it jumps; how it jumps is the business of `structured.py` and
`segments.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import groupby
from typing import NamedTuple

from simwasm.engines.transpiler.control import (
    BLOCK,
    BR,
    BR_IF,
    BR_TABLE,
    ELSE,
    END,
    IF,
    LOOP,
    RETURN,
    RETURN_CALL,
    RETURN_CALL_INDIRECT,
    UNREACHABLE,
    Block,
    Step,
)
from simwasm.engines.transpiler.emitter import Emitter
from simwasm.engines.transpiler.entries import ATOM, CALL, TRAP, Entry, condition, value
from simwasm.engines.transpiler.rows import Rows, call, taken
from simwasm.wasm.fuel import Dues
from simwasm.wasm.module import FuncType


class Code(NamedTuple):
    """A function's instructions, and their first bytes."""

    pieces: list[bytes]
    opcodes: bytes


class Flow(ABC):
    """Writes the instructions of control of one function."""

    def __init__(self, emitter: Emitter, rows: Rows, type: FuncType, dues: Dues, code: Code) -> None:
        self.e = emitter
        self.rows = rows
        self.type = type
        self.dues = dues
        self.code = code
        self.makes_tail_calls = False
        self.saved: list[list[Entry]] = []
        """The parameters with which the `if`s that are open began."""

    def step(self, step: Step, piece: bytes) -> None:
        """Write one instruction."""
        at, opcode, about, fell = step
        if opcode == END:
            self.end(about, fell)
        elif opcode == BR_IF:
            self.branch_if(about[0])
        elif opcode == BR:
            self.branch(about[0])
        elif opcode in (BLOCK, LOOP, IF):
            self.open(at, opcode, about)
        elif opcode == ELSE:
            self.otherwise(about, fell)
        elif opcode == BR_TABLE:
            self.branch_table(about)
        elif opcode == RETURN:
            self.leave()
        elif opcode == UNREACHABLE:
            self.unreachable()
        elif opcode in (RETURN_CALL, RETURN_CALL_INDIRECT):
            self.tail_call(piece)

    # For those who know how to jump.

    @abstractmethod
    def open(self, at: int, opcode: int, block: Block) -> None:
        """Begin a block."""

    @abstractmethod
    def otherwise(self, block: Block, fell: bool) -> None:
        """Begin what an `if` does otherwise; `fell` says whether its first arm comes to its end."""

    @abstractmethod
    def end(self, block: Block, fell: bool) -> None:
        """End a block; `fell` says whether one comes there without a jump."""

    @abstractmethod
    def jump(self, target: Block) -> None:
        """Go where the target's operands are waited for."""

    # What they share.

    def pay(self, cost: int) -> None:
        """Take fuel, and ask for more if there is none left."""
        e = self.e
        e.line(f"fuel -= {cost}")
        e.line("if fuel < 0: refill()")
        e.free.update(("fuel", "refill"))
        e.assigned.add("fuel")

    def enter(self, block: Block) -> None:
        """Before a block: everything waits where it can be found on every way out of it.

        Constants too, or one that a branch writes down were not there where the branch was not taken.
        """
        e = self.e
        e.weigh(len(block.type.params) + len(block.type.results))
        e.flush(constants=True)
        block.height = len(e.stack) - len(block.type.params)
        block.facts = e.facts.save()
        block.floor, e.floor = e.floor, block.height

    def settle(self, block: Block) -> None:
        """At the end of a block, fallen through: the results are where branches bring theirs."""
        count = len(block.type.results)
        self.settle_below(count)
        self.e.settle(block.height, count)

    def settle_below(self, count: int) -> None:
        """What is dropped by a branch that takes this many operands along may still trap or do something."""
        e = self.e
        for entry in e.stack[e.first() : len(e.stack) - count]:
            if entry[1] & (TRAP | CALL):
                e.before(TRAP | CALL)
                return

    def branch(self, target: Block) -> None:
        """`br`."""
        if target.parent is None:
            self.leave()
            return
        count = len(target.label_types)
        self.settle_below(count)
        self.e.settle(target.height, count)
        self.jump(target)

    def branch_if(self, target: Block) -> None:
        """`br_if`: what the target takes along stays on the stack too."""
        e = self.e
        if target.label_types:
            entry = self._kept()
        else:
            e.before(TRAP | CALL) if len(e.stack) > 1 else None
            entry = e.stack.pop()
        test = e.facts.says(entry)
        e.line(f"if {condition(entry)}:")
        self.within(target)
        e.facts.use(test, holds=False)

    def _kept(self) -> Entry:
        """The condition, everything below it in variables."""
        e = self.e
        e.flush(constants=True)
        return e.stack.pop()

    def within(self, target: Block) -> None:
        """A branch as the body of what was just written."""
        e = self.e
        e.indent += " "
        self.branch(target)
        e.indent = e.indent[:-1]

    def branch_table(self, targets: list[Block]) -> None:
        """`br_table`: a tree of comparisons, equal neighbours taken together."""
        e = self.e
        if targets[-1].label_types:
            entry = self._kept()
        else:
            e.before(TRAP | CALL)
            entry = e.stack.pop()
        distinct = list(dict.fromkeys(targets))
        if len(targets) > 4 * len(distinct) > 4:
            entry = self._numbered(entry, targets, distinct)
            targets = distinct
        bounds: list[tuple[int, Block]] = []
        at = 0
        for target, group in groupby(targets):
            bounds.append((at, target))
            at += len(list(group))
        name = value(entry)
        if len(bounds) > 1 and not name.isalnum():
            e.assign("a", entry)
            name = "a"
        elif len(bounds) == 1:
            e.discard(entry)
        self.choose(name, bounds)

    def _numbered(self, entry: Entry, targets: list[Block], distinct: list[Block]) -> Entry:
        """A number for each distinct target, found in a tuple."""
        e = self.e
        numbers = {target: number for number, target in enumerate(distinct)}
        e.assign("a", entry)
        found = tuple([numbers[target] for target in targets])
        e.line(f"a = {found[:-1]}[a] if a < {len(found) - 1} else {found[-1]}")
        return "a", ATOM, 0, len(distinct) - 1

    def choose(self, name: str, bounds: list[tuple[int, Block]]) -> None:
        """Of branches, each from a number on, the one for the value."""
        e = self.e
        if len(bounds) == 1:
            self.branch(bounds[0][1])
            return
        middle = len(bounds) // 2
        e.line(f"if {name} < {bounds[middle][0]}:")
        e.indent += " "
        self.choose(name, bounds[:middle])
        e.indent = e.indent[:-1]
        e.line("else:")
        e.indent += " "
        self.choose(name, bounds[middle:])
        e.indent = e.indent[:-1]

    def leave(self) -> None:
        """`return`."""
        e = self.e
        count = len(self.type.results)
        self.settle_below(count)
        if count == 1:
            e.give_back(e.stack[-1])
        elif count:
            e.weigh(count)
            e.line(f"return {', '.join(value(entry) for entry in e.stack[-count:])}")
        else:
            e.line("return")

    def unreachable(self) -> None:
        """`unreachable`."""
        e = self.e
        e.before(TRAP | CALL)
        e.free.add("unreachable")
        e.line("unreachable()")

    def tail_call(self, piece: bytes) -> None:
        """`return_call` and `return_call_indirect`."""
        e = self.e
        emit, given = self.rows[piece]
        type: FuncType = given[1]
        e.flush(constants=True)
        name = given[0] if emit is call else f"{given[0]}[{e.stack.pop()[0]}]"
        words = taken(e, len(type.params))
        e.free.update((given[0], "raw", "tail", "trampoline"))
        e.assigned.update(("raw", "tail"))
        self.makes_tail_calls = True
        e.line("if inner:")
        e.indent += " "
        e.line(f"tail = {name}, ({words}{',' if words else ''})")
        if emit is not call:
            e.line("if tail[0] in trapping: tail[0]()")
            e.free.add("trapping")
        e.line("return")
        e.indent = e.indent[:-1]
        e.line(f"return trampoline({name}{', ' if words else ''}{words})")
