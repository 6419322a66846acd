"""What instructions do to the stacks when that is more than to pop and push fixed types.

Rules that live here: a step is told the stacks and one argument, which was made of the instruction when it was first
met (`prepare.py`); it knows no module, everything it needs is in the argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simwasm.wasm.validate.kinds import I32, NUMBERS, REFERENCES, UNKNOWN, Invalid, shown
from simwasm.wasm.validate.stack import Block, Stack

Step = Callable[[Stack, Any], None]
Signature = tuple[bytes, bytes]

IF, ELSE = 0x04, 0x05
_CONDITION = bytes((I32,))


class Ended(Exception):
    """The code's last `end` was met."""


def apply(stack: Stack, by: Signature) -> None:
    """Pop parameters and push results."""
    wanted, given = by
    stack.take(wanted)
    stack.kinds += given


def unreachable(stack: Stack, _: None) -> None:
    """Stop."""
    stack.stop()


def block(stack: Stack, opened: Block) -> None:
    """Enter a block or loop."""
    stack.open(opened)


def if_(stack: Stack, opened: Block) -> None:
    """Enter the first arm."""
    stack.take(_CONDITION)
    stack.open(opened)


def else_(stack: Stack, _: None) -> None:
    """Leave the first arm and enter the second."""
    if stack.blocks[-1].opener != IF:
        raise Invalid("`else` without an `if`")
    first = stack.close()
    del stack.kinds[len(stack.kinds) - len(first.results) :]
    stack.kinds += first.params
    stack.open(first._replace(opener=ELSE))


def end(stack: Stack, _: None) -> None:
    """Leave a block."""
    closed = stack.close()
    if closed.opener == IF and closed.params != closed.results:
        kind = f"takes {shown(closed.params)} and gives {shown(closed.results)}"
        raise Invalid(f"type mismatch: an `if` without `else` {kind}")
    if not stack.blocks:
        raise Ended


def br(stack: Stack, depth: int) -> None:
    """Branch."""
    stack.expect(stack.label(depth))
    stack.stop()


def br_if(stack: Stack, depth: int) -> None:
    """Branch or not."""
    stack.take(_CONDITION)
    kinds = stack.label(depth)
    if not stack.kinds.endswith(kinds):
        stack.take(kinds)
        stack.kinds += kinds


def br_table(stack: Stack, depths: tuple[int, ...]) -> None:
    """Branch to one of several blocks; the default is the last of them."""
    stack.take(_CONDITION)
    default = stack.label(depths[-1])
    for label in dict.fromkeys(map(stack.label, depths)):
        if len(label) != len(default):
            raise Invalid(f"type mismatch: br_table to {shown(label)} and to {shown(default)}")
        stack.expect(label)
    stack.stop()


def return_(stack: Stack, _: None) -> None:
    """Leave the function."""
    stack.expect(stack.blocks[0].results)
    stack.stop()


def return_call(stack: Stack, by: Signature) -> None:
    """Call a function in place of this one."""
    wanted, given = by
    stack.take(wanted)
    if given != stack.blocks[0].results:
        results = shown(stack.blocks[0].results)
        raise Invalid(f"type mismatch: a tail call gives {shown(given)}, the function {results}")
    stack.stop()


def drop(stack: Stack, _: None) -> None:
    """Pop one operand."""
    stack.take_any()


def select(stack: Stack, _: None) -> None:
    """Choose between two numbers or vectors of the same type, which is not told."""
    stack.take(_CONDITION)
    second, first = stack.take_any(), stack.take_any()
    if first not in NUMBERS or second not in NUMBERS:
        raise Invalid("type mismatch: select of references needs a type")
    if first != second and UNKNOWN not in (first, second):
        raise Invalid(f"type mismatch: select between {shown(bytes((first, second)))}")
    stack.kinds.append(first if second == UNKNOWN else second)


def ref_is_null(stack: Stack, _: None) -> None:
    """Test a reference of either type."""
    kind = stack.take_any()
    if kind not in REFERENCES:
        raise Invalid(f"type mismatch: expected a reference, found {shown(bytes((kind,)))}")
    stack.kinds.append(I32)
