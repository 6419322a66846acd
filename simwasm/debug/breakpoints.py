"""Breakpoints: where to stop, how often to go by, and what to say in passing.

The run is on tape, so where a breakpoint is hit is a question about the tape, in both directions. Rules:

- functions are named, never numbered, so that breakpoints outlive a rebuild; one that means nothing now is suspended,
  says why, and is kept;
- the newest event of a tape may not be known in full yet, so whoever has just been told of it says so (`until`);
- a breakpoint with a message says it and does not stop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary, ref

from simwasm.debug.code_places import CodePlace
from simwasm.debug.expressions import Expression
from simwasm.debug.hits import Hits
from simwasm.debug.logpoints import message
from simwasm.debug.tape import Tape
from simwasm.debug.where import MemoryRange, Where, understand
from simwasm.errors import InputError
from simwasm.trace.query.syntax import QueryError

_RULE = re.compile(r"\s*(?:(?P<from>\d{1,9})|>\s*(?P<after>\d{1,9})|(?:%|every)\s*(?P<every>\d{1,9}))\s*")


_SAYS_NOTHING = "a place in code stops and says nothing: take a function of the ABI for a message"


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """One of them, as it was set."""

    number: int
    where: str
    condition: str = ""
    ignore: int = 0
    """So many hits go by before one stops."""
    every: int = 1
    """Of those that come after, each so-manieth stops."""
    message: str = ""
    """What to say in place of stopping."""
    enabled: bool = True
    temporary: bool = False
    """It goes once it has stopped the run."""

    @property
    def suspended(self) -> str:
        """Why it means nothing; empty if it does."""
        return _problem(self.where, self.condition, self.message)

    @property
    def memory(self) -> MemoryRange | None:
        """The bytes that it waits for, if it does."""
        return None if self.suspended else understand(self.where, self.condition).memory

    @property
    def code(self) -> CodePlace | None:
        """The place in code that it waits for, if it does."""
        return None if self.suspended else understand(self.where, self.condition).code

    @property
    def expression(self) -> Expression | None:
        """What must be true there, of one that waits for a place in code."""
        return None if self.suspended else understand(self.where, self.condition).expression

    @property
    def stops(self) -> bool:
        """Whether it can stop the run."""
        return self.enabled and not self.message and not self.suspended

    def check(self) -> None:
        """See that it means something; a `QueryError` if not."""
        understood = understand(self.where, self.condition)
        message(self.message)
        if understood.code is not None and self.message:
            raise QueryError(_SAYS_NOTHING, 0)

    def counts(self, hit: int) -> bool:
        """Whether the so-manieth hit, from 1, is one that stops."""
        return hit > self.ignore and (hit - self.ignore) % self.every == 0

    def following(self, hit: int) -> int:
        """The first hit from this one on that stops."""
        past = max(hit - self.ignore, 1)
        return self.ignore + -(-past // self.every) * self.every

    def preceding(self, hit: int) -> int:
        """The last hit up to this one that stops; 0 or less if none does."""
        past = (hit - self.ignore) // self.every * self.every
        return self.ignore + past if past > 0 else 0

    @property
    def rule(self) -> str:
        """The hit rule, as `hit_rule` reads it."""
        if self.every > 1:
            return f"every {self.every}"
        return f">{self.ignore}" if self.ignore else ""


@lru_cache(maxsize=1024)
def _problem(where: str, condition: str, said: str) -> str:
    try:
        understood = understand(where, condition)
        message(said)
        if understood.code is not None and said:
            return _SAYS_NOTHING
    except QueryError as error:
        return str(error)
    return ""


def hit_rule(text: str) -> dict[str, int]:
    """What was typed about hits: `3` is from the third on, `>3` after the third, `every 10` or `%10` each tenth."""
    if not text.strip():
        return {"ignore": 0, "every": 1}
    found = _RULE.fullmatch(text)
    number = int(next(filter(None, found.groups()))) if found else 0
    if found is None or (not number and not found["after"]):
        raise InputError(f"`{text}` is no rule for hits; write `3` (from the third on), `>3` or `every 10`")
    if found["every"]:
        return {"ignore": 0, "every": number}
    return {"ignore": number - (found["after"] is None), "every": 1}


class Breakpoints:
    """All breakpoints, in the order of their numbers."""

    def __init__(self) -> None:
        self.serial = 0
        """Counts changes."""
        self._all: tuple[Breakpoint, ...] = ()
        self._next = 1
        self._hits: WeakKeyDictionary[Tape, dict[tuple[str, str, bool], Hits]] = WeakKeyDictionary()
        self._stops: tuple[int, ref[Tape] | None, tuple[tuple[Breakpoint, Hits], ...]] = (-1, None, ())

    def __iter__(self) -> Iterator[Breakpoint]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def all(self) -> tuple[Breakpoint, ...]:
        """All of them, as a value."""
        return self._all

    def get(self, number: int) -> Breakpoint:
        """The one of that number."""
        for breakpoint in self._all:
            if breakpoint.number == number:
                return breakpoint
        raise InputError(f"there is no breakpoint {number}")

    def find(self, where: str) -> Breakpoint | None:
        """The one that was set there."""
        return next((breakpoint for breakpoint in self._all if breakpoint.where == where), None)

    # Changes.

    def add(self, where: str, **settings: Any) -> Breakpoint:
        """Set one; a `QueryError` if it means nothing. Settings are the other fields of a `Breakpoint`."""
        breakpoint = _valid(Breakpoint(self._next, where.strip(), **settings))
        breakpoint.check()
        self._set((*self._all, breakpoint))
        self._next += 1
        return breakpoint

    def change(self, number: int, **settings: Any) -> Breakpoint:
        """Set it another way; a `QueryError` if it would mean nothing."""
        changed = _valid(replace(self.get(number), **settings))
        if {"where", "condition", "message"} & settings.keys():
            changed.check()
        self._set(tuple(changed if each.number == number else each for each in self._all))
        return changed

    def remove(self, number: int) -> Breakpoint:
        """Take it away."""
        removed = self.get(number)
        self._set(tuple(each for each in self._all if each is not removed))
        return removed

    def clear(self) -> None:
        """Take all away."""
        self._set(())

    def stopped(self, numbers: Iterable[int]) -> None:
        """These have stopped the run: temporary ones go."""
        gone = set(numbers)
        kept = tuple(each for each in self._all if not (each.temporary and each.number in gone))
        if len(kept) < len(self._all):
            self._set(kept)

    def _set(self, breakpoints: tuple[Breakpoint, ...]) -> None:
        self._all = breakpoints
        self.serial += 1

    # Hits.

    def hits(self, number: int, tape: Tape, until: int = 0) -> Hits:
        """Where it is come by on a tape, whether that stops or not."""
        return self._of(self.get(number), tape, until)

    def feed(self, number: int, tape: Tape, positions: Iterable[int], until: int) -> None:
        """Tell where the bytes were written that it waits for, up to a position; in order."""
        self._of(self.get(number), tape, 0).feed(tape, positions, until)

    def next_hit(self, tape: Tape, position: int, *, back: bool = False, until: int = 0) -> int | None:
        """The nearest position behind this one, or before it, where one stops; None if there is none on tape."""
        found = []
        for breakpoint, hits in self._stopping(tape):
            hits.grow(tape, _known(tape, until))
            here = hits.count(position - 1 if back else position)
            hit = breakpoint.preceding(here) if back else breakpoint.following(here + 1)
            if 0 < hit <= len(hits):
                found.append(hits[hit - 1])
        return (max if back else min)(found, default=None)

    def matches(self, tape: Tape, position: int) -> tuple[int, ...]:
        """The numbers of those that stop at a position."""
        found = []
        for breakpoint, hits in self._stopping(tape):
            hits.grow(tape, _known(tape, position))
            if (hit := hits.number(position)) and breakpoint.counts(hit):
                found.append(breakpoint.number)
        return tuple(found)

    def log_lines(self, tape: Tape, first: int = 1, last: int | None = None) -> tuple[tuple[int, str], ...]:
        """What is said in passing between two positions: where, and what."""
        found: list[tuple[int, str]] = []
        for breakpoint in self._all:
            if breakpoint.message and breakpoint.enabled and not breakpoint.suspended:
                hits, said = self._of(breakpoint, tape, last or 0), message(breakpoint.message)
                found += [
                    (position, said.text(tape, position))
                    for position in hits.positions(first, last)
                    if breakpoint.counts(hits.number(position))
                ]
        return tuple(sorted(found, key=lambda line: line[0]))

    def _stopping(self, tape: Tape) -> Sequence[tuple[Breakpoint, Hits]]:
        """Those that can stop the run, with their indices: asked for at every event, so it is kept."""
        serial, of, found = self._stops
        if serial != self.serial or of is None or of() is not tape:
            serial = self.serial
            found = tuple((each, self._index(each, tape)) for each in self._all if each.stops)
            self._stops = serial, ref(tape), found
        return found

    def _of(self, breakpoint: Breakpoint, tape: Tape, until: int) -> Hits:
        """The index, as far as it can be."""
        found = self._index(breakpoint, tape)
        found.grow(tape, _known(tape, until))
        return found

    def _index(self, breakpoint: Breakpoint, tape: Tape) -> Hits:
        if breakpoint.suspended:
            return Hits(Where(None))
        ends = message(breakpoint.message).ends
        key = (breakpoint.where, breakpoint.condition, ends)
        indices = self._hits.setdefault(tape, {})
        found = indices.get(key)
        if found is None:
            where = understand(breakpoint.where, breakpoint.condition)
            found = indices.setdefault(key, Hits(where, ends=ends))
        return found

    # Session files.

    def to_json(self) -> list[dict[str, Any]]:
        """All of them as plain values; what is as it always is, is left out."""
        usual = asdict(Breakpoint(0, ""))
        return [
            {name: value for name, value in asdict(each).items() if value != usual[name]}
            for each in self._all
        ]

    def load(self, content: object) -> None:
        """Take those that `to_json` gave in place of all there are; one that means nothing now is suspended."""
        if not isinstance(content, list):
            raise InputError(f"breakpoints are a list of objects, not {content!r:.100}")
        loaded = sorted((_from_json(each) for each in content), key=lambda each: each.number)
        if len({each.number for each in loaded}) < len(loaded):
            raise InputError("two breakpoints have the same number")
        self._next = max((each.number for each in loaded), default=0) + 1
        self._set(tuple(loaded))


def _known(tape: Tape, until: int) -> int:
    """Up to where a tape is known in full."""
    return max(until, len(tape) if tape.complete else len(tape) - 1)


_KINDS: dict[str, type] = {
    each.name: {"int": int, "str": str, "bool": bool}[str(each.type)] for each in fields(Breakpoint)
}


def _from_json(content: object) -> Breakpoint:
    if not isinstance(content, dict) or not {"number", "where"} <= content.keys():
        raise InputError(f"a breakpoint is an object with `number` and `where`, not {content!r:.100}")
    for name, value in content.items():
        if type(value) is not _KINDS.get(name):
            raise InputError(f"a breakpoint has no `{name!s:.40}` that is {value!r:.100}")
    return _valid(Breakpoint(**content))


def _valid(breakpoint: Breakpoint) -> Breakpoint:
    if breakpoint.number < 1 or breakpoint.ignore < 0 or breakpoint.every < 1:
        raise InputError(
            f"breakpoint {breakpoint.number}: `ignore` is 0 or more, numbers and `every` 1 or more"
        )
    return breakpoint
