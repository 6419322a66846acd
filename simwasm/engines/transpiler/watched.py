"""Runs of instructions in the variant that can be stepped through: each is written twice.

    if d:
     h(70)
     s0 = l1
     h(72)
     s1 = 8
     …
    else:
     l1 = l1 + 8

Whoever watches sees every instruction, and every operand in its variable; where nobody does, a run is what it is in
the fast variant.

Rules that live here: a run has no call in it, so nobody begins to watch in the middle of one; both ways leave the same
in locals and in the variables of operands; a branch at the end of a run is part of it; nothing is known of values
where a run begins, because who watched may have changed them.
"""

from __future__ import annotations

from simwasm.engines.transpiler.control import BR, BR_IF, ELSE, END, IF, LOOP, RETURN, Step
from simwasm.engines.transpiler.emitter import DEEPEST, Emitter
from simwasm.engines.transpiler.entries import TRUTH, Entry
from simwasm.engines.transpiler.facts import NOTHING
from simwasm.engines.transpiler.flow import Flow
from simwasm.engines.transpiler.rows import CALLS, Rows

LONGEST = 20_000
"""How many instructions a function may have that is written twice: that takes memory."""
_LEAVING = (BR, BR_IF, RETURN)


class Watched:
    """Writes what is between the instructions of control."""

    def __init__(
        self, emitter: Emitter, rows: Rows, flow: Flow, pieces: list[bytes], offsets: list[int]
    ) -> None:
        self._e = emitter
        self._rows = rows
        self._flow = flow
        self._pieces = pieces
        self._offsets = offsets

    def write(self, at: int, live: bool, step: Step) -> None:
        """Write the instructions from that one on, if they are reached, up to one of control; and that."""
        e, rows, pieces = self._e, self._rows, self._pieces
        position, opcode, about, _ = step
        first = at if live else position
        for call in range(first, position):
            emit, given = rows[pieces[call]]
            if emit is not None and emit in CALLS:
                self._run(first, call, hooked=True)
                e.offset = self._offsets[call]
                emit(e, given)
                e.flush_new()
                first = call + 1
        leaves = opcode in _LEAVING or (opcode == END and about.parent is None and live)
        hooked = opcode not in (LOOP, END, ELSE) or (about.parent is None and live)
        self._run(first, position, hooked, step if leaves else None, opcode == IF)
        if not leaves:
            e.offset = self._offsets[position]
            self._flow.step(step, pieces[position])
            e.flush_new()

    def _run(
        self, first: int, end: int, hooked: bool, branch: Step | None = None, test: bool = False
    ) -> None:
        """Write a run, the hook of what comes after it, and that if it is a branch."""
        e = self._e
        if end - first + hooked < 2 or len(e.stack) > DEEPEST or len(self._pieces) > LONGEST:
            self._seen("if d: h", first, end, hooked, branch)
            return
        before = e.stack.copy()
        e.offset = self._offsets[first]
        e.line("if d:")
        e.indent += " "
        self._seen("h", first, end, hooked, branch)
        after = e.stack.copy()
        e.stack[:] = before
        e.indent = e.indent[:-1]
        e.offset = self._offsets[first]
        e.line("else:")
        e.indent += " "
        self._unseen(first, end, branch, test)
        e.indent = e.indent[:-1]
        e.stack[:] = after

    def _seen(self, hook: str, first: int, end: int, hooked: bool, branch: Step | None) -> None:
        """One instruction a line, and a hook before each."""
        e, rows = self._e, self._rows
        for at in range(first, end):
            e.offset = self._offsets[at]
            emit, given = rows[self._pieces[at]]
            e.line(f"{hook}({e.offset})")
            if emit is None:
                e.stack.append(given)
            else:
                emit(e, given)
            e.flush_new()
        if hooked:
            e.offset = self._offsets[end]
            e.line(f"{hook}({e.offset})")
        if branch is not None:
            self._flow.step(branch, self._pieces[end])
            e.flush_new()

    def _unseen(self, first: int, end: int, branch: Step | None, test: bool) -> None:
        """As in the fast variant; then all that waits is written down."""
        e, rows = self._e, self._rows
        lines = len(e.lines)
        e.facts.off = False
        for at in range(first, end):
            e.offset = self._offsets[at]
            emit, given = rows[self._pieces[at]]
            if emit is None:
                e.stack.append(given)
            else:
                emit(e, given)
        if branch is not None:
            e.offset = self._offsets[end]
            self._flow.step(branch, self._pieces[end])
        elif test:
            e.stack[-1] = _as_it_is(e.stack[-1])
        if branch is None or branch[1] == BR_IF:
            e.flush(constants=True)
        if len(e.lines) == lines:
            e.line("pass")
        e.facts.restore(NOTHING)
        e.facts.test = None
        e.facts.off = True


def _as_it_is(entry: Entry) -> Entry:
    """A condition that only `if` looks at may stay a bool."""
    text, flags, low, high = entry
    return text, flags & ~TRUTH, low, high
