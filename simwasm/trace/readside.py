"""The exchanges of a run as `align.py` wants them, told from rows that are all read."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from simwasm.abi.table import ALLOCATORS
from simwasm.trace.alike import compared, names_of
from simwasm.trace.event import Trapped
from simwasm.trace.rows import Kind, Row, Rows
from simwasm.trace.sides import Likeness


class _Marks(NamedTuple):
    """The rows of a callback that were read."""

    all: Sequence[Likeness]
    """Of the whole run."""
    inside: range

    @property
    def spelled(self) -> Sequence[Hashable]:
        return [likeness.content for likeness in self.all[self.inside.start : self.inside.stop]]

    def likeness(self, row: int, /) -> Likeness:
        return self.all[self.inside.start + row]


class _Block(NamedTuple):
    """A callback of rows that were read."""

    rows: range
    content: int
    closed: bool
    all: Sequence[Likeness]

    @property
    def heading(self) -> Hashable:
        return self.all[self.rows.start].content

    @property
    def callback(self) -> Hashable:
        return self.all[self.rows.start].name

    def marks(self) -> _Marks:
        return _Marks(self.all, self.rows)


class _Blocks(NamedTuple):
    """The callbacks of an exchange."""

    all: tuple[_Block, ...]

    @property
    def contents(self) -> Sequence[int]:
        return [block.content for block in self.all]

    def rows(self, first: int, end: int, /) -> range:
        return range(self._row(first), self._row(end))

    def _row(self, at: int) -> int:
        return self.all[at].rows.start if at < len(self.all) else self.all[-1].rows.stop

    def some(self, first: int, end: int, /) -> Sequence[_Block]:
        return self.all[first:end]


class _Exchange(NamedTuple):
    """An exchange of rows that were read."""

    blocks: _Blocks
    content: int
    callbacks: int
    opens: bool

    @property
    def rows(self) -> range:
        return self.blocks.rows(0, len(self.blocks.all))

    def inside(self) -> _Blocks:
        return self.blocks


def exchanges_in(rows: Rows) -> Sequence[_Exchange]:
    """Read all rows of a run."""
    found: list[Likeness] = []
    starts: list[int] = []
    streams: set[int] = set()
    closing: set[int] = set()
    for index in range(len(rows)):
        row = rows[index]
        found.append(_likeness(row))
        if not row.depth and row.kind in (Kind.CALLBACK, Kind.HOST_CALL):
            if _opens_stream(row):
                streams.add(len(starts))
            starts.append(index)
        elif not row.depth:
            closing.add(index)
    ends = [*starts[1:], len(found)][: len(starts)]
    blocks = [
        _Block(
            range(first, end),
            hash(tuple([likeness.content for likeness in found[first:end]])),
            end - 1 in closing,
            found,
        )
        for first, end in zip(starts, ends, strict=True)
    ]
    return list(_exchanges(blocks, streams))


def _likeness(row: Row) -> Likeness:
    name = row.entered.function.name
    alike, args = (row.kind, name), _args(row)
    return Likeness(
        hash((*alike, args, _answer(row))),
        hash((name, args)),
        hash((*alike, _args(row, naming=True))),
        hash(alike),
    )


def _opens_stream(row: Row) -> bool:
    """Whether a row creates the context of a stream, whose parent is a root."""
    return row.entered.function.name == "proxy_on_context_create" and row.entered.args[1:] != (0,)


def _exchanges(blocks: list[_Block], streams: set[int]) -> Iterator[_Exchange]:
    start = 0
    for at in range(1, len(blocks) + 1):
        if at == len(blocks) or (at in streams and at - 1 not in streams):
            inside = tuple(blocks[start:at])
            content = hash(tuple(block.content for block in inside))
            yield _Exchange(
                _Blocks(inside), content, hash(tuple(block.heading for block in inside)), start in streams
            )
            start = at


def _args(row: Row, *, naming: bool = False) -> Hashable:
    """What a call was given: without the host's numbers; or only what names a thing, such as a header's key."""
    if row.kind in (Kind.RETURN, Kind.TRAP):
        return ()
    function = row.entered.function
    return _chosen(row.entered.args, names_of(function) if naming else compared(function.inputs))


def _chosen(values: tuple[Any, ...], indices: tuple[int, ...]) -> Hashable:
    return tuple([_hashable(values[index]) for index in indices if index < len(values)])


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
