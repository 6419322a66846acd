"""Properties as values of CEL, and back again: subtrees and messages are looked into only on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from celpy import celtypes

from simwasm.host.context import Context
from simwasm.host.filter_state import PREFIX, State
from simwasm.host.headers import HeaderMap
from simwasm.host.messages import NULL
from simwasm.host.properties import NOT_TOLD, PROPERTIES, TREES, told_value, value_at
from simwasm.host.property_values import TREE, Value, part
from simwasm.protobuf import Message

_THOUSAND = 1000
_MILLION = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


class Moment(celtypes.TimestampType):
    """A time that knows its nanoseconds, which the library's own does not."""

    ns: int


def _moment(ns: int) -> Moment:
    made: Moment = Moment(
        _EPOCH + timedelta(microseconds=ns // _THOUSAND)  # pyright: ignore[reportAssignmentType]
    )  # its `__new__` names the base
    made.ns = ns
    return made


class Span(celtypes.DurationType):
    """A duration that knows its nanoseconds."""

    ns: int


def _span(ns: int) -> Span:
    made: Span = Span(timedelta(microseconds=ns // _THOUSAND))  # pyright: ignore[reportAssignmentType]
    made.ns = ns
    return made


class Lookup(celtypes.MapType):
    """A map whose entries are found when they are asked for."""

    def __init__(self, source: Value, keys: Callable[[], Iterator[str]], find: Callable[[str], Any]) -> None:
        super().__init__()
        self.source = source
        self._keys = keys
        self._find = find

    def __getitem__(self, key: Any) -> Any:
        found = self._find(str(key)) if isinstance(key, str) else None
        if found is None:
            raise KeyError(f"no such key: {key}")
        return found

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(str(key)) is not None

    def __iter__(self) -> Iterator[Any]:
        return map(celtypes.StringType, self._keys())

    def keys(self) -> Any:
        return list(self)

    def __len__(self) -> int:
        return sum(1 for _ in self._keys())


def top_level(context: Context, name: str) -> Any:
    """What a name stands for; None for one that is unknown here."""
    if name in TREES:
        if value_at(context, (name,)) is not TREE:
            return None
        return Lookup(TREE, lambda: iter(()), lambda field: _field(context, (name, field)))
    row = PROPERTIES.get((name,))
    if (said := told_value(context, (name,))) is not NOT_TOLD:
        return as_cel(said, row.kind if row is not None else "")
    if row is not None:
        return as_cel(row.find(context), row.kind)
    state = context.stream.state.get(PREFIX + name) if context.stream is not None else None
    return as_cel(state.inside()) if isinstance(state, State) else None


def _field(context: Context, path: tuple[str, str]) -> Any:
    row = PROPERTIES.get(path)
    if row is None:
        return as_cel(value_at(context, path))
    said = told_value(context, path)
    return as_cel(row.find(context) if said is NOT_TOLD else said, row.kind)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "uint": celtypes.UintType,
    "timestamp": _moment,
    "duration": _span,
}


def as_cel(value: Value, kind: str = "") -> Any:
    """A property as CEL has it."""
    if value is None or value is NULL:
        return None
    if kind in _KINDS:
        return _KINDS[kind](value)
    if isinstance(value, HeaderMap):
        names = lambda: iter(dict.fromkeys(name for name, _ in value))  # noqa: E731
        return Lookup(value, names, lambda name: as_cel(part(value, name)))
    if isinstance(value, Message):
        return Lookup(value, lambda: iter(value.schema.fields), lambda name: as_cel(part(value, name)))
    if isinstance(value, Mapping):
        return Lookup(value, lambda: iter(value), lambda name: as_cel(value.get(name)))
    if isinstance(value, (tuple, list)):
        return celtypes.ListType([as_cel(item) for item in value])
    return next((make(value) for type, make in _SCALARS if isinstance(value, type)), None)


_SCALARS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (bool, celtypes.BoolType),
    (int, celtypes.IntType),
    (float, celtypes.DoubleType),
    (str, celtypes.StringType),
    (bytes, celtypes.BytesType),
)


def plain(value: Any) -> Value:
    """What CEL found, as a property is."""
    if isinstance(value, (Moment, Span)):
        return value.ns
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MICROSECOND * _THOUSAND
    if isinstance(value, timedelta):
        return value // _MICROSECOND * _THOUSAND
    if isinstance(value, Lookup):
        return value.source
    if isinstance(value, celtypes.MessageType):
        return plain(value.get(celtypes.StringType("value")))
    if isinstance(value, Mapping):
        return {plain(key): plain(found) for key, found in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    return next((make(value) for kind, make in _PLAIN if isinstance(value, kind)), NULL)


_PLAIN: tuple[tuple[type, Callable[[Any], Value]], ...] = (
    (celtypes.BoolType, bool),
    (int, int),
    (float, float),
    (str, str),
    (bytes, bytes),
)
