"""What waits on the operand stack while code is generated: a Python expression and what is known of it.

Rules that live here: an entry is a plain tuple, because millions are made; `low` and `high` bound the number that
the expression gives, which is the operand's value modulo 2**32 or 2**64: masking is put off until someone needs the
value itself; which locals an expression reads is a filter of `FILTER` bits, so it may say yes too often.
"""

from __future__ import annotations

Entry = tuple[str, int, int, int]
"""Text, flags, low, high; floats, vectors and references have 0 and 0."""

FILTER = 18
LOCALS = (1 << FILTER) - 1
"""Which locals it reads."""

ATOM = 1 << 18
"""It needs no parentheses to be an operand."""
MEMORY = 1 << 19
"""It reads the memory."""
GLOBAL = 1 << 20
"""It reads a global or a table."""
TRAP = 1 << 21
"""It may trap."""
CALL = 1 << 22
"""It does something: has to happen exactly once, and before anything that comes after."""
TRUTH = 1 << 23
"""It gives a bool, not a number."""
SLOT = 1 << 24
"""It reads a variable in which an operand waited."""
CONSTANT = 1 << 25
"""It is a number, equal to `low` and `high`."""
LINE = 1 << 26
"""It is `(@offset`, a new line, an expression, and `)`."""
WIDE = 1 << 27
"""It is an i64."""

INHERITED = LOCALS | MEMORY | GLOBAL | TRAP | CALL | SLOT
"""What an expression has when a part of it has it."""
IMPURE = MEMORY | GLOBAL | TRAP | CALL
"""What must not move past something that happens."""

MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1

LONGEST = 400
"""How many characters an expression may have: the parsers of CPython have a limit on nesting."""

SLOTS = tuple(f"s{index}" for index in range(1024))


def slot(index: int) -> str:
    """The variable in which the operand at that height waits."""
    return SLOTS[index] if index < 1024 else f"s{index}"


def operand(entry: Entry) -> str:
    """The expression as an operand of another."""
    return entry[0] if entry[1] & ATOM else f"({entry[0]})"


def masked(entry: Entry, mask: int) -> str:
    """The same for an operator that needs the value itself."""
    text, flags, low, high = entry
    if low < 0 or high > mask:
        return f"({text} & {mask})" if flags & ATOM else f"(({text}) & {mask})"
    return text if flags & ATOM else f"({text})"


def value(entry: Entry) -> str:
    """The value itself where no parentheses are needed: on the right of `=`, between commas, in brackets."""
    text, flags, low, high = entry
    if flags & TRUTH:
        return f"1 if {text} else 0"
    mask = MASK64 if flags & WIDE else MASK32
    if low < 0 or high > mask:
        return f"{text} & {mask}" if flags & ATOM else f"({text}) & {mask}"
    return text


def condition(entry: Entry) -> str:
    """What is true where the operand is not zero."""
    text, flags, low, high = entry
    if flags & TRUTH or (low >= 0 and high <= MASK32):
        return text
    return masked(entry, MASK32)
