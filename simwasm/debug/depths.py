"""How deep each instruction of a callback is, worked out from the offsets alone.

A call is followed by the first instruction of another function; a return by one of the function around it. Only where
a function calls itself must one know whether an instruction can be its last. Depth counts active functions from 1; a
host call and the callback amid it, the plugin's allocator, are two more. Rule: a row of the tape that lies between
instructions is deeper than the one before it, and less deep than what happens amid the call (see `row_depth`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from simwasm.debug.code import Code
from simwasm.wasm.decode import Instruction

DEEPEST = 0xFFFF
_CALLS = frozenset({"call", "call_indirect"})
_TAIL_CALLS = frozenset({"return_call", "return_call_indirect"})
_BRANCHES = frozenset({"br", "br_if", "br_table"})

Call = tuple[int, int]
"""An active function, and the offset that follows its call."""


class _Step(NamedTuple):
    """What there is to know of an instruction."""

    function: int
    next: int
    calls: bool
    tail: bool


def depths(
    code: Code, offsets: Sequence[int], nested: Sequence[tuple[int, int]] = (), around: Sequence[Call] = ()
) -> array[int]:
    """The depth of each instruction.

    `nested` are the callbacks amid host calls, each from its first place among the offsets to behind its last;
    `around` are the functions that were active before the first, outermost first.
    """
    frames = list(around)
    found = array("H")
    open_calls: list[tuple[int, int, _Step | None]] = []
    before = _Step(frames[-1][0], -1, calls=False, tail=False) if frames else None
    steps = _steps(code)
    for start, end, opens in _pieces(len(offsets), nested):
        if opens:
            open_calls.append((len(frames), start, before))
            before = None
        elif open_calls and start:
            height, _, before = open_calls.pop()
            del frames[height:]
        before = _through(steps, offsets[start:end], frames, found, 2 * len(open_calls), before)
    return found


def _pieces(size: int, nested: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    """Stretches in which no callback begins or ends; whether one begins with it."""
    cuts = sorted({(at, opens) for first, last in nested for at, opens in ((first, True), (last, False))})
    at, opens = 0, False
    for cut, opening in cuts:
        yield at, cut, opens
        at, opens = cut, opening
    yield at, size, opens


def _through(
    steps: _Steps,
    offsets: Sequence[int],
    frames: list[Call],
    found: array[int],
    more: int,
    before: _Step | None,
) -> _Step | None:
    """Go through a stretch; give the last instruction."""
    entries = steps.code.entries
    depth = min(len(frames) + more, DEEPEST)
    last = -1
    for offset in offsets:
        step = steps[offset]
        if before is None:
            frames.append((step.function, -1))
            depth = min(len(frames) + more, DEEPEST)
        elif before.calls or before.tail:
            if offset in entries:
                if before.tail and frames:
                    frames.pop()
                frames.append((step.function, before.next if before.calls else -1))
                depth = min(len(frames) + more, DEEPEST)
            elif frames[-1][0] != step.function:
                depth = _left(frames, step.function, more)
        elif frames[-1][0] != step.function or (
            offset == frames[-1][1] != before.next and steps.may_end(before.function, last)
        ):
            frames.pop()
            depth = _left(frames, step.function, more)
        found.append(depth)
        before, last = step, offset
    return before


def _left(frames: list[Call], function: int, more: int) -> int:
    """Functions were left, up to one that goes on."""
    while frames and frames[-1][0] != function:
        frames.pop()
    if not frames:
        frames.append((function, -1))
    return min(len(frames) + more, DEEPEST)


@lru_cache(maxsize=16)
def _steps(code: Code) -> _Steps:
    """What is known of the instructions of a plugin."""
    return _Steps(code)


class _Steps(dict[int, _Step]):
    """By offset, each looked up once."""

    def __init__(self, code: Code) -> None:
        super().__init__()
        self.code = code
        self._exits: dict[int, frozenset[int]] = {}

    def may_end(self, function: int, offset: int) -> bool:
        """Whether an instruction can be the last that a function runs."""
        if function not in self._exits:
            self._exits[function] = _exits(list(self.code.instructions(function).values()))
        return offset in self._exits[function]

    def __missing__(self, offset: int) -> _Step:
        function = self.code.function_at(offset)
        found = self.code.instructions(function)
        body = self.code.body(function)
        end = body.end if body is not None else 0
        for each in reversed(found.values()):
            name = each.opcode.name
            self[each.offset] = _Step(function, end, name in _CALLS, name in _TAIL_CALLS)
            end = each.offset
        if offset not in found:
            self[offset] = _Step(function, 0, False, False)
        return self[offset]


def _exits(listed: Sequence[Instruction]) -> frozenset[int]:
    """The instructions after which a function may be left: only `end`s follow them, or they go to such an `end`."""
    tail = len(listed)
    while tail and listed[tail - 1].opcode.name == "end":
        tail -= 1
    lasts = {each.offset for each in listed[max(tail - 1, 0) :]}
    open_blocks: list[list[int]] = [[]]
    """For each block, who goes to its end."""
    loops = [False]
    for index, each in enumerate(listed):
        name = each.opcode.name
        if name in ("block", "loop", "if"):
            open_blocks.append([each.offset] if name == "if" else [])
            loops.append(name == "loop")
        elif name == "else":
            open_blocks[-1].append(listed[index - 1].offset)
        elif name == "end":
            goers = open_blocks.pop() if open_blocks else []
            loops[len(open_blocks) :] = []
            if index >= tail:
                lasts.update(goers)
        elif name in _BRANCHES:
            for label in each.immediates:
                if label < len(open_blocks) and not loops[-1 - label]:
                    open_blocks[-1 - label].append(each.offset)
        elif name == "return":
            lasts.add(each.offset)
    return frozenset(lasts)
