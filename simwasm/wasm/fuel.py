"""One function's code, made to pay for itself.

At its entry and at every `loop` head a function takes from a counter, and calls `refill` when that went
below zero. What is paid is a static number of instructions, so it is the same on every engine:

* the entry pays for the instructions that are in no loop;
* a loop head pays, each time it is reached, for the instructions of the loop's body that are in no inner
  loop, the `loop` and its `end` included;
* neither pays for more than `DEAREST` or less than 1;
* a call of the host pays `HOST_CALL` more, about what the host needs for it;
* what moves many bytes or elements at once (`memory.fill`, `table.copy`, …) first pays by their number.

Every instruction between is counted, run or not: fuel approximates instructions, it does not equal them. The
limit is what keeps it near: code that long is a switch of which an iteration runs one arm (Go's compiler makes
every function one loop around a switch). With it, callbacks of Rust, Go and AssemblyScript plugins paid 0.6 to
2.2 times the instructions they ran; without it up to 33 times.

Rules that live here: places and prices are said once (`dues`, `HOST_CALL`, `BULK`), for this file and for the
engine that makes Python of a module; inserted code leaves the operand stack as it was; own functions move up by
one (the host function that gives fuel is imported before them); work is linear in the code, whatever its nesting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from simwasm.errors import BadModule
from simwasm.wasm.cursor import Cursor
from simwasm.wasm.decode import decode, split
from simwasm.wasm.encode import s32, u32
from simwasm.wasm.limits import NESTING
from simwasm.wasm.module import Body, Module

DEAREST = 100
"""The most that one check takes."""

HOST_CALL = 1_000
"""What a call of a host function takes: with the usual budget there can be a million in a callback."""

BULK = {
    "memory.fill": 4, "memory.copy": 4, "memory.init": 4, "table.fill": 0, "table.copy": 0, "table.init": 0,
}  # fmt: skip
"""What they pay is the number that they are given, shifted to the right by this."""


@dataclass(frozen=True, slots=True)
class Dues:
    """What a function's checks take: the one at its entry, and by its position the one at each loop's head."""

    entry: int
    loops: dict[int, int]


def dues(opcodes: bytes) -> Dues:
    """Price a function by the first bytes of its instructions."""
    loops = dict(_loops(opcodes))
    outside = len(opcodes) - sum(loops.values())
    return Dues(_limited(outside), {at: _limited(cost) for at, cost in loops.items()})


def _limited(cost: int) -> int:
    return max(1, min(cost, DEAREST))


_LOOP, _END = 0x03, 0x0B
_BLOCKS = (b"\x02", b"\x03", b"\x04")
_FIRST = itemgetter(0)
_NESTING = re.compile(rb"[\x02-\x04\x0b]")
_PREFIXED = re.compile(rb"\xfc")
_CALL = re.compile(rb"\x10")
_CALLS = re.compile(rb"[\x10\x12\xd2]")  # call, return_call, ref.func


@dataclass(frozen=True, slots=True)
class Instrument:
    """What inserted code refers to: the counter, the function that refills it, and how functions moved."""

    fuel: int
    refill: int
    first_own: int
    functions: int

    def check(self, cost: int, spare: int) -> bytes:
        """Take `cost` and refill if that was too much; `spare` is a local to use.

        The value loaded goes through the local because that keeps wasmer's Cranelift from folding load and
        subtraction into one slow instruction: tiny loops take 1.0 to 2.1 times as long, and not 1.8 to 3.7.
        """
        fuel, local, taken = u32(self.fuel), u32(spare), b"\x41" + s32(cost)
        take = b"\x23" + fuel + b"\x22" + local + taken + b"\x6b\x24" + fuel  # fuel := (local := fuel) - cost
        return take + b"\x20" + local + taken + b"\x48\x04\x40\x10" + u32(self.refill) + b"\x0b"

    def host_call(self) -> bytes:
        """Take what a call of the host costs; the next check refills."""
        fuel = u32(self.fuel)
        return b"\x23" + fuel + b"\x41" + s32(HOST_CALL) + b"\x6b\x24" + fuel

    def bulk(self, shift: int, spare: int) -> bytes:
        """Take by the number on the stack, which stays there, and refill until all of it is paid."""
        fuel, local = u32(self.fuel), u32(spare)
        price = b"\x20" + local + b"\x41" + s32(shift) + b"\x76"
        take = b"\x22" + local + b"\x23" + fuel + price + b"\x6b\x24" + fuel
        owes = b"\x23" + fuel + b"\x41\x00\x48"
        return take + b"\x03\x40" + owes + b"\x04\x40\x10" + u32(self.refill) + b"\x0c\x01\x0b\x0b"

    def refill_body(self) -> bytes:
        """The function that asks the host for more, and stops when there is none: one local, the answer."""
        counter, ask = u32(self.fuel), b"\x10" + u32(self.first_own)
        stop = b"\x22\x00\x45\x04\x40\x00\x0b"
        return b"\x01\x01\x7f" + ask + stop + b"\x23" + counter + b"\x20\x00\x6a\x24" + counter + b"\x0b"

    def code(self, module: Module, own: int, name: str) -> Code:
        """A function with all that is inserted."""
        return instrument(module, own, self, name)

    def moved(self, index: int) -> int:
        """Where the function of that index is in the rewritten module."""
        return index if index < self.first_own else index + 1

    def reference(self, piece: bytes) -> bytes:
        """Re-encode an instruction that names a function."""
        ((index,)) = decode(piece)[1]
        if index >= self.functions:
            raise BadModule(f"function {index} of {self.functions}", section="code")
        return piece[:1] + u32(self.moved(index))


@dataclass(frozen=True, slots=True)
class Code:
    """A function before and after: inserted code is at the end of the instruction it comes after.

    `head` is what comes before the first one: the locals, one more than there were, and the entry's check.
    """

    head: bytes
    before: list[bytes]
    after: list[bytes]


def instrument(module: Module, own: int, by: Instrument, name: str) -> Code:
    """Insert the checks into a function and let its references follow the functions that moved."""
    body = module.bodies[own]
    before = split(module.data, body.code, body.end, name)
    opcodes = bytes(map(_FIRST, before))
    if opcodes[-1:] != b"\x0b":
        raise BadModule(f"function {name} does not end with `end`", section="code", offset=body.end)
    _check_nesting(opcodes, body, name)
    after = before.copy()
    moved: dict[bytes, bytes] = {}
    for match in _CALLS.finditer(opcodes):
        piece = before[match.start()]
        if piece not in moved:
            moved[piece] = by.reference(piece)
        after[match.start()] = moved[piece]
    spare = len(module.types[module.functions[own]].params) + sum(count for count, _ in body.locals)
    _charge(opcodes, before, after, by, spare)
    taken = dues(opcodes)
    for at, cost in taken.loops.items():
        after[at] += by.check(cost, spare)
    return Code(_one_more_local(module.data, body) + by.check(taken.entry, spare), before, after)


def _check_nesting(opcodes: bytes, body: Body, name: str) -> None:
    """Refuse blocks within blocks that wasmer would compile for minutes."""
    if sum(map(opcodes.count, _BLOCKS)) <= NESTING:
        return
    depth = 0
    for match in _NESTING.finditer(opcodes):
        depth += -1 if opcodes[match.start()] == _END else 1
        if depth > NESTING:
            reason = f"blocks are nested deeper than {NESTING:,}; that is more than is supported"
            raise BadModule(f"{reason} (function {name})", section="code", offset=body.start)


def _charge(opcodes: bytes, before: list[bytes], after: list[bytes], by: Instrument, spare: int) -> None:
    """Let pay what takes longer than an instruction."""
    for match in _CALL.finditer(opcodes):
        if decode(before[match.start()])[1][0] < by.first_own:
            after[match.start()] += by.host_call()
    for match in _PREFIXED.finditer(opcodes, 1):
        shift = BULK.get(decode(before[match.start()])[0].name)
        if shift is not None:
            after[match.start() - 1] += by.bulk(shift, spare)


def _one_more_local(data: bytes, body: Body) -> bytes:
    declared = Cursor(data, body.start, body.code, "code")
    runs = declared.u32()
    return u32(runs + 1) + data[declared.at : body.code] + b"\x01\x7f"


def _loops(opcodes: bytes) -> Iterator[tuple[int, int]]:
    """Every loop, by the position of its head, and the number of instructions that are its own."""
    if _LOOP not in opcodes:
        return
    open_blocks: list[
        list[int]
    ] = []  # per block: position, or -1 if it is no loop; instructions of loops within
    for match in _NESTING.finditer(opcodes):
        at = match.start()
        if opcodes[at] != _END:
            open_blocks.append([at if opcodes[at] == _LOOP else -1, 0])
            continue
        if not open_blocks:
            return  # the end of the function; what follows it is for the engine to refuse
        start, within = open_blocks.pop()
        if start >= 0:
            size = at - start + 1
            yield start, size - within
            within = size
        if open_blocks:
            open_blocks[-1][1] += within
