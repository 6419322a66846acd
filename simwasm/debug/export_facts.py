"""What a row stands for, as assertions about a `result`: what became of its exchange.

A host call is told in the filter language where that says all of it: arguments, status, and what came out. Rule: what
is asserted is exactly what happened, arguments and all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from simwasm.abi.enums import Action, DataAction, HeadersAction, Status
from simwasm.debug.export_place import Places, called, is_allocator, same
from simwasm.debug.export_source import Imports, call, equal, literal, named, quoted
from simwasm.debug.export_subject import slug
from simwasm.debug.tape import Tape
from simwasm.trace import query
from simwasm.trace.event import Left, Trapped
from simwasm.trace.query.syntax import Comparison
from simwasm.trace.rows import Kind, Row

_TERMS = {
    "map_type": ("map", ":"),
    "buffer_type": ("buffer", ":"),
    "stream_type": ("stream", ":"),
    "level": ("level", ":"),
    "key": ("key", "="),
    "path": ("property", "="),
    "message": ("log", "="),
}
"""Arguments for which the filter language has a term, and the operator that means just this value."""
_DONE = {Kind.RETURN: "returns", Kind.TRAP: "traps"}


class Fact(NamedTuple):
    """Something that a test can assert."""

    name: str
    """What the test is called, behind `test_`."""
    title: str
    lines: tuple[str, ...]
    imports: tuple[tuple[str, str], ...] = ()


class Place(NamedTuple):
    """A row, and the exchange in whose result it is looked for."""

    tape: Tape
    places: Places
    exchange: int
    row: Row

    @property
    def name(self) -> str:
        """The function's name."""
        return self.row.entered.function.name

    @property
    def arguments(self) -> dict[str, Any]:
        """What it is called with, by name."""
        entered = self.row.entered
        return dict(zip((param.name for param in entered.function.inputs), entered.args, strict=False))

    def nth(self, *, same_args: bool = False) -> tuple[str, ...]:
        """Which time it is, as an argument; nothing for the first."""
        alike = same(self.row.entered) if same_args else called(self.name)
        found = self.places.before(self.exchange, self.row.entered.seq, alike)
        return (str(found),) if found else ()


def row_fact(place: Place) -> Fact:
    """What a row stands for."""
    imports: Imports = set()
    row, what = place.row, _DONE.get(place.row.kind, "is called")
    tell = _allocated if is_allocator(row.entered) else _FACTS[row.kind]
    lines = tuple(tell(place, imports))
    return Fact(f"{slug(place.name)}_{slug(what)}", f"{place.name} {what}", lines, tuple(sorted(imports)))


def _called(place: Place, imports: Imports) -> Iterator[str]:
    """A callback with its arguments, in its place among those of its name."""
    yield equal(f"{_phase(place)}.arguments", place.arguments, imports)


def _returned(place: Place, imports: Imports) -> Iterator[str]:
    assert isinstance(place.row.ended, Left)
    result = place.row.ended.result
    if isinstance(result, (Action, HeadersAction, DataAction)):
        action = Action.__members__.get(result.name, result)
        yield equal(call("result.action", (quoted(place.name), *place.nth())), action, imports)
    else:
        yield equal(f"{_phase(place)}.result", result, imports)


def _trapped(place: Place, imports: Imports) -> Iterator[str]:
    assert isinstance(place.row.ended, Trapped)
    imports.add(("simwasm.errors", "TrapKind"))
    yield f"trap = {_phase(place)}.trapped"
    yield "assert trap is not None"
    yield f"assert trap.kind is TrapKind.{place.row.ended.trap.kind.name}"


def _made(place: Place, imports: Imports) -> Iterator[str]:
    """A host call with these arguments, wherever it is, and what it was answered."""
    wanted = _filter(place)
    if wanted:
        yield call("assert result.trace.has", (quoted(wanted),))
        return
    given = (quoted(place.name), *place.nth(same_args=True), *named(place.arguments, imports))
    yield f"call = {call('result.call', given)}"
    ended = place.row.ended
    if isinstance(ended, Left):
        yield equal("call.result", ended.result, imports)
        if ended.values:
            yield f"assert call.values == {literal(ended.values, imports)}"


def _allocated(place: Place, imports: Imports) -> Iterator[str]:
    """What the host asks the plugin's allocator for, which is no callback of a stream."""
    at = place.places.before(place.exchange, place.row.entered.seq, called(place.name))
    yield f"calls = [row for row in result.trace.rows if row.entered.function.name == {place.name!r}]"
    yield f"call = calls[{2 * at}]"
    if place.row.kind is Kind.CALLBACK:
        yield f"assert call.entered.args == {literal(place.row.entered.args, imports)}"
        return
    ended = place.row.ended
    imports.add(("simwasm.trace.event", type(ended).__name__))
    yield f"assert isinstance(call.ended, {type(ended).__name__})"
    if isinstance(ended, Left):
        yield equal("call.ended.result", ended.result, imports)
    elif ended is not None:
        imports.add(("simwasm.errors", "TrapKind"))
        yield f"assert call.ended.trap.kind is TrapKind.{ended.trap.kind.name}"


_FACTS = {Kind.CALLBACK: _called, Kind.HOST_CALL: _made, Kind.RETURN: _returned, Kind.TRAP: _trapped}


def _phase(place: Place) -> str:
    return call("result.phase", (quoted(place.name), *place.nth()))


def _filter(place: Place) -> str:
    """The filter that means this call, with its answer, and no other; nothing if there is none."""
    function, ended = place.row.entered.function, place.row.ended
    if not isinstance(ended, Left) or not isinstance(ended.result, Status):
        return ""
    if not place.arguments.keys() <= _TERMS.keys() or len(ended.values) > 1:
        return ""
    parts = [Comparison("call", ":", function.name)]
    for name, value in place.arguments.items():
        term, operator = _TERMS[name]
        text = ".".join(value) if isinstance(value, tuple) else getattr(value, "name", value)
        parts.append(Comparison(term, operator, text))
    if ended.values:
        if not isinstance(ended.values[0], str):
            return ""
        parts.append(Comparison("value", "=", ended.values[0]))
    parts.append(Comparison("status", ":", ended.result.name))
    found = " ".join(map(str, parts))
    return found if _means_only(found, place) else ""


def _means_only(text: str, place: Place) -> bool:
    """Whether a filter means the calls with these arguments and this answer, and none that came otherwise."""
    wanted, row, ended = query.compile(text), place.row, place.row.ended
    assert isinstance(ended, Left)
    others = [row.entered._replace(args=tuple(args)) for args in _otherwise(row.entered.args)]
    rows = [row._replace(entered=entered) for entered in others]
    rows += [row._replace(ended=ended._replace(values=tuple(values))) for values in _otherwise(ended.values)]
    return wanted(row) and not any(map(wanted, rows)) and _always(place, ended)


def _otherwise(values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """The same values, each of them another once."""
    for at, value in enumerate(values):
        if isinstance(value, str):
            yield [*values[:at], f"{value}\0", *values[at + 1 :]]
        elif isinstance(value, tuple):
            yield [*values[:at], (*value, "\0"), *values[at + 1 :]]


def _always(place: Place, ended: Left) -> bool:
    """Whether the host answered all such calls of the exchange alike."""
    for position in place.places.every(place.exchange, same(place.row.entered)):
        end = place.tape.end_of(position)
        other = place.tape.at(end) if end else None
        if not isinstance(other, Left) or (other.result, other.values) != (ended.result, ended.values):
            return False
    return True
