"""Comparing what a row has with what was written: one way for each kind of value.

    names      key:auth* key=Auth key~^x-    `:` whatever the case, `*` is anything; `=` exactly; `~` searches
    prose      log:denied                    `:` holds, whatever the case
    numbers    dur>1ms ctx:4 arg.size>=2KiB  with units
    members    status!=OK level>=WARN        named numbers, forgivingly
    functions  call:get_header               forgivingly

Rules: what a row does not have fits nothing, not even `!=`; of several values one that fits is enough, and `!=` and
`!~` want none to; a regular expression without capital letters does not look at the case.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from enum import Enum, IntEnum
from operator import ge, gt, le, lt
from typing import Any

from simwasm.exchange import to_text
from simwasm.trace.query import names
from simwasm.trace.query.syntax import Comparison, QueryError

Fits = Callable[[Any], object]
"""Whether a value, which is never None, is as it should be."""

_ORDER = {"<": lt, "<=": le, ">": gt, ">=": ge}
_NEGATIVE = {"!=": "=", "!~": "~"}
_CAPITAL = re.compile(r"(?<!\\)[A-Z]")
_NUMBER = re.compile(r"([+-]?)(0x[0-9a-f]+|\d[\d_,]*(?:\.\d+)?)\s*([a-zµ]*)", re.I)
_TIMES = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}
_SIZES = {
    "": 1,
    "b": 1,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
}


class Shape(Enum):
    """How a term's values are compared; the value is how it is told."""

    NAME = "text"
    PROSE = "long text"
    NUMBER = "number"
    TIME = "time"
    MEMBER = "name"
    FUNCTION = "function"
    ANY = "anything"


def fits(
    comparison: Comparison, shape: Shape, kinds: Sequence[type[IntEnum]] = (), others: Sequence[str] = ()
) -> Fits:
    """The test that a comparison asks for; for `!=` and `!~`, that of its opposite."""
    operator = _NEGATIVE.get(comparison.operator, comparison.operator)
    return _MAKERS[shape](comparison, operator, kinds, others)


def negative(comparison: Comparison) -> bool:
    """Whether what fits is not wanted."""
    return comparison.operator in _NEGATIVE


def searched(comparison: Comparison) -> Callable[[str], object]:
    """The search for a regular expression."""
    pattern = comparison.value
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern, 0 if _CAPITAL.search(pattern) else re.I).search
    except (re.error, OverflowError, RecursionError) as error:
        raise QueryError(
            f"this regular expression cannot be used: {error}", comparison.value_position
        ) from None


