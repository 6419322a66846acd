"""Probes: inserted calls that tell the host which instruction comes next, while it wants to know.

A function gets a second body, with the probes. Which of them runs is decided when it is entered, so that a function
costs one look at a global while nobody wants to know, however many probes it has:

    if idle: <the body>
    else: depth += 1; block <the body, with probes> end; depth -= 1

    a probe: if not idle: call $probe (<offset>, depth)

* A function `simwasm.probe` of type `(i32 i32) -> ()` is imported after `simwasm.slice`, so own functions move up by
  two. It is told the offset of an instruction in the file as it was loaded, and how many functions are active.
* A mutable i32 global, exported as `simwasm:idle`, is 1 while nobody wants to know.
* Another, exported as `simwasm:depth`, counts the active functions that were entered while somebody did, whether
  they have probes or not. A `return` in the second body becomes a branch to its end, where they are counted down; a
  tail call counts down before it leaves.
* A function whose first instruction has no probe tells its entry all the same, as `~offset`: then whoever listens
  knows all active functions.

Rules that live here: fuel is paid as without probes; a probe belongs to the instruction that it comes before, also
when places are led back to the original; that of a `loop` is inside of it, so it is told each time round; code that is
never reached has no probes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from simwasm.errors import InputError
from simwasm.wasm.decode import split
from simwasm.wasm.encode import s32, u32
from simwasm.wasm.fuel import Code, Instrument, instrument
from simwasm.wasm.functions import function_at
from simwasm.wasm.module import FuncType, Kind, Module, ValType
from simwasm.wasm.statements import Statements

PROBE = ("simwasm", "probe")
"""The host function that is told."""

PROBE_TYPE = FuncType((ValType.I32, ValType.I32), ())

IDLE = "simwasm:idle"
"""The export of the global that says whether nobody listens."""

DEPTH = "simwasm:depth"
"""The export of the counter of active functions."""

_LOOP, _END, _RETURN, _RETURN_CALLS = 0x03, 0x0B, 0x0F, (0x12, 0x13)
_EXITS = re.compile(rb"[\x0f\x12\x13]")
_NESTING = re.compile(rb"[\x02-\x04\x0b\x0f\x12\x13]")
_TYPE_BYTES = {ValType.I32: 0x7F, ValType.I64: 0x7E, ValType.F32: 0x7D, ValType.F64: 0x7C, ValType.V128: 0x7B,
               ValType.FUNCREF: 0x70, ValType.EXTERNREF: 0x6F}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Probes:
    """Where probes are wanted: at every statement, unless said otherwise."""

    every: bool = False
    """At every instruction."""
    functions: frozenset[int] | None = None
    """Only in these, by their index among all functions."""
    offsets: frozenset[int] | None = None
    """Only at these instructions, statement or not."""


@dataclass(frozen=True)
class Probing(Instrument):
    """What inserted code refers to when there are probes."""

    probes: Probes
    block_type: Callable[[FuncType], int]
    """The index of a type without parameters."""
    statements: Statements = field(compare=False)

    @classmethod
    def of(cls, module: Module, probes: Probes, block_type: Callable[[FuncType], int]) -> Probing:
        """For a module as it was loaded."""
        first = len(module.imported(Kind.FUNCTION))
        total = first + len(module.functions)
        fuel = len(module.imported(Kind.GLOBAL)) + len(module.globals)
        return cls(fuel, total + 2, first, total, probes, block_type, Statements(module))

    def moved(self, index: int) -> int:
        """Where the function of that index is in the rewritten module."""
        return index if index < self.first_own else index + 2

    def probe(self, offset: int) -> bytes:
        """Tell an offset, if somebody listens."""
        told = b"\x41" + s32(offset) + b"\x23" + u32(self.fuel + 2) + b"\x10" + u32(self.first_own + 1)
        return b"\x23" + u32(self.fuel + 1) + b"\x45\x04\x40" + told + b"\x0b"

    def count(self, step: int) -> bytes:
        """Change the number of active functions."""
        depth = u32(self.fuel + 2)
        return b"\x23" + depth + b"\x41" + s32(step) + b"\x6a\x24" + depth

    def code(self, module: Module, own: int, name: str) -> Code:
        """A function that pays for itself, counts itself, and has probes."""
        paid = instrument(module, own, self, name)
        starts = list(accumulate(map(len, paid.before[:-1]), initial=module.bodies[own].code))
        probed = paid.after.copy()
        self._count_exits(probed)
        chosen = self._chosen(self.first_own + own, paid.before, starts)
        for position in chosen:
            before = len(paid.before[position]) if paid.before[position][0] == _LOOP else 0
            code = probed[position]
            probed[position] = code[:before] + self.probe(starts[position]) + code[before:]
        kind = self._block(module.types[module.functions[own]].results)
        entered = self.count(1) + (b"" if chosen[:1] == [0] else self.probe(~starts[0])) + b"\x02" + kind
        plain = [*paid.after[:-1], b"\x05" + entered]  # its last `end` is an `else`
        probed[-1] += self.count(-1) + b"\x0b\x0b"
        idle = b"\x23" + u32(self.fuel + 1) + b"\x04" + kind
        return Code(paid.head + idle, paid.before, plain + probed)

    def _chosen(self, function: int, pieces: list[bytes], starts: list[int]) -> list[int]:
        """The instructions of a function that have a probe, by their position."""
        functions, offsets = self.probes.functions, self.probes.offsets
        if functions is not None and function not in functions:
            return []
        if offsets is not None:
            wanted = [position for position, start in enumerate(starts) if start in offsets]
            return sorted(set(self.statements.reached(pieces)).intersection(wanted)) if wanted else []
        find = self.statements.reached if self.probes.every else self.statements.starts
        return find(pieces)

    def _count_exits(self, after: list[bytes]) -> None:
        """Let what leaves the function pass its end, or count down."""
        opcodes = bytes(piece[0] for piece in after)
        if not _EXITS.search(opcodes):
            return
        depth = 0
        for match in _NESTING.finditer(opcodes):
            at, opcode = match.start(), opcodes[match.start()]
            if opcode == _END:
                depth -= 1
            elif opcode == _RETURN:
                after[at] = b"\x0c" + u32(max(0, depth)) + after[at][1:]
            elif opcode in _RETURN_CALLS:
                after[at] = self.count(-1) + after[at]
            else:
                depth += 1

    def _block(self, results: tuple[ValType, ...]) -> bytes:
        if len(results) > 1:
            return s32(self.block_type(FuncType((), results)))
        return bytes((_TYPE_BYTES[results[0]] if results else 0x40,))


def block_types(module: Module) -> list[FuncType]:
    """The types of the blocks around bodies, where a number of values needs one."""
    kinds = dict.fromkeys(module.types[index].results for index in module.functions)
    return [FuncType((), results) for results in kinds if len(results) > 1]


def check(module: Module, probes: Probes) -> None:
    """Refuse probes where nothing can be probed."""
    first = len(module.imported(Kind.FUNCTION))
    for function in probes.functions or ():
        if not first <= function < first + len(module.functions):
            raise InputError(
                f"function {function} has no code here: there are {first} to {first + len(module.functions) - 1}"
            )
    for offset in sorted(probes.offsets or ()):
        within = function_at(module, offset)
        if within is None:
            raise InputError(f"there is no code at offset 0x{offset:x}")
        body = module.bodies[within - first]
        starts = accumulate(map(len, split(module.data, body.code, body.end)), initial=body.code)
        if offset not in starts:
            raise InputError(
                f"no instruction begins at offset 0x{offset:x}; `simwasm disasm -f 0x{offset:x}` shows where they do"
            )
