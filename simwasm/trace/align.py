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
from typing import Any, NamedTuple, Protocol, TypeVar, cast, overload

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


class Tally(NamedTuple):
    """How many exchanges are the same, differ, and are in one of the runs alone."""

    same: int
    different: int
    only_left: int
    only_right: int


class Alignment(Sequence[Pair]):
    """The pairs, in an order in which both runs can be read; nine bytes for each."""

    def __init__(self, left: Rows, right: Rows) -> None:
        self.left = left
        self.right = right
        self._lefts = array("i")
        self._rights = array("i")
        self._differences = array("b")
        self._tally = [0, 0, 0, 0]

    def add(self, left: int, right: int, difference: Difference) -> None:
        """Put a pair behind the others; -1 stands for none."""
        self._lefts.append(left)
        self._rights.append(right)
        self._differences.append(_ORDER.index(difference))

    def same_rows(self, left: range, right: range) -> None:
        """Put pairs of equal rows behind the others."""
        self._lefts.extend(left)
        self._rights.extend(right)
        self._differences.frombytes(bytes(len(left)))

    def count(self, number: int, *, left: bool = True, right: bool = True, since: int = -1) -> None:
        """Count exchanges, which have been put behind the others; they may differ from a pair on."""
        if left and right:
            self._tally[since >= 0 and any(self._differences[since:])] += number
        else:
            self._tally[2 if left else 3] += number

    @property
    def exchanges(self) -> Tally:
        """What there is to say of exchanges as a whole."""
        return Tally(*self._tally)

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


class Marks(NamedTuple):
    """What stands for each row of a callback, at four degrees of likeness: equal marks are equal rows."""

    contents: Sequence[Hashable]
    """The whole row."""
    called: Sequence[Hashable]
    """The function and its arguments."""
    calls: Sequence[Hashable]
    """The function and what the call is about."""
    names: Sequence[Hashable]
    """The function."""


class Block(Protocol):
    """A callback of the host with all that is in it."""

    @property
    def rows(self) -> range:
        """Its rows."""
        ...

    @property
    def spelled(self) -> Hashable:
        """What stands for all of it as it is spelled: blocks may be the same though it differs."""
        ...

    @property
    def content(self) -> Hashable:
        """What stands for all of it."""
        ...

    @property
    def heading(self) -> Hashable:
        """What stands for its first row."""
        ...

    @property
    def callback(self) -> Hashable:
        """What stands for its function."""
        ...

    @property
    def closed(self) -> bool:
        """Whether its last row is where it returned or trapped."""
        ...

    def marks(self) -> Marks:
        """What stands for its rows."""
        ...


class Exchange(Protocol):
    """The callbacks from one stream's creation to the next one's."""

    @property
    def rows(self) -> range:
        """Its rows."""
        ...

    @property
    def content(self) -> Hashable:
        """What stands for all of it."""
        ...

    @property
    def callbacks(self) -> Hashable:
        """What stands for the first rows of its callbacks."""
        ...

    @property
    def opens(self) -> bool:
        """Whether a stream is created in it; what comes before the first one is no exchange of anybody's."""
        ...

    def inside(self) -> Sequence[Block]:
        """Its callbacks."""
        ...


def align(left: Rows, right: Rows) -> Alignment:
    """Put the rows of two runs side by side."""
    return aligned(Alignment(left, right), exchanges_in(left), exchanges_in(right))


def aligned(found: Alignment, left: Sequence[Exchange], right: Sequence[Exchange]) -> Alignment:
    """Put the exchanges of two runs side by side, wherever their rows are."""
    for a, b in together(left, right, (_content, _callbacks, _any)):
        start = len(found)
        if a and b and a.content == b.content and len(a.rows) == len(b.rows):
            found.same_rows(a.rows, b.rows)
        else:
            _inside(found, a.inside() if a else (), b.inside() if b else ())
        if (a and a.opens) or (b and b.opens):
            found.count(1, left=a is not None, right=b is not None, since=start)
    return found


def _inside(found: Alignment, left: Sequence[Block], right: Sequence[Block]) -> None:
    """The callbacks of two exchanges; those that they begin and end with in the same spelling are not looked at."""
    most = min(len(left), len(right))
    before = next((at for at in range(most) if _differ(left[at], right[at])), most)
    most -= before
    behind = next((at for at in range(most) if left[-1 - at].spelled != right[-1 - at].spelled), most)
    ends = len(left) - behind, len(right) - behind
    _same(found, left[:before], right[:before])
    for one, other in together(
        left[before : ends[0]], right[before : ends[1]], (_content, _heading, _callback)
    ):
        _blocks(found, one, other)
    _same(found, left[ends[0] :], right[ends[1] :])


def _differ(one: Block, other: Block) -> bool:
    return one.spelled != other.spelled and one.content != other.content


def _same(found: Alignment, left: Sequence[Block], right: Sequence[Block]) -> None:
    if left:
        found.same_rows(*(range(side[0].rows.start, side[-1].rows.stop) for side in (left, right)))


class _Block(NamedTuple):
    """A callback of rows that were read."""

    rows: range
    content: int
    heading: int
    callback: int
    closed: bool
    all: Marks

    @property
    def spelled(self) -> int:
        return self.content

    def marks(self) -> Marks:
        first, end = self.rows.start, self.rows.stop
        return Marks(*(marks[first:end] for marks in self.all))


class _Exchange(NamedTuple):
    """An exchange of rows that were read."""

    blocks: tuple[_Block, ...]
    content: int
    callbacks: int
    opens: bool

    @property
    def rows(self) -> range:
        return range(self.blocks[0].rows.start, self.blocks[-1].rows.stop)

    def inside(self) -> Sequence[Block]:
        return self.blocks


