"""Control as Python's own: `while True`, `if`, `break` and `continue`.

A block that is left by a branch is a `while True` that runs once; in bytecode that costs nothing. A branch out of several of them
says where it goes in `b`, and after each there is a test that goes on.

Rules that live here: `b` is False unless such a branch is on its way; to leave a block, any loop of Python's does that
ends where the block ends.
"""

from __future__ import annotations

from simwasm.engines.transpiler.control import BLOCK, IF, LOOP, Block
from simwasm.engines.transpiler.entries import condition
from simwasm.engines.transpiler.flow import Flow
from simwasm.engines.transpiler.induction import enter_loop

_DIVERGING = ("break", "continue")


class Structured(Flow):
    """Writes control with Python's statements."""

    loops: list[Block]
    """The loops of Python's that are open."""
    far = False
    """Whether a branch goes further than the next loop."""

    def begin(self) -> None:
        """Nothing is open."""
        self.loops = []

    def open(self, at: int, opcode: int, block: Block) -> None:
        """`block`, `loop` and `if`."""
        e = self.e
        entry = None
        if opcode == IF:
            if block.type.params:
                e.flush(constants=True)
            entry = e.stack.pop()
        elif opcode == BLOCK and not block.whiled and not block.targeted:
            block.height = len(e.stack) - len(block.type.params)
            return
            block.test = e.facts.says(entry)
        self.enter(block)
        if block.whiled:
            e.line("while True:")
            e.indent += " "
            self.loops.append(block)
        if opcode == LOOP:
            if block.targeted:
                enter_loop(e.facts, *self.code, block.start, block.end, block.back)
            if e.steppable:
                e.hook()
            self.pay(self.dues.loops[at])
        elif entry is not None:
            e.line(f"if {condition(entry)}:")
            e.indent += " "
            self.saved.append(e.stack.copy())
            block.head = len(e.lines)
            e.facts.use(block.test, holds=True)

    def otherwise(self, block: Block, fell: bool) -> None:
        """`else`."""
        e = self.e
        if fell:
            self.settle(block)
        self._nothing(block)
        e.stack[:] = self.saved[-1]
        e.indent = e.indent[:-1]
        e.line("else:")
        e.indent += " "
        block.head = len(e.lines)
        e.facts.restore(block.facts)
        e.facts.use(block.test, holds=False)

    def _nothing(self, block: Block) -> None:
        """An arm without a line has a `pass`."""
        if len(self.e.lines) == block.head:
            self.e.line("pass")

    def end(self, block: Block, fell: bool) -> None:
        """`end`."""
        e = self.e
        if block.parent is None:
            if fell and self.type.results:
                self.leave()
            return
        if block.kind == BLOCK and not block.whiled and not block.targeted:
            return
        if fell:
            self.settle(block)
        if block.kind == IF:
            self._nothing(block)
            self.saved.pop()
            e.indent = e.indent[:-1]
            e.facts.restore(block.facts)
            if not fell and block.another < 0 and not block.targeted:
                e.facts.use(block.test, holds=False)
        if block.whiled:
            self._close(block)
        if block.kind == BLOCK:
            e.facts.restore(block.facts)
        e.results(block.height, block.type.results)

    def _close(self, block: Block) -> None:
        """End a loop of Python's, and go on with branches that only pass."""
        e = self.e
        last = e.lines[-1].partition("\n")[2]
        if last[: len(e.indent)] != e.indent or last[len(e.indent) :] not in _DIVERGING:
            e.line("break")
        e.indent = e.indent[:-1]
        self.loops.pop()
        if not block.escapes:
            return
        outer = self.loops[-1]
        mine = sorted(code for code in block.escapes if code >> 1 == outer.number)
        others = block.escapes.difference(mine)
        outer.escapes |= others
        e.line("if b:")
        e.indent += " "
        for code in mine:
            word = "continue" if code & 1 else "break"
            if len(block.escapes) > 1:
                e.line(f"if b == {code}:")
                e.indent += " "
            e.line("b = False")
            e.line(word)
            if len(block.escapes) > 1:
                e.indent = e.indent[:-1]
        if others:
            e.line("break")
        e.indent = e.indent[:-1]

    def branch(self, target: Block) -> None:
        """`br`, which is a `return` if it goes to where the function ends."""
        if target.kind != LOOP and target.after.parent is None:
            self.leave()
        else:
            super().branch(target)

    def jump(self, target: Block) -> None:
        """Leave or begin again the loop of Python's that is meant."""
        again = target.kind == LOOP
        for at in range(len(self.loops) - 1, -1, -1):
            loop = self.loops[at]
            if loop is target if again else loop.after is target.after:
                break
        if at == len(self.loops) - 1:
            self.e.line("continue" if again else "break")
            return
        code = loop.number << 1 | again
        for passed in self.loops[at + 1 :]:
            passed.escapes.add(code)
        self.far = True
        self.e.line(f"b = {code}")
        self.e.line("break")
