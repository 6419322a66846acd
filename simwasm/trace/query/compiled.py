"""A tree of the filter language made into a test: closures that are put together once.

Rule: parts are asked in the order of what they cost, which nobody can see, since they change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simwasm.abi.table import Function
from simwasm.trace.event import Left, Trapped
from simwasm.trace.query.names import nearest
from simwasm.trace.query.subject import NOWHERE, RowSubject, Subject, Surroundings
from simwasm.trace.query.syntax import Any, Comparison, Node, Not, QueryError, Text, parse
from simwasm.trace.query.terms import Term, known, term
from simwasm.trace.query.values import Shape, fits, holds, negative
from simwasm.trace.rows import Kind, Row

Test = Callable[[Subject], object]

_COSTS = {Shape.PROSE: 3, Shape.TIME: 2, Shape.ANY: 2}


@dataclass(frozen=True, slots=True)
class Query:
    """A filter: `query(row, surroundings)` says whether a row is meant."""

    text: str
    node: Node
    ends: bool
    """It can only be answered when the call has ended."""
    test: Test = field(compare=False, repr=False)
    alternatives: tuple[Query, ...] = field(default=(), compare=False, repr=False)
    """What it is an `or` of; itself alone if it is none."""

    def __call__(self, row: Row, around: Surroundings = NOWHERE) -> bool:
        return bool(self.test(RowSubject(row, around)))


def compile(text: str) -> Query:
    """The query that a text is; a text that is none is a `QueryError`."""
    return of_tree(parse(text), text)


def of_tree(node: Node, text: str = "") -> Query:
    """The query of a tree."""
    built = _build(node)
    query = Query(text or str(node), node, built.ends, built.test)
    parts = tuple(of_tree(part) for part in node.parts) if isinstance(node, Any) else (query,)
    return Query(query.text, node, query.ends, query.test, parts)


class _Built(NamedTuple):
    test: Test
    ends: bool
    cost: int


def _build(node: Node) -> _Built:
    if isinstance(node, Comparison):
        return _comparison(node)
    if isinstance(node, Text):
        return _word(node)
    if isinstance(node, Not):
        inner = _build(node.inner)
        wanted = inner.test
        return _Built(lambda subject: not wanted(subject), inner.ends, inner.cost)
    parts = sorted(map(_build, node.parts), key=lambda part: part.cost)
    join = _any_of if isinstance(node, Any) else _all_of
    tests = [part.test for part in parts]
    return _Built(
        join(tests), any(part.ends for part in parts), max((part.cost for part in parts), default=0)
    )


def _all_of(tests: Sequence[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda subject: first(subject) and second(subject)

    def all_of(subject: Subject) -> bool:
        return all(test(subject) for test in tests)

    return all_of


def _any_of(tests: Sequence[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda subject: first(subject) or second(subject)

    def any_of(subject: Subject) -> bool:
        return any(test(subject) for test in tests)

    return any_of


def _comparison(node: Comparison) -> _Built:
    found = term(node.name)
    if found is None:
        hint = nearest(node.name, known()) or f'. Looking for the text? Put it in quotes: "{node.name}…"'
        raise QueryError(f"unknown term `{node.name}`{hint}", node.position)
    wanted = fits(node, found.shape, found.kinds, found.others)
    cost = _COSTS.get(found.shape, 1)
    return _Built(
        _several(found, wanted, node) if found.several else _single(found, wanted, node), found.ends, cost
    )


def _single(found: Term, wanted: Callable[[object], object], node: Comparison) -> Test:
    read = found.read
    if negative(node):
        return lambda subject: (value := read(subject)) is not None and not wanted(value)
    return lambda subject: (value := read(subject)) is not None and wanted(value)


def _several(found: Term, wanted: Callable[[object], object], node: Comparison) -> Test:
    read, result = found.read, not negative(node)

    def test(subject: Subject) -> bool:
        values = read(subject)
        if values is None:
            return False
        for value in values:
            if wanted(value):
                return result
        return not result

    return test


def _word(node: Text) -> _Built:
    found = term(node.text)
    if found is not None and found.bare and not node.quoted:
        read = found.read
        return _Built(lambda subject: read(subject) is not None, found.ends, 1)
    return _Built(_printed(node.text), True, 4)


class _InName(dict[Function, bool]):
    """Whether a function's name holds a text."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def __missing__(self, function: Function) -> bool:
        self[function] = found = self._part in function.name
        return found


def _printed(text: str) -> Test:
    """Whether a row shows a text: in the function's name, an argument, or how the call ended."""
    in_name = _InName(text.lower().replace(" ", "_"))
    inside = holds(text)

    def test(subject: Subject) -> bool:
        entered, ended = subject.entered, subject.ended
        if in_name[entered.function]:
            return True
        if subject.kind in _WITH_ARGUMENTS and any(inside(arg) for arg in entered.args if arg is not None):
            return True
        if isinstance(ended, Left):
            shown = (ended.result, ended.reason, *ended.values)
            return any(inside(value) for value in shown if value is not None)
        return isinstance(ended, Trapped) and inside(str(ended.trap))

    return test


_WITH_ARGUMENTS = (Kind.CALLBACK, Kind.HOST_CALL)
