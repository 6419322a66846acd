"""Which exchanges of the traffic are replayed: those that a filter means, up to a limit.

    chosen = Selection(filtered("path:/api/* status>=500"), limit=100)
    for exchange in chosen.of(exchanges): ...

Rules: the filter is asked first, so a limit counts what it lets pass; nothing is read behind the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from simwasm.errors import InputError
from simwasm.exchange import Exchange
from simwasm.trace.query.names import nearest
from simwasm.trace.query.syntax import All, Any, Comparison, Node, Not, QueryError, Text, parse
from simwasm.trace.query.values import fits, holds, negative
from simwasm.traffic.terms import TERMS, Asked, Term, is_of_rows, term, text_of

Test = Callable[[Asked], object]


@dataclass(frozen=True, slots=True)
class Selection:
    """Some of the traffic."""

    fits: Test | None = None
    limit: int | None = None

    def of(self, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
        """The exchanges that are meant."""
        fits = self.fits
        if fits is not None:
            numbered = (Asked(number, exchange) for number, exchange in enumerate(exchanges, 1))
            exchanges = (asked.exchange for asked in numbered if fits(asked))
        return islice(exchanges, self.limit)


def selection(filter: str = "", limit: int | None = None) -> Selection:
    """The exchanges that the options --filter and --limit mean."""
    if limit is not None and limit < 1:
        raise InputError(f"--limit: {limit} is no number of exchanges")
    try:
        return Selection(filtered(filter) if filter.strip() else None, limit)
    except QueryError as error:
        raise InputError(f"--filter: {error}") from None


def filtered(text: str) -> Test:
    """The test that a text of the filter language is; a text that is none is a `QueryError`."""
    return _build(parse(text))


def _build(node: Node) -> Test:
    if isinstance(node, Comparison):
        return _comparison(node)
    if isinstance(node, Text):
        return _word(node)
    if isinstance(node, Not):
        inner = _build(node.inner)
        return lambda asked: not inner(asked)
    tests = [_build(part) for part in node.parts]
    either = isinstance(node, Any)
    assert either or isinstance(node, All)
    join = any if either else all
    return lambda asked: join(test(asked) for test in tests)


def _comparison(node: Comparison) -> Test:
    found = term(node.name)
    if found is None:
        raise QueryError(_unknown(node.name), node.position)
    wanted, result, read = fits(node, found.shape), not negative(node), found.read
    if found.several:
        return lambda asked: bool(values := read(asked)) and any(map(wanted, values)) is result
    return lambda asked: (value := read(asked)) is not None and bool(wanted(value)) is result


def _unknown(name: str) -> str:
    if is_of_rows(name):
        return (
            f"`{name}` is asked of the rows of a trace, and a filter of traffic knows what was recorded: "
            f"{', '.join(each.name for each in TERMS)}. Run with --trace, and use `simwasm query`"
        )
    hint = nearest(name, [each.name for each in TERMS])
    return f"unknown term `{name}`" + (hint or f'. Looking for the text? Put it in quotes: "{name}…"')


def _word(node: Text) -> Test:
    found: Term | None = term(node.text)
    if found is not None and found.bare and not node.quoted:
        read = found.read
        return lambda asked: read(asked) is not None
    inside = holds(node.text)
    return lambda asked: any(map(inside, text_of(asked)))
