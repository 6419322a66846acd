"""What is known of locals at the head of a loop.

Rules that live here: nothing of a local that the loop assigns, but for one that counts: the loop's one branch back is
a `br_if` that compares the local, so it is either what it was before the loop or what the comparison lets through;
where that needs it, the local is assigned once, by adding a number to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from simwasm.engines.transpiler.entries import MASK32
from simwasm.engines.transpiler.facts import Facts
from simwasm.wasm.decode import decode

_SETS = re.compile(rb"[\x21\x22]")
_CHANGES = re.compile(rb"[\x10\x11\x40]")
"""What may give the instance a larger memory."""
_GET, _SET, _TEE, _CONST, _ADD, _SUB = 0x20, 0x21, 0x22, 0x41, 0x6A, 0x6B
_NE, _LT_S, _LT_U, _GT_S, _GT_U, _LE_S, _LE_U, _GE_S, _GE_U = range(0x47, 0x50)
_SIGNED_TOP = MASK32 >> 1
_MOST = 64
"""Distinct instructions that assign, in a loop in which counters are looked for."""


@dataclass(frozen=True, slots=True)
class _Back:
    """The comparison before the branch back: of this local, with a number or with what may be any."""

    local: int
    opcode: int
    number: int | None


def enter_loop(
    facts: Facts, pieces: list[bytes], opcodes: bytes, start: int, end: int, back: int | None
) -> None:
    """Forget what the loop changes, and find what is known nevertheless. `back` is where the only branch back is."""
    if facts.off:
        return
    sets: dict[bytes, list[int]] = {}
    for match in _SETS.finditer(opcodes, start, end):
        sets.setdefault(pieces[match.start()], []).append(match.start())
    assigned: dict[int, list[int]] = {}
    for piece, places in sets.items():
        assigned.setdefault(decode(piece)[1][0], []).extend(places)
    before = {index: facts.known.get(index, (0, MASK32)) for index in assigned}
    for index in assigned:
        facts.forget(index)
    changes = _CHANGES.search(opcodes, start, end) is not None
    for key in [key for key in facts.kept if key[1] in assigned or (changes and key[0] != "r")]:
        del facts.kept[key]
    if back is None or not assigned:
        return
    test = _back(pieces, opcodes, back)
    if test is None or test.local not in before:
        return
    step = _step(pieces, opcodes, assigned[test.local], test.local)
    found = _bounds(test, *before[test.local], step)
    if found is not None and 0 <= found[0] <= found[1] <= MASK32:
        facts.narrow(test.local, *found)


def _back(pieces: list[bytes], opcodes: bytes, at: int) -> _Back | None:
    """What the branch at that place depends on."""
    last = opcodes[at - 1]
    if last in (_GET, _TEE):
        return _Back(decode(pieces[at - 1])[1][0], _NE, 0)
    if not _NE <= last <= _GE_U or at < 3:
        return None
    first, second = opcodes[at - 3], opcodes[at - 2]
    if first not in (_GET, _TEE):
        return None
    local = decode(pieces[at - 3])[1][0]
    if second == _CONST:
        return _Back(local, last, decode(pieces[at - 2])[1][0] & MASK32)
    return _Back(local, last, None) if second == _GET else None


def _step(pieces: list[bytes], opcodes: bytes, places: list[int], local: int) -> int | None:
    """What is added to the local where it is assigned, if that is one place; as a signed number."""
    if len(places) != 1 or places[0] < 3:
        return None
    at = places[0]
    if opcodes[at - 1] not in (_ADD, _SUB) or opcodes[at - 2] != _CONST or opcodes[at - 3] != _GET:
        return None
    if decode(pieces[at - 3])[1][0] != local:
        return None
    number = decode(pieces[at - 2])[1][0]
    return number if opcodes[at - 1] == _ADD else -number


def _bounds(test: _Back, low: int, high: int, step: int | None) -> tuple[int, int] | None:
    """Where the local is at the head, when it was between these before the loop."""
    number = test.number
    if test.opcode in (_LT_U, _LE_U):
        last = MASK32 if number is None else number
        last = max(high, last - (test.opcode == _LT_U))
        grows = step is not None and step > 0 and last + step <= MASK32
        return low if grows else 0, last
    if test.opcode in (_GT_U, _GE_U):
        first = min(low, (0 if number is None else number) + (test.opcode == _GT_U))
        shrinks = step is not None and step < 0 and first + step >= 0
        return first, high if shrinks else MASK32
    if step is None:
        return None
    if test.opcode == _NE and number is not None and low == high:
        return _exactly(low, number, step)
    if test.opcode in (_LT_S, _LE_S) and step > 0 and high <= _SIGNED_TOP:
        last = _SIGNED_TOP if number is None or number > _SIGNED_TOP else number
        last -= test.opcode == _LT_S
        return (low, max(high, last)) if max(high, last) + step <= _SIGNED_TOP else None
    return None


def _exactly(first: int, number: int, step: int) -> tuple[int, int] | None:
    """Of a local that counts in steps until it is exactly this number, modulo 2**32."""
    if step > 0:
        way = (number - first) & MASK32 or MASK32 + 1
        return (first, first + way - step) if way % step == 0 and first + way <= MASK32 + 1 else None
    if step < 0:
        way = (first - number) & MASK32
        return (first - way - step, first) if way and way % step == 0 and first >= way else None
    return None
