"""Two runs side by side, aligned by call: what is the same, what answers differently, what only one of them has.

    for pair in align(before.rows, after.rows).changes(): print(explain(…))

Exchanges are put together first, then the callbacks of two exchanges, then the calls inside two callbacks; each time
what is equal finds its partner before what is merely alike. Rules: what the host counts (contexts, callouts) and where
the guest's allocator puts things do not make a difference; nothing here takes time by the product of two lengths.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from enum import Enum
from functools import cache
from typing import Any, NamedTuple, TypeVar, overload

from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import ALLOCATORS, Function
from simwasm.trace.event import Trapped
from simwasm.trace.matching import matches
from simwasm.trace.rows import Kind, Row, Rows

T = TypeVar("T")


class Difference(Enum):
    """How two rows differ; the value is its mark."""

    SAME = " "
    RESULT = "≠"
    ARGUMENTS = "~"
    ONLY_LEFT = "-"
    ONLY_RIGHT = "+"


class Pair(NamedTuple):
    """Two rows that belong together, or one that has no partner."""

    left: int | None
    right: int | None
    difference: Difference


_ORDER = tuple(Difference)
_NUMBERED = frozenset(("context_id", "parent_context_id", "call_id"))
"""What the host counts: it shifts when something is added elsewhere."""
_NAMES = frozenset(("key", "name", "upstream", "service", "method", "function", "vm_id"))


class Alignment(Sequence[Pair]):
    """The pairs, in an order in which both runs can be read; nine bytes for each."""

    def __init__(self, left: Rows, right: Rows) -> None:
        self.left = left
        self.right = right
        self._lefts = array("i")
        self._rights = array("i")
        self._differences = array("b")

    def add(self, left: int, right: int, difference: Difference) -> None:
        """Put a pair behind the others; -1 stands for none."""
        self._lefts.append(left)
        self._rights.append(right)
        self._differences.append(_ORDER.index(difference))

    def __len__(self) -> int:
        return len(self._differences)

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        if isinstance(index, slice):
            return [self[at] for at in range(len(self))[index]]
        left, right = self._lefts[index], self._rights[index]
        difference = _ORDER[self._differences[index]]
        return Pair(None if left < 0 else left, None if right < 0 else right, difference)

    @property
    def same(self) -> bool:
        """Whether the two runs do not differ."""
        return not any(self._differences)

    def changes(self) -> Iterator[int]:
        """Where the pairs are that differ."""
        return (at for at, difference in enumerate(self._differences) if difference)

    def rows(self, pair: Pair) -> tuple[Row | None, Row | None]:
        """The rows of a pair."""
        left = None if pair.left is None else self.left[pair.left]
        right = None if pair.right is None else self.right[pair.right]
        return left, right


def align(left: Rows, right: Rows) -> Alignment:
    """Put the rows of two runs side by side."""
    found = Alignment(left, right)
    sides = _read(left), _read(right)
    for a, b in _together(sides[0].exchanges, sides[1].exchanges, (_content, _callbacks, _any)):
        inner = _together(a.inside if a else (), b.inside if b else (), (_content, _heading, _callback))
        for one, other in inner:
            _rows(found, sides, one, other)
    return found


class _Block(NamedTuple):
    """A callback of the host with all that is in it."""

    first: int
    end: int
    """Behind its last row."""
    content: int
    heading: int
    callback: int


class _Exchange(NamedTuple):
    """The callbacks from one stream's creation to the next one's."""

    inside: tuple[_Block, ...]
    content: int
    callbacks: int


class _Side(NamedTuple):
    """One run: what stands for each of its rows, at three degrees of likeness, and its exchanges."""

    contents: list[int]
    calls: list[int]
    names: list[int]
    exchanges: list[_Exchange]


def _content(item: _Block | _Exchange) -> int:
    return item.content


def _heading(block: _Block) -> int:
    return block.heading


def _callback(block: _Block) -> int:
    return block.callback


def _callbacks(exchange: _Exchange) -> int:
    return exchange.callbacks


def _any(item: object) -> int:
    return 0


def _read(rows: Rows) -> _Side:
    contents: list[int] = []
    calls: list[int] = []
    names: list[int] = []
    starts: list[int] = []
    streams: set[int] = set()
    for index in range(len(rows)):
        row = rows[index]
        alike = (row.kind, row.entered.function.name)
        called = (*alike, _args(row, naming=True))
        contents.append(hash((*alike, _args(row), _answer(row))))
        calls.append(hash(called))
        names.append(hash(alike))
        if not row.depth and row.kind in (Kind.CALLBACK, Kind.HOST_CALL):
            if _opens_stream(row):
                streams.add(len(starts))
            starts.append(index)
    ends = [*starts[1:], len(contents)][: len(starts)]
    blocks = [
        _Block(first, end, hash(tuple(contents[first:end])), contents[first], names[first])
        for first, end in zip(starts, ends, strict=True)
    ]
    return _Side(contents, calls, names, list(_exchanges(blocks, streams)))


def _opens_stream(row: Row) -> bool:
    """Whether a row creates the context of a stream, whose parent is a root."""
    return row.entered.function.name == "proxy_on_context_create" and row.entered.args[1:] != (0,)


def _exchanges(blocks: list[_Block], streams: set[int]) -> Iterator[_Exchange]:
    start = 0
    for at in range(1, len(blocks) + 1):
        if at == len(blocks) or (at in streams and at - 1 not in streams):
            inside = tuple(blocks[start:at])
            content = hash(tuple(block.content for block in inside))
            yield _Exchange(inside, content, hash(tuple(block.heading for block in inside)))
            start = at


def _together(
    left: Sequence[T], right: Sequence[T], keys: Sequence[Callable[[T], Hashable]]
) -> Iterator[tuple[T | None, T | None]]:
    """Pairs of what is equal by the first key, between those by the next one, and at last what is alone."""
    if not keys or not left or not right:
        yield from ((item, None) for item in left)
        yield from ((None, item) for item in right)
        return
    key, *others = keys
    a = b = 0
    for i, j in [
        *matches([key(item) for item in left], [key(item) for item in right]),
        (len(left), len(right)),
    ]:
        yield from _together(left[a:i], right[b:j], others)
        if i < len(left):
            yield left[i], right[j]
        a, b = i + 1, j + 1


def _rows(found: Alignment, sides: tuple[_Side, _Side], one: _Block | None, other: _Block | None) -> None:
    """The rows of two callbacks, or of one without a partner."""
    left = range(one.first, one.end) if one else range(0)
    right = range(other.first, other.end) if other else range(0)
    if one and other and one.content == other.content and len(left) == len(right):
        for i, j in zip(left, right, strict=True):
            found.add(i, j, Difference.SAME)
        return
    marked = [(False, index) for index in left], [(True, index) for index in right]
    keys = [_key(sides, which) for which in ("contents", "calls", "names")]
    ends = _last_rows(found, one, other)
    if ends:
        marked = marked[0][:-1], marked[1][:-1]
    if one and other:  # their first rows belong together, however the callback was called
        _pair(found, one.first, other.first)
        marked = marked[0][1:], marked[1][1:]
    for a, b in _together(*marked, keys):
        _pair(found, a[1] if a else -1, b[1] if b else -1)
    if ends:
        _pair(found, *ends)


def _key(sides: tuple[_Side, _Side], which: str) -> Callable[[tuple[bool, int]], Hashable]:
    keys = [getattr(side, which) for side in sides]
    return lambda item: keys[item[0]][item[1]]


def _last_rows(found: Alignment, one: _Block | None, other: _Block | None) -> tuple[int, int] | None:
    """The rows where two callbacks have returned or trapped, if both have."""
    if one is None or other is None:
        return None
    i, j = one.end - 1, other.end - 1
    both = all(
        row.kind in (Kind.RETURN, Kind.TRAP) and not row.depth for row in (found.left[i], found.right[j])
    )
    return (i, j) if both else None


def _pair(found: Alignment, left: int, right: int) -> None:
    if left < 0 or right < 0:
        found.add(left, right, Difference.ONLY_RIGHT if left < 0 else Difference.ONLY_LEFT)
    else:
        found.add(left, right, difference(found.left[left], found.right[right]))


def difference(left: Row, right: Row) -> Difference:
    """How two rows differ that belong together."""
    if _called(left) != _called(right):
        return Difference.ARGUMENTS
    return Difference.SAME if _answer(left) == _answer(right) else Difference.RESULT


def _called(row: Row) -> Hashable:
    return row.entered.function.name, _args(row)


def _args(row: Row, *, naming: bool = False) -> Hashable:
    """What a call was given: without the host's numbers; or only what names a thing, such as a header's key."""
    if row.kind in (Kind.RETURN, Kind.TRAP):
        return ()
    function = row.entered.function
    return _chosen(row.entered.args, names_of(function) if naming else compared(function.inputs))


def _chosen(values: tuple[Any, ...], indices: tuple[int, ...]) -> Hashable:
    return tuple([_hashable(values[index]) for index in indices if index < len(values)])


@cache
def compared(params: tuple[Param, ...]) -> tuple[int, ...]:
    """Which values of these parameters make a difference."""
    return tuple(index for index, param in enumerate(params) if param.name not in _NUMBERED)


@cache
def names_of(function: Function) -> tuple[int, ...]:
    """Which arguments say what a call is about."""
    return tuple(
        index
        for index, param in enumerate(function.inputs)
        if param.form in (Form.ENUM, Form.PATH) or param.name in _NAMES
    )


def _answer(row: Row) -> Hashable:
    """What a row tells of how its call ended: nothing where a row of its own does."""
    ended = row.ended
    if row.kind is Kind.CALLBACK:
        return None
    if isinstance(ended, Trapped):
        return ended.trap.kind, ended.trap.detail
    if ended is None:
        return "open"
    if row.entered.function.name in ALLOCATORS:
        return bool(ended.result)
    return ended.result, _chosen(ended.values, compared(row.entered.function.outputs))


def _hashable(value: Any) -> Hashable:
    if isinstance(value, (tuple, list)):
        return tuple([_hashable(item) for item in value])
    return value if isinstance(value, Hashable) else repr(value)