def _content(item: Block | Exchange) -> Hashable:
    return item.content


def _heading(block: Block) -> Hashable:
    return block.heading


def _callback(block: Block) -> Hashable:
    return block.callback


def _callbacks(exchange: Exchange) -> Hashable:
    return exchange.callbacks


def _any(item: object) -> int:
    return 0


def exchanges_in(rows: Rows) -> Sequence[Exchange]:
    """Read all rows of a run."""
    marks = Marks([], [], [], [])
    contents, called, calls, names = cast(tuple[list[int], ...], marks)
    starts: list[int] = []
    streams: set[int] = set()
    closing: set[int] = set()
    for index in range(len(rows)):
        row = rows[index]
        alike = (row.kind, row.entered.function.name)
        args = _args(row)
        contents.append(hash((*alike, args, _answer(row))))
        called.append(hash((row.entered.function.name, args)))
        calls.append(hash((*alike, _args(row, naming=True))))
        names.append(hash(alike))
        if not row.depth and row.kind in (Kind.CALLBACK, Kind.HOST_CALL):
            if _opens_stream(row):
                streams.add(len(starts))
            starts.append(index)
        elif not row.depth:
            closing.add(index)
    ends = [*starts[1:], len(contents)][: len(starts)]
    blocks = [
        _Block(
            range(first, end),
            hash(tuple(contents[first:end])),
            contents[first],
            names[first],
            end - 1 in closing,
            marks,
        )
        for first, end in zip(starts, ends, strict=True)
    ]
    return list(_exchanges(blocks, streams))


def _opens_stream(row: Row) -> bool:
    """Whether a row creates the context of a stream, whose parent is a root."""
    return row.entered.function.name == "proxy_on_context_create" and row.entered.args[1:] != (0,)


def _exchanges(blocks: list[_Block], streams: set[int]) -> Iterator[_Exchange]:
    start = 0
    for at in range(1, len(blocks) + 1):
        if at == len(blocks) or (at in streams and at - 1 not in streams):
            inside = tuple(blocks[start:at])
            content = hash(tuple(block.content for block in inside))
            yield _Exchange(inside, content, hash(tuple(block.heading for block in inside)), start in streams)
            start = at


def together(
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
        yield from together(left[a:i], right[b:j], others)
        if i < len(left):
            yield left[i], right[j]
        a, b = i + 1, j + 1


def _blocks(found: Alignment, one: Block | None, other: Block | None) -> None:
    """The rows of two callbacks, or of one without a partner."""
    if one is None or other is None:
        for index in one.rows if one else ():
            found.add(index, -1, Difference.ONLY_LEFT)
        for index in other.rows if other else ():
            found.add(-1, index, Difference.ONLY_RIGHT)
    elif one.content == other.content and len(one.rows) == len(other.rows):
        found.same_rows(one.rows, other.rows)
    else:
        _rows(found, one, other)


def _rows(found: Alignment, one: Block, other: Block) -> None:
    """The rows of two callbacks that belong together and differ."""
    sides = one.marks(), other.marks()
    bases = one.rows.start, other.rows.start
    ends = [len(one.rows), len(other.rows)]
    if ended := one.closed and other.closed:
        ends = [end - 1 for end in ends]
    # their first rows belong together, however the callback was called; and so do those where both have ended
    _pair(found, sides, bases, 0, 0)
    first, behind = _ends_same(sides, ends)
    found.same_rows(*(range(base + 1, base + first) for base in bases))
    inner = [[(which, index) for index in range(first, end - behind)] for which, end in enumerate(ends)]
    keys = [_key(both) for both in zip(*sides, strict=True)]
    for a, b in together(inner[0], inner[1], (keys[0], keys[2], keys[3])):
        _pair(found, sides, bases, a[1] if a else -1, b[1] if b else -1)
    found.same_rows(*(range(base + end - behind, base + end) for base, end in zip(bases, ends, strict=True)))
    if ended:
        _pair(found, sides, bases, *ends)


def _ends_same(sides: tuple[Marks, Marks], ends: list[int]) -> tuple[int, int]:
    """Up to which row two callbacks begin alike behind their first one, and with how many rows they end alike."""
    one, other = sides[0].contents, sides[1].contents
    first, most, behind = 1, min(ends), 0
    while first < most and one[first] == other[first]:
        first += 1
    while behind < most - first and one[ends[0] - 1 - behind] == other[ends[1] - 1 - behind]:
        behind += 1
    return first, behind


def _key(marks: tuple[Sequence[Hashable], Sequence[Hashable]]) -> Callable[[tuple[int, int]], Hashable]:
    return lambda item: marks[item[0]][item[1]]


def _pair(
    found: Alignment, sides: tuple[Marks, Marks], bases: tuple[int, int], left: int, right: int
) -> None:
    """Two rows of two callbacks, by their places in them."""
    if left < 0 or right < 0:
        alone = Difference.ONLY_RIGHT if left < 0 else Difference.ONLY_LEFT
        found.add(bases[0] + left if left >= 0 else -1, bases[1] + right if right >= 0 else -1, alone)
        return
    one, other = sides
    if one.contents[left] == other.contents[right]:
        differs = Difference.SAME
    else:
        same_call = one.called[left] == other.called[right]
        differs = Difference.RESULT if same_call else Difference.ARGUMENTS
    found.add(bases[0] + left, bases[1] + right, differs)


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
    if value.__class__ is int and value < 0:
        return str(value)  # -1 and -2 have the same hash
    return value if isinstance(value, Hashable) else repr(value)
