"""Control as a machine: straight pieces of code, the number of the next one, and a tree of comparisons that finds it.

For functions whose blocks are nested deeper than Python's may be. It takes longer than Python's own statements.

Rules that live here: a segment begins at every place that a branch goes to; it ends with the number of another one in
`pc`; the tree is as deep as the number of segments has bits.
"""

from __future__ import annotations

from simwasm.engines.transpiler.control import BLOCK, ELSE, END, IF, LOOP, Block, Plan
from simwasm.engines.transpiler.entries import condition
from simwasm.engines.transpiler.facts import NOTHING
from simwasm.engines.transpiler.flow import Flow


class Segments(Flow):
    """Writes control as jumps between segments."""

    segments: list[list[str]]

    def begin(self, plan: Plan) -> None:
        """Number the segments in the order of the code, and begin the first."""
        number = 0
        self.elses: dict[Block, int] = {}
        for _, opcode, about, _ in plan.steps:
            if opcode == LOOP and about.targeted:
                number += 1
                about.head = number
            elif opcode == ELSE:
                number += 1
                self.elses[about] = number
            elif (
                opcode == END
                and about.kind != LOOP
                and about.parent is not None
                and (about.targeted or about.kind == IF)
            ):
                number += 1
                about.head = number
        self.before = self.e.lines
        self.segments = []
        self.e.indent += " " * (number.bit_length() + 1)
        self._next()

    def _next(self) -> None:
        """Begin a segment."""
        self.e.facts.restore(NOTHING)
        self.e.lines = []
        self.segments.append(self.e.lines)

    def _fall(self, number: int) -> None:
        self.e.line(f"pc = {number}")

    def open(self, at: int, opcode: int, block: Block) -> None:
        """`block`, `loop` and `if`."""
        e = self.e
        if opcode == BLOCK and not block.targeted:
            return
        entry = test = None
        if opcode == IF:
            if block.type.params:
                e.flush(constants=True)
            entry = e.stack.pop()
            test = e.facts.says(entry)
        self.enter(block)
        if opcode == LOOP:
            if block.targeted:
                self._fall(block.head)
                self._next()
            if e.steppable:
                e.hook()
            self.pay(self.dues.loops[at])
        elif entry is not None:
            e.line(f"if not ({condition(entry)}):")
            e.indent += " "
            e.line(f"pc = {self.elses.get(block, block.head)}")
            e.line("continue")
            e.indent = e.indent[:-1]
            self.saved.append(e.stack[block.height :])
            e.facts.use(test, holds=True)

    def otherwise(self, block: Block, fell: bool) -> None:
        """`else`."""
        if fell:
            self.settle(block)
            self._fall(block.head)
        self.e.stack[block.height :] = self.saved[-1]
        self._next()

    def end(self, block: Block, fell: bool) -> None:
        """`end`."""
        e = self.e
        if block.parent is None:
            if fell:
                self.leave()
            return
        if block.kind == IF:
            self.saved.pop()
        if block.kind == BLOCK and not block.targeted:
            return
        if fell:
            self.settle(block)
        if block.kind != LOOP:
            if fell:
                self._fall(block.head)
            self._next()
        e.floor = block.floor
        e.results(block.height, block.type.results)

    def jump(self, target: Block) -> None:
        """Say which segment comes next."""
        self.e.line(f"pc = {target.head}")
        self.e.line("continue")

    def finish(self) -> None:
        """Put the segments into their tree."""
        e = self.e
        e.lines = self.before
        e.indent = "  "
        e.line("pc = 0")
        e.line("while True:")
        e.indent += " "
        self._tree(0, len(self.segments))

    def _tree(self, low: int, high: int) -> None:
        e = self.e
        if high - low == 1:
            e.lines += self.segments[low]
            if not self.segments[low]:
                e.line("pass")
            return
        middle = (low + high) // 2
        e.line(f"if pc < {middle}:")
        e.indent += " "
        self._tree(low, middle)
        e.indent = e.indent[:-1]
        e.line("else:")
        e.indent += " "
        self._tree(middle, high)
        e.indent = e.indent[:-1]