def text_of(value: Any) -> str:
    """A value as text, whole."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return to_text(value)
    if isinstance(value, tuple):
        return "\n".join(": ".join(item) if isinstance(item, tuple) else text_of(item) for item in value)
    return name_of(value)


def name_of(value: Any) -> str:
    """The name of a number, or the number."""
    name = getattr(value, "_name_", None)
    return str(name or value) if not isinstance(value, bool) else "true" if value else "false"


def _no_order(comparison: Comparison, operator: str) -> None:
    if operator in _ORDER:
        raise QueryError(f"`{comparison.name}` has no order: use `:`, `=` or `~`", comparison.position)


def _name(comparison: Comparison, operator: str, *_: object) -> Fits:
    _no_order(comparison, operator)
    wanted = comparison.value
    if operator == "~":
        return searched(comparison)
    if operator == "=":
        return wanted.__eq__
    if "*" in wanted:
        return names.glob(wanted)
    folded = wanted.casefold()
    return lambda text: text == wanted or text.casefold() == folded


def _prose(comparison: Comparison, operator: str, *_: object) -> Fits:
    _no_order(comparison, operator)
    wanted = comparison.value
    if operator == "=":
        return lambda value: text_of(value) == wanted
    if operator == "~":
        search = searched(comparison)
        return lambda value: search(text_of(value))
    return holds(wanted)


def holds(part: str) -> Callable[[Any], bool]:
    """Whether a value holds a text, whatever the case."""
    folded = part.casefold()
    return lambda value: folded in text_of(value).casefold()


def number(text: str, units: dict[str, int]) -> int | float | None:
    """The number that a text is, its unit multiplied in; None if it is none."""
    found = _NUMBER.fullmatch(text.strip()) if len(text) < 100 else None
    if found is None or found[3].lower() not in units:
        return None
    digits = found[2].replace("_", "").replace(",", "").lower()
    plain: int | float = (
        int(digits, 16) if digits[:2] == "0x" else float(digits) if "." in digits else int(digits)
    )
    return plain * units[found[3].lower()] * (-1 if found[1] == "-" else 1)


def _compared(operator: str, wanted: int | float) -> Fits:
    order = _ORDER.get(operator)
    if order is None:
        return lambda value: value == wanted
    return lambda value: order(value, wanted)


def _number(units: dict[str, int], example: str) -> Callable[..., Fits]:
    def make(comparison: Comparison, operator: str, *_: object) -> Fits:
        wanted = number(comparison.value, units)
        if operator == "~" or wanted is None:
            raise QueryError(
                f"`{comparison.name}` is compared with a number, as in `{comparison.name}{example}`",
                comparison.position if operator == "~" else comparison.value_position,
            )
        return _compared(operator, wanted)

    return make


def _member(
    comparison: Comparison, operator: str, kinds: Sequence[type[IntEnum]], others: Sequence[str]
) -> Fits:
    if not kinds:
        _no_order(comparison, operator)
    if operator == "~":
        search = searched(comparison)
        return lambda value: search(name_of(value))
    chosen = names.members(comparison.value, kinds, others)
    if not chosen:
        known = [name for kind in kinds for name in kind.__members__] + list(others)
        raise QueryError(
            f"`{comparison.name}` is never `{comparison.value}`"
            f"{names.nearest(comparison.value, known) or '; it may be ' + ', '.join(dict.fromkeys(known))}",
            comparison.value_position,
        )
    if operator not in _ORDER:
        return lambda value: getattr(value, "_name_", None) in chosen or name_of(value) in chosen
    return _compared(operator, _rank(comparison, chosen, kinds))


def _function(comparison: Comparison, operator: str, kinds: object, others: Sequence[str]) -> Fits:
    _no_order(comparison, operator)
    if operator == "~":
        return searched(comparison)
    chosen = names.functions(comparison.value, others)
    if not chosen:
        hint = names.nearest(comparison.value, names.spellings()) or "; `simwasm abi` lists them"
        raise QueryError(f"the ABI has no function `{comparison.value}`{hint}", comparison.value_position)
    return chosen.__contains__


def _rank(comparison: Comparison, chosen: frozenset[str], kinds: Sequence[type[IntEnum]]) -> int:
    ranks = {int(one) for kind in kinds for one in kind if one.name in chosen}
    ranks |= {int(name) for name in chosen if name.isdecimal()}
    if len(ranks) != 1:
        raise QueryError(
            f"`{comparison.value}` has no one place in an order: use `:` or `=`", comparison.value_position
        )
    return ranks.pop()


def _any(
    comparison: Comparison, operator: str, kinds: Sequence[type[IntEnum]], others: Sequence[str]
) -> Fits:
    """Compare as what the value turns out to be."""
    if operator == "~":
        return _prose(comparison, operator)
    plain = number(comparison.value, _SIZES)
    chosen = names.members(comparison.value, kinds, others)
    if operator in _ORDER:
        if plain is None and not chosen:
            raise QueryError(
                f"`{comparison.value}` is no number that could be less or more", comparison.value_position
            )
        limit = _compared(operator, plain if plain is not None else _rank(comparison, chosen, kinds))
        return lambda value: isinstance(value, int) and limit(value)
    as_text = _name(comparison, operator)

    def same(value: Any) -> object:
        if isinstance(value, int):
            return name_of(value) in chosen or (plain is not None and value == plain)
        return as_text(".".join(value) if _is_path(value) else text_of(value))

    return same


def _is_path(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


_MAKERS: dict[Shape, Callable[..., Fits]] = {
    Shape.NAME: _name,
    Shape.PROSE: _prose,
    Shape.NUMBER: _number(_SIZES, ">=4"),
    Shape.TIME: _number(_TIMES, ">1ms"),
    Shape.MEMBER: _member,
    Shape.FUNCTION: _function,
    Shape.ANY: _any,
}
