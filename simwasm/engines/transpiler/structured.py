"""Control as Python's own: `while True`, `if`, `break` and `continue`.

A block that is left by a branch is a `while True` that runs once; in bytecode that costs nothing. A branch out of
several of them says where it goes in `b`, and after each there is a test that goes on.

Rules that live here: `b` is False unless such a branch is on its way; to leave a block, any loop of Python's does that
ends where the block ends.
"""

from __future__ import annotations

from simwasm.engines.transpiler.chains import MOST_BEYOND, Chain
from simwasm.engines.transpiler.control import BLOCK, IF, LOOP, Block
from simwasm.engines.transpiler.entries import CALL, TRAP, Entry, condition, value
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
            block.test = e.facts.says(entry)
        elif opcode == BLOCK and not block.whiled and not block.targeted and block.chain is None:
            block.height = len(e.stack) - len(block.type.params)
            return
        self.enter(block)
        if block.whiled or (block.chain is not None and block.chain.headed and block is block.chain.inner):
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
            self.saved.append(e.stack[block.height :])
            block.head = len(e.lines)
            e.facts.use(block.test, holds=True)

    def otherwise(self, block: Block, fell: bool) -> None:
        """`else`."""
        e = self.e
        if fell:
            self.settle(block)
        self._nothing(block)
        e.stack[block.height :] = self.saved[-1]
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
        if block.chain is not None:
            self._end_in_chain(block.chain, block, fell)
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
        e.floor = block.floor
        e.results(block.height, block.type.results)

    def _end_in_chain(self, chain: Chain, block: Block, fell: bool) -> None:
        """`end` of a block of a chain: the head or a segment ends here, the next one begins."""
        e = self.e
        number = chain.number(block)
        if fell:
            self.settle_below(0)
            e.line(f"{chain.name} = {number}")
            if number > 1:
                e.line("continue")
        if number == 1:
            if chain.headed:
                self._close(block)
            chain.plant()
            chain.in_head = False
            e.line("while True:")
            self.loops.append(chain.outer)
            chain.indent = e.indent + " "
        if number == chain.last:
            self._finish(chain)
        else:
            self._segment(chain, number)
        e.facts.restore(block.facts)
        e.floor = block.floor
        e.results(block.height, ())

    def _segment(self, chain: Chain, number: int) -> None:
        """Begin a segment: the comparisons that lead to it."""
        e = self.e
        lines, depth = chain.tree[number]
        for at, text in lines:
            e.indent = chain.indent + " " * at
            e.line(text)
        e.indent = chain.indent + " " * depth
        if number < chain.last and not chain.blocks[chain.last - number].live_end:
            e.line("break")

    def _finish(self, chain: Chain) -> None:
        """The segments that leave, and the end of the loop."""
        e = self.e
        self._segment(chain, chain.last)
        e.line("break")
        for at, target in enumerate(chain.beyond, chain.last + 1):
            self._segment(chain, at)
            self.branch(target)
        e.indent = chain.indent
        self._close(chain.outer)

    def branch_table(self, targets: list[Block]) -> None:
        """`br_table`: in the head of a chain a table of segments."""
        chain = next(
            (target.chain for target in targets if target.chain is not None and target.chain.in_head), None
        )
        if chain is None or (self.loops and self.loops[-1].number > chain.inner.number):
            super().branch_table(targets)
            return
        numbers: list[int] = []
        beyond: dict[Block, int] = {}
        for target in targets:
            if target.chain is chain:
                numbers.append(chain.number(target))
            else:
                numbers.append(beyond.setdefault(target, chain.last + 1 + len(chain.beyond) + len(beyond)))
        if any(target.label_types for target in targets) or len(chain.beyond) + len(beyond) > MOST_BEYOND:
            super().branch_table(targets)
            return
        chain.beyond += beyond
        e = self.e
        e.before(TRAP | CALL)
        entry = e.stack.pop()
        self._look_up(chain, entry, numbers)
        if chain.headed:
            e.line("break")

    def _look_up(self, chain: Chain, entry: Entry, numbers: list[int]) -> None:
        """Find the segment for a number, the last one being for all that are too large."""
        e, count = self.e, len(numbers) - 1
        text = value(entry)
        if not text.isalnum():
            e.assign("a", entry)
            text = "a"
        start = numbers[0]
        if numbers[:-1] == list(range(start, start + count)):
            found = f"{text} + {start}"
        else:
            found = f"{tuple(numbers[:-1])}[{text}]"
        bounded = entry[2] >= 0 and entry[3] < count
        e.line(
            f"{chain.name} = {found}"
            if bounded
            else f"{chain.name} = {found} if {text} < {count} else {numbers[-1]}"
        )

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

    def _through(self, chain: Chain, target: Block) -> bool:
        """Say where to go on in a chain; whether that is found by its loop from the start."""
        if chain.in_head:
            self.e.line(f"{chain.name} = {chain.number(target)}")
            return False
        if target is chain.outer:
            return False
        self.e.line(f"{chain.name} = {chain.number(target)}")
        return True

    def jump(self, target: Block) -> None:
        """Leave or begin again the loop of Python's that is meant."""
        again = target.kind == LOOP
        chain = target.chain
        if chain is not None and chain.in_head and not chain.headed:
            self._through(chain, target)
            return
        for at in range(len(self.loops) - 1, -1, -1):
            loop = self.loops[at]
            if loop.chain is not None and (loop.chain is chain or loop.chain.in_head):
                if chain is not None and loop.chain is chain:
                    again = self._through(chain, target)
                    break
            elif loop is target if again else loop.after is target.after:
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
