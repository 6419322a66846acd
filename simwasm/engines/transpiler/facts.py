"""What is known of the values of locals at the place where code is generated.

Rules that live here: a fact is an interval that holds on every way to the place; it is used by replacing the operand
that `local.get` stands for, so using facts costs nothing; where ways meet, those facts stay that held where the block
began, of locals that were not assigned since; the steppable variant has none, because there a local can be changed.
"""

from __future__ import annotations

from typing import NamedTuple

from simwasm.engines.transpiler.entries import CONSTANT, MASK32, MASK64, TRUTH, WIDE, Entry


def local_of(text: str) -> int | None:
    """Which local an expression is, if it is one and nothing else."""
    return int(text[1:]) if text[0] == "l" and text[1:].isdigit() else None


class Test(NamedTuple):
    """What a comparison, told by its text, says of a local."""

    text: str
    local: int
    true: tuple[int, int]
    false: tuple[int, int]


class Saved(NamedTuple):
    """The facts at the beginning of a block."""

    known: dict[int, tuple[int, int]]
    kept: dict[tuple[str, int], int]
    time: int


NOTHING = Saved({}, {}, 0)


class Facts:
    """Intervals of locals, and the table of rows that is kept up to date with them."""

    __slots__ = ("_plain", "_times", "changed", "kept", "known", "off", "operands", "test", "time")

    def __init__(self, operands: list[Entry], off: bool) -> None:
        self.off = off
        self.operands = operands
        """What `local.get` of each local is now."""
        self._plain = tuple(operands)
        self.known: dict[int, tuple[int, int]] = {}
        self.test: Test | None = None
        """What the last comparison says."""
        self.time = 0
        self.changed = 0
        """When the memory may have become another object."""
        self.kept: dict[tuple[str, int], int] = {}
        """What was computed from a local and is kept in a variable, and since when."""
        self._times: dict[int, int] = {}

    def narrow(self, index: int, low: int, high: int) -> None:
        """A local is in this interval from here on."""
        self.known[index] = low, high
        name, flags, _, _ = self.operands[index]
        self.operands[index] = name, flags, low, high

    def forget(self, index: int) -> None:
        """Nothing is known of a local any more."""
        if self.known.pop(index, None) is not None:
            self.operands[index] = self._plain[index]

    def assigned(self, index: int, entry: Entry) -> None:
        """A local was assigned this operand's value."""
        if self.off:
            return
        self.time = self._times[index] = self.time + 1
        for key in [key for key in self.kept if key[1] == index]:
            del self.kept[key]
        _, flags, low, high = entry
        if flags & TRUTH:
            self.narrow(index, 0, 1)
            return
        top = MASK64 if flags & WIDE else MASK32
        if low >= 0 and high <= top and (high < top or low > 0) and (high or flags & CONSTANT):
            self.narrow(index, low, high)
        else:
            self.forget(index)

    def save(self) -> Saved:
        """What is known at the beginning of a block."""
        return Saved(self.known.copy(), self.kept.copy(), self.time)

    def restore(self, saved: Saved) -> None:
        """What is still known where ways from the block meet."""
        if self.off:
            return
        times, then = self._times, saved.time
        self.kept = {key: since for key, since in saved.kept.items() if times.get(key[1], 0) <= then}
        if self.changed > then:
            self.kept = {key: since for key, since in self.kept.items() if key[0] == "r"}
        still = {index: found for index, found in saved.known.items() if times.get(index, 0) <= then}
        for index in [index for index in self.known if index not in still]:
            self.forget(index)
        for index, found in still.items():
            if self.known.get(index) != found:
                self.narrow(index, *found)

    def shared(self, what: str, text: str) -> tuple[str, bool] | None:
        """The variable that keeps what is computed from a local, and whether that has to be computed now."""
        index = local_of(text)
        if index is None or self.off:
            return None
        key = what, index
        new = key not in self.kept
        if new:
            self.kept[key] = self.time
        return f"{what}{index}", new

    def used_again(self, view: str, text: str) -> bool:
        """Whether words were read at this address before, through the same view; it pays to keep that then."""
        index = local_of(text)
        if index is None or self.off:
            return False
        key = view, index
        if key in self.kept:
            return True
        self.kept[key] = self.time
        return False

    def memory_changes(self) -> None:
        """The views of the memory may be other ones from here on."""
        if not self.off:
            self.time = self.changed = self.time + 1
            for key in [key for key in self.kept if key[0] != "r"]:
                del self.kept[key]

    def compared(self, text: str, sign: str, first: Entry, number: int) -> None:
        """Remember what it says of a local that it compares with this, as unsigned numbers."""
        index = local_of(first[0])
        if index is None:
            return
        low, high = first[2], first[3]
        below, above = (low, min(high, number - 1)), (max(low, number), high)
        until, beyond = (low, min(high, number)), (max(low, number + 1), high)
        if sign == "<":
            self.test = Test(text, index, below, above)
        elif sign == ">=":
            self.test = Test(text, index, above, below)
        elif sign == "<=":
            self.test = Test(text, index, until, beyond)
        elif sign == ">":
            self.test = Test(text, index, beyond, until)
        else:
            other = (low + (low == number), high - (high == number))
            same = (max(low, number), min(high, number))
            self.test = Test(text, index, same, other) if sign == "==" else Test(text, index, other, same)

    def compared_signed(self, text: str, sign: str, first: Entry, number: int, half: int) -> None:
        """The same for signed numbers, where the second is not negative."""
        index = local_of(first[0])
        if index is None:
            return
        least = number + (sign in (">", "<="))
        between, anything = (max(first[2], least), min(first[3], half - 1)), (first[2], first[3])
        upwards = sign in (">", ">=")
        self.test = Test(text, index, between if upwards else anything, anything if upwards else between)

    def negated(self, text: str, entry: Entry) -> None:
        """The text says that the operand is zero."""
        test = self._of(entry)
        self.test = test and Test(text, test.local, test.false, test.true)

    def _of(self, entry: Entry) -> Test | None:
        """What a condition says."""
        test = self.test
        if test is not None and test.text is entry[0]:
            return test
        index = local_of(entry[0])
        if index is None or entry[1] & TRUTH or entry[3] > (MASK64 if entry[1] & WIDE else MASK32):
            return None
        return Test(entry[0], index, (max(entry[2], 1), entry[3]), (0, 0))

    def says(self, entry: Entry) -> Test | None:
        """What a condition says, to be used when it has turned out."""
        return None if self.off else self._of(entry)

    def use(self, test: Test | None, holds: bool) -> None:
        """From here on a condition holds, or does not."""
        if test is not None:
            low, high = test.true if holds else test.false
            if low <= high:
                self.narrow(test.local, low, high)

    def in_bounds(self, entry: Entry, top: int) -> None:
        """What was used as an address is not beyond this."""
        index = local_of(entry[0])
        if index is not None and top < entry[3] <= MASK32:
            self.narrow(index, min(entry[2], top), top)
