"""The host's objects as they are at one moment, to be put back later: the same objects, with what was in them.

Nothing is copied but what can change: attributes, lists, dictionaries, sets, queues. Everybody who holds one of the
objects (handlers, jobs of the clock, the link) goes on holding it, so a run goes on from a memento as if nothing
had happened since. Rules:

- only objects of the host's own classes are looked into, what they hold, and what their jobs have tied in;
- values (frozen dataclasses, named tuples, enums, numbers, texts) are taken as they are;
- an object that remembers where it is and cannot be put back, such as a generator, is refused loudly.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import is_dataclass
from enum import Enum
from functools import partial
from itertools import count
from random import Random
from types import BuiltinMethodType, CellType, FunctionType, GeneratorType, MethodType
from typing import Any

Restore = Callable[[], object]
Look = Callable[[Any, list[Any]], Restore | None]
"""Gives what puts an object back, if it can change, and adds what it holds to a list."""

_OURS = ("simwasm.host.", "simwasm.debug.run.")
_MISSING: Any = object()


class Memento:
    """What a few objects, and all that they lead to, were like."""

    def __init__(self, roots: Iterable[object]) -> None:
        self._restores: list[Restore] = []
        waiting: list[Any] = list(roots)
        known: set[int] = set()
        while waiting:
            found = waiting.pop()
            look = _LOOKS.get(found.__class__, _MISSING)
            if look is None:
                continue
            if id(found) in known:
                continue
            known.add(id(found))
            if look is _MISSING:
                look = _LOOKS[found.__class__] = _look_for(found.__class__)
                if look is None:
                    continue
            restore = look(found, waiting)
            if restore is not None:
                self._restores.append(restore)

    def restore(self) -> None:
        """Put everything back. May be done any number of times."""
        for restore in self._restores:
            restore()


def _list(found: list[Any], waiting: list[Any]) -> Restore:
    content = found.copy()
    waiting.extend(content)
    return partial(found.__setitem__, slice(None), content)


def _refilled(found: Any, fill: Callable[[Any], object], content: Any) -> None:
    found.clear()
    fill(content)


def _dict(found: dict[Any, Any], waiting: list[Any]) -> Restore:
    content = found.copy()
    waiting.extend(content)
    waiting.extend(content.values())
    return partial(_refilled, found, found.update, content)


def _set(found: set[Any], waiting: list[Any]) -> Restore:
    content = found.copy()
    waiting.extend(content)
    return partial(_refilled, found, found.update, content)


def _queue(found: deque[Any], waiting: list[Any]) -> Restore:
    content = tuple(found)
    waiting.extend(content)
    return partial(_refilled, found, found.extend, content)


def _bytes(found: bytearray, waiting: list[Any]) -> Restore:
    return partial(found.__setitem__, slice(None), bytes(found))


def _tuple(found: tuple[Any, ...], waiting: list[Any]) -> None:
    waiting.extend(found)


def _method(found: Any, waiting: list[Any]) -> None:
    waiting.append(found.__self__)


def _partial(found: partial[Any], waiting: list[Any]) -> None:
    waiting += (found.func, *found.args, *found.keywords.values())


def _function(found: FunctionType, waiting: list[Any]) -> None:
    if f"{found.__module__}.".startswith(_OURS):
        waiting.extend(found.__closure__ or ())


def _cell(found: CellType, waiting: list[Any]) -> Restore:
    content = found.cell_contents
    waiting.append(content)
    return partial(setattr, found, "cell_contents", content)


def _random(found: Random, waiting: list[Any]) -> Restore:
    version, state, gauss = found.getstate()
    return partial(_reseed, found, version, array("I", state), gauss)


def _reseed(found: Random, version: int, state: array[int], gauss: float | None) -> None:
    found.setstate((version, tuple(state), gauss))


def _object(names: tuple[str, ...]) -> Look:
    """How to look into the objects of a class whose attributes have these slots, or are in a dictionary."""

    def look(found: Any, waiting: list[Any]) -> Restore:
        held = {name: getattr(found, name, _MISSING) for name in names}
        held.update(getattr(found, "__dict__", ()))
        counters = {name: repr(value) for name, value in held.items() if value.__class__ is count}
        waiting.extend(held.values())
        return partial(_put_back, found, held, counters)

    return look


def _put_back(found: Any, held: dict[str, Any], counters: dict[str, str]) -> None:
    for name, value in held.items():
        if name in counters:
            setattr(found, name, count(int(counters[name][6:-1])))
        elif value is not _MISSING:
            setattr(found, name, value)
        elif hasattr(found, name):
            delattr(found, name)
    extra = getattr(found, "__dict__", {}).keys() - held.keys()
    for name in tuple(extra):
        delattr(found, name)


_LOOKS: dict[type, Look | None] = {
    list: _list, dict: _dict, set: _set, deque: _queue, bytearray: _bytes, tuple: _tuple, MethodType: _method,
    BuiltinMethodType: _method, partial: _partial, FunctionType: _function, CellType: _cell, Random: _random,
    count: None, str: None, int: None, bytes: None, bool: None, float: None, type(None): None, frozenset: None,
    object: None,
}  # fmt: skip
"""How to look into the objects of a class; None for values."""

_TROUBLE: tuple[type, ...] = (
    GeneratorType,
    type(iter(())),
    type(iter([])),
    type(iter({})),
    map,
    zip,
    filter,
    enumerate,
)


def _look_for(kind: type) -> Look | None:
    if issubclass(kind, _TROUBLE):
        raise TypeError(f"a {kind.__name__} in the host cannot be put back to where it was")
    for known in (dict, list, deque, set):
        if issubclass(kind, known):
            return _LOOKS[known]
    if not f"{kind.__module__}.".startswith(_OURS) or issubclass(kind, (Enum, tuple)):
        return None
    if is_dataclass(kind) and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # typeshed lacks it
        return None
    names = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ())]
    return _object(tuple(dict.fromkeys(names)))
