"""Running a program of lines: a small machine with an address, a file, a line and a column, which writes rows.

Rules that live here: a sequence of rows whose first address is that of dropped code is left out; a program has at most
`MOST` rows; what is no program is `Broken`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simwasm.wasm.dwarf.cursor import Bytes
from simwasm.wasm.dwarf.sections import DEAD, Broken

MOST = 500_000

Row = tuple[int, bool, int, int, int]
"""Address, whether it is no end, file, line, column."""
_WORD = 0xFFFF_FFFF
_END, _SET_ADDRESS = 1, 2


def run(code: Bytes, head: Any) -> Iterator[Row]:
    """The rows of the sequences that are code."""
    return _Machine(code, head).rows()


class _Machine:
    """One program being run."""

    def __init__(self, code: Bytes, head: Any) -> None:
        self.code = code
        self.base, self.span = head["line_base"], head["line_range"]
        self.step, self.first = head["minimum_instruction_length"], head["opcode_base"]
        self._lengths = head["standard_opcode_lengths"]
        if not self.span:
            raise Broken("lines in steps of none")
        self._begin()

    def _begin(self) -> None:
        self.address, self.file, self.line, self.column = 0, 1, 1, 0

    def rows(self) -> Iterator[Row]:
        """Run it."""
        code, sequence, total = self.code, list[Row](), 0
        while code.at < code.end:
            operation = code.data[code.at]
            code.at += 1
            if operation >= self.first:
                advance, further = divmod(operation - self.first, self.span)
                self.address += self.step * advance
                self.line += self.base + further
            elif operation == _COPY:
                pass
            elif operation:
                self._standard(operation)
                continue
            else:
                if self._extended():
                    if sequence and 0 < sequence[0][0] < DEAD:
                        yield from sequence
                        yield self.address & _WORD, False, 0, 0, 0
                    sequence = []
                    self._begin()
                continue
            total += 1
            if total > MOST:
                raise Broken("too many lines")
            line = max(0, self.line) & _WORD
            sequence.append((self.address & _WORD, True, self.file & _WORD, line, self.column & _WORD))

    def _extended(self) -> bool:
        """An operation with a length in front of it; whether it ends the sequence."""
        size = self.code.unsigned()
        inner = Bytes(self.code.take(size))
        kind = inner.number(1) if size else 0
        if kind == _SET_ADDRESS:
            self.address = inner.number(size - 1)
        return kind == _END

    def _standard(self, operation: int) -> None:
        apply = _OPERATIONS.get(operation)
        if apply is not None:
            apply(self)
            return
        for _ in range(self._lengths[operation - 1]):
            self.code.unsigned()

    def advance(self, steps: int) -> None:
        """Go so many instructions on."""
        self.address += self.step * steps

    def skip(self, bytes: int) -> None:
        """Go so many bytes on."""
        self.address += bytes

    def lines(self, count: int) -> None:
        """Go so many lines on, or back."""
        self.line += count

    def set_file(self, number: int) -> None:
        """Go to another file."""
        self.file = number

    def set_column(self, number: int) -> None:
        """Go to another column."""
        self.column = number


_COPY = 1
_OPERATIONS: dict[int, Callable[[_Machine], None]] = {
    2: lambda machine: machine.advance(machine.code.unsigned()),
    3: lambda machine: machine.lines(machine.code.signed()),
    4: lambda machine: machine.set_file(machine.code.unsigned()),
    5: lambda machine: machine.set_column(machine.code.unsigned()),
    8: lambda machine: machine.advance((255 - machine.first) // machine.span),
    9: lambda machine: machine.skip(machine.code.number(2)),
}
