"""A function as the text format writes it, one instruction a line.

Rules that live here: the text of a line is the instruction's own (`wat.py`); what an index stands for, and where a
branch goes, is a note beside it, on one line and never long, whatever the plugin put into a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from simwasm.wasm.decode import Immediates, Instruction, decode, split
from simwasm.wasm.module import Kind, Module
from simwasm.wasm.names import Names, function_names, read_names
from simwasm.wasm.opcodes import Immediate, Opcode
from simwasm.wasm.wat import text

_LONGEST_NAME = 200
_MOST_TARGETS = 3
_MOST_PIECES = 100_000
"""How many distinct instructions are kept: a hostile module has as many as it has bytes."""


class Line(NamedTuple):
    """One instruction on paper: `depth` is how many blocks it is in, `note` what its index stands for."""

    offset: int
    depth: int
    text: str
    note: str = ""
    targets: tuple[int, ...] = ()
    """Where a branch goes: the offsets of the `end` of its blocks, or of the `loop`, in the order of its labels."""


class _Block(NamedTuple):
    """An open block: what it is, its name, and where a branch to it goes."""

    kind: str
    name: str
    target: int


class _Known(NamedTuple):
    """What is the same of an instruction wherever it stands."""

    opcode: Opcode
    immediates: Immediates
    text: str
    note: str
    plain: bool
    """It neither begins nor ends a block, does not branch, and is about no local."""


class Listing:
    """The functions of a module; what belongs to all of them is read once."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.functions: tuple[str, ...] = function_names(module)
        """The name of every function, as it is in the file."""
        self.first_own = len(module.imported(Kind.FUNCTION))
        names = read_names(module)
        self._locals, self._labels = names.locals, names.labels
        self._globals = _global_names(module, names)
        self._pieces: dict[bytes, _Known] = {}

    def lines(self, function: int) -> Iterator[Line]:
        """The code of a function of the module's own, by its index among all functions."""
        body = self.module.bodies[function - self.first_own]
        pieces = split(self.module.data, body.code, body.end, self.functions[function])
        starts = list(accumulate(map(len, pieces), initial=body.code))
        found = list(map(self._known, pieces))
        variables, labels = self._locals.get(function, {}), self._labels.get(function, {})
        ends = _ends(starts, found)
        open_blocks = [_Block("function", "", starts[-2] if pieces else body.code)]
        depth = blocks = 0
        for offset, (opcode, immediates, written, note, plain) in zip(starts, found):  # noqa: B905  # one more start
            if plain:
                yield Line(offset, depth, written, note)
                continue
            name, kind = opcode.name, opcode.immediate
            if kind is Immediate.LOCAL:
                yield Line(offset, depth, written, one_line(variables.get(immediates[0], "")))
            elif kind is Immediate.BLOCK:
                label = one_line(labels.get(blocks, ""))
                yield Line(offset, depth, written, f"${label}" if label else "")
                target = offset if name == "loop" else ends.get(offset, open_blocks[0].target)
                open_blocks.append(_Block(name, label, target))
                blocks, depth = blocks + 1, depth + 1
            elif name == "end":
                if depth:
                    open_blocks.pop()
                    depth -= 1
                yield Line(offset, depth, written)
            elif name == "else":
                yield Line(offset, max(0, depth - 1), written)
            else:
                aims = [open_blocks[-1 - label] for label in immediates if label < len(open_blocks)]
                yield Line(offset, depth, written, _aims(aims), tuple(aim.target for aim in aims))

    def decoded(self, function: int) -> list[tuple[Opcode, Immediates]]:
        """What `lines` has as text."""
        body = self.module.bodies[function - self.first_own]
        pieces = split(self.module.data, body.code, body.end, self.functions[function])
        return [(known.opcode, known.immediates) for known in map(self._known, pieces)]

    def _known(self, piece: bytes) -> _Known:
        found = self._pieces.get(piece)
        if found is None:
            opcode, immediates = decode(piece)
            plain = opcode.immediate not in _PLACED and opcode.name not in ("end", "else")
            written = text(Instruction(0, opcode, immediates))
            found = _Known(opcode, immediates, written, self.note(opcode, immediates), plain)
            if len(self._pieces) >= _MOST_PIECES:
                self._pieces.clear()
            self._pieces[piece] = found
        return found

    def note(self, opcode: Opcode, immediates: Immediates) -> str:
        """What the index of an instruction stands for."""
        names: Mapping[int, object] | Sequence[object]
        if opcode.immediate is Immediate.GLOBAL:
            return one_line(self._globals.get(immediates[0], ""))
        if opcode.immediate is Immediate.FUNCTION:
            names = self.functions
        elif opcode.immediate is Immediate.INDIRECT:
            names = self.module.types
        else:
            return ""
        return one_line(str(names[immediates[0]])) if immediates[0] < len(names) else ""


_PLACED = frozenset((Immediate.BLOCK, Immediate.LABEL, Immediate.LABELS, Immediate.LOCAL))
"""Instructions whose note depends on where they stand."""


def disassemble(module: Module, function: int) -> Iterator[Line]:
    """The code of a function of the module's own, by its index among all functions."""
    return Listing(module).lines(function)


def one_line(name: str) -> str:
    """A name that the plugin made, for a comment: nothing in it ends the line or the comment, and it is not long.

    >>> one_line("two" + chr(10) + "lines")
    'two\\\\nlines'
    """
    cut = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    shown = cut if cut.isprintable() else repr(cut)[1:-1]
    return shown.replace("(;", "( ;").replace(";)", "; )")


def _ends(starts: Sequence[int], found: Sequence[_Known]) -> dict[int, int]:
    """The offset of every block's `end`, by the offset of the block."""
    opened: list[int] = []
    ends: dict[int, int] = {}
    for offset, (opcode, _, _, _, plain) in zip(starts, found):  # noqa: B905  # one more start
        if not plain:
            if opcode.immediate is Immediate.BLOCK:
                opened.append(offset)
            elif opcode.name == "end" and opened:
                ends[opened.pop()] = offset
    return ends


def _aims(aims: Sequence[_Block]) -> str:
    """Where a branch goes, in words; of a long table, the beginning."""
    distinct = list(dict.fromkeys(aims))
    shown = ", ".join(map(_aim, distinct[:_MOST_TARGETS]))
    more = f" and {len(distinct) - _MOST_TARGETS} more" if len(distinct) > _MOST_TARGETS else ""
    return f"-> {shown}{more}" if aims else ""


def _aim(aim: _Block) -> str:
    what = f"${aim.name}" if aim.name else aim.kind
    return f"0x{aim.target:x} {what}" if aim.kind == "loop" else f"0x{aim.target:x} end of {what}"


def _global_names(module: Module, names: Names) -> dict[int, str]:
    exported = {export.index: export.name for export in module.exports if export.kind is Kind.GLOBAL}
    imported = {index: item.name for index, item in enumerate(module.imported(Kind.GLOBAL))}
    return imported | exported | names.globals
