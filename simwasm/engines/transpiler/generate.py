"""Wasm functions as Python functions.

    generate(module, own) -> Generated: source, code object, and which line is which instruction

The source is one `def` in a factory, so that whatever it refers to is a free variable: who links it makes a function
of the code object and of one cell for each name.

Rules that live here: values are as `operations.py` says; a function is never changed once it is generated, other
variants are other functions.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from textwrap import dedent
from types import CodeType
from typing import Any

from simwasm.engines.transpiler.control import BLOCK, BR_IF, ELSE, END, IF, LOOP, Plan, plan
from simwasm.engines.transpiler.emitter import Emitter
from simwasm.engines.transpiler.emitter import split as split_lines
from simwasm.engines.transpiler.flow import Code, Flow
from simwasm.engines.transpiler.rows import Rows, local_get
from simwasm.engines.transpiler.segments import Segments
from simwasm.engines.transpiler.signatures import Signatures
from simwasm.engines.transpiler.structured import Structured
from simwasm.engines.transpiler.watched import Watched
from simwasm.errors import BadModule
from simwasm.wasm.decode import split
from simwasm.wasm.fuel import dues
from simwasm.wasm.module import Module, ValType

_FIRST = itemgetter(0)

LONGEST = 100_000
"""How many instructions a function may have: Python's compiler needs up to 6 KB of memory for each."""


@dataclass(frozen=True)
class Generated:
    """One function in Python."""

    name: str
    text: str
    """The factory with the function in it, as it was compiled."""
    code: CodeType
    """The function's own code object; its free variables are what it refers to."""
    offsets: array[int]
    """The file offset of the instruction that each line of the code is for."""

    @cached_property
    def source(self) -> str:
        """The function, to be read."""
        return dedent(self.text.partition("\n")[2])


class Generator:
    """Makes Python of the functions of one module."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._signatures = Signatures(module)
        self._rows = Rows(self._signatures)

    def generate(self, own: int, *, steppable: bool = False) -> Generated:
        """Make Python of the function with that index among the module's own."""
        name = f"f{self._signatures.hosts + own}"
        text, offsets = self.source(own, steppable=steppable)
        code = _function(compile(text, f"<wasm {name}>", "exec", dont_inherit=True, optimize=2), name)
        return Generated(name, text, code, offsets)

    def source(self, own: int, *, steppable: bool = False) -> tuple[str, array[int]]:
        """The factory's text and the offset of each of its lines."""
        module, signatures = self._module, self._signatures
        index = signatures.hosts + own
        type, body = signatures.functions[index], module.bodies[own]
        pieces = split(module.data, body.code, body.end, signatures.names[index])
        if len(pieces) > LONGEST:
            raise BadModule(
                f"function {signatures.names[index]} has {len(pieces):,} instructions: the engine python takes"
                f" {LONGEST:,}, the others take any number (--engine)",
                section="code",
                offset=body.start,
            )
        opcodes = bytes(map(_FIRST, pieces))
        offsets = list(accumulate(map(len, pieces[:-1]), initial=body.code))
        kinds = signatures.locals(own)
        e = Emitter(kinds, steppable, signatures.memory)
        rows = self._rows
        planned = plan(pieces, opcodes, type, signatures)
        prices = dues(opcodes)
        flow: Structured | Segments
        e.offset = body.code
        if planned.structured:
            flow = Structured(e, rows, type, prices, Code(pieces, opcodes))
            flow.pay(prices.entry)
            flow.begin()
        else:
            flow = Segments(e, rows, type, prices, Code(pieces, opcodes))
            flow.pay(prices.entry)
            flow.begin(planned)
        if steppable:
            _write_watched(planned, Watched(e, rows, flow, pieces, offsets))
        else:
            self._write(planned, e, flow, pieces, offsets)
        if isinstance(flow, Segments):
            flow.finish()
        used = {rows[piece][1] for piece in set(pieces) if 0x20 <= piece[0] <= 0x22}
        head = self._head(index, kinds, e, used)
        if getattr(flow, "far", False):
            head.append("  b = False")
        if flow.makes_tail_calls:
            e.free.add(f"f{index}")
            head += [f"  inner = raw is f{index}", "  raw = None"]
        return split_lines(e.lines, head)

    def _write(self, planned: Plan, e: Emitter, flow: Flow, pieces: list[bytes], offsets: list[int]) -> None:
        """Write what is reached: runs of instructions between those of control."""
        rows, operands = self._rows, e.facts.operands
        at, live = 0, True
        push = e.stack.append
        for step in planned.steps:
            position, opcode, about, _ = step
            if live and at < position:
                for piece, e.offset in zip(pieces[at:position], offsets[at:position], strict=True):
                    emit, given = rows[piece]
                    if emit is local_get:
                        push(operands[given])
                    elif emit is None:
                        push(given)
                    else:
                        emit(e, given)
            e.offset = offsets[position]
            flow.step(step, pieces[position])
            live = _goes_on(opcode, about)
            at = position + 1

    def _head(self, index: int, kinds: tuple[ValType, ...], e: Emitter, used: set[int]) -> list[str]:
        """What comes before the code: the factory, the function, its variables."""
        count = len(self._signatures.functions[index].params)
        title = ascii(self._signatures.names[index])[1:-1][:200]
        parameters = ", ".join([f"l{at}" for at in range(count)])
        head = [
            f"def factory({', '.join(sorted(e.free))}):",
            f" def f{index}({parameters}):  # {title}",
        ]
        if e.assigned:
            head.append(f"  nonlocal {', '.join(sorted(e.assigned))}")
        zeros: dict[str, list[str]] = {}
        for at in sorted(used):
            if at >= count:
                zeros.setdefault(_ZEROS.get(kinds[at], "None"), []).append(f"l{at}")
        for zero, names in zeros.items():
            for at in range(0, len(names), 40):
                head.append(f"  {' = '.join(names[at : at + 40])} = {zero}")
        return head


_ZEROS = {
    ValType.I32: "0",
    ValType.I64: "0",
    ValType.F32: "0.0",
    ValType.F64: "0.0",
    ValType.V128: repr(bytes(16)),
}


def _write_watched(planned: Plan, watched: Watched) -> None:
    """Write what is reached, to be stepped through."""
    at, live = 0, True
    for step in planned.steps:
        watched.write(at, live, step)
        live = _goes_on(step[1], step[2])
        at = step[0] + 1


def _goes_on(opcode: int, about: Any) -> bool:
    """Whether what comes after an instruction of control is reached."""
    return about.live_end if opcode == END else opcode in (BLOCK, LOOP, IF, ELSE, BR_IF)


def _function(code: CodeType, name: str) -> CodeType:
    """The code object of the function in the factory in the module."""
    factory = next(item for item in code.co_consts if isinstance(item, CodeType))
    return next(item for item in factory.co_consts if isinstance(item, CodeType) and item.co_name == name)


def generate(module: Module, own: int, *, steppable: bool = False) -> Generated:
    """Make Python of the function with that index among the module's own."""
    return Generator(module).generate(own, steppable=steppable)
