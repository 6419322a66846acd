"""Why two rows are not the same, in words: `status: OK -> NOT_FOUND`, `header x-user: "alice" -> "bob"`.

Rules: what is the same is not told; a long value is shown where it begins to differ; nothing that a plugin wrote
gets onto the line as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from simwasm.abi.enums import Errno
from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import ALLOCATORS, Function
from simwasm.trace.alike import compared
from simwasm.trace.event import Left, Trapped
from simwasm.trace.rows import Kind, Row
from simwasm.trace.text import call_text, printable, value_text

_LONG = 60
_BEFORE = 12
_SUBJECTS = {
    "proxy_get_header_map_value": "header {key}",
    "proxy_add_header_map_value": "header {key}",
    "proxy_replace_header_map_value": "header {key}",
    "proxy_get_property": "property {path}",
    "proxy_set_property": "property {path}",
    "proxy_get_shared_data": "shared {key}",
    "proxy_set_shared_data": "shared {key}",
    "proxy_get_buffer_bytes": "{buffer_type}",
    "proxy_set_buffer_bytes": "{buffer_type}",
}
"""What the value of a function is the value of."""


def explain(left: Row | None, right: Row | None) -> str:
    """How two rows differ that belong together, or which one is alone; empty if they are the same."""
    if left is None or right is None:
        alone = left or right
        return "" if alone is None else f"only on the {'left' if left else 'right'}: {row_text(alone)}"
    told = [*_arguments(left, right), *_answers(left, right)]
    return "; ".join(told)


def row_text(row: Row) -> str:
    """A row without its result."""
    entered = row.entered
    if row.kind in (Kind.RETURN, Kind.TRAP):
        return f"{row.kind.value} {_ending(row)} from {entered.function.name}"
    return call_text(entered.function, entered.args)


def _arguments(left: Row, right: Row) -> Iterator[str]:
    function = left.entered.function
    ends = (Kind.RETURN, Kind.TRAP)
    if left.kind in ends or right.kind in ends or function.inputs != right.entered.function.inputs:
        return
    for index in compared(function.inputs):
        param, old, new = function.inputs[index], left.entered.args[index], right.entered.args[index]
        if old != new:
            yield from change(_subject(left, param), old, new)


def _answers(left: Row, right: Row) -> Iterator[str]:
    if left.kind is Kind.CALLBACK or right.kind is Kind.CALLBACK:
        return
    function = left.entered.function
    old, new = _ending(left), _ending(right)
    if function.name in ALLOCATORS and _both_returned(left, right):
        return
    if old != new:
        reasons = (f" ({one_line(text)})" if text else "" for text in (_reason(left), _reason(right)))
        yield f"{_what(function)}: {old}{next(reasons)} -> {new}{next(reasons)}"
    elif isinstance(left.ended, Left) and isinstance(right.ended, Left):
        gave = left.ended.values, right.ended.values
        for at in compared(function.outputs):
            if at < min(map(len, gave)) and gave[0][at] != gave[1][at]:
                yield from change(_subject(left, function.outputs[at]), gave[0][at], gave[1][at])


def _both_returned(left: Row, right: Row) -> bool:
    return all(isinstance(row.ended, Left) and row.ended.result for row in (left, right))


def _ending(row: Row) -> str:
    ended = row.ended
    if ended is None:
        return "not ended"
    if isinstance(ended, Trapped):
        return f"trap {one_line(str(ended.trap))}"
    return "nothing" if ended.result is None else value_text(ended.result)


def one_line(text: str) -> str:
    """Text that stays on its line."""
    return printable(text).replace("\n", " ").replace("\t", " ")


def _reason(row: Row) -> str:
    return row.ended.reason if isinstance(row.ended, Left) else ""


def _what(function: Function) -> str:
    if function.errors is not None:
        return "errno" if function.errors is Errno else "status"
    return "returned"


def _subject(row: Row, param: Param) -> str:
    """What a value is the value of."""
    function = row.entered.function
    pattern = _SUBJECTS.get(function.name)
    inputs = zip(function.inputs, row.entered.args, strict=False)
    known = {given.name: _name(given, value) for given, value in inputs}
    about = pattern is not None and param.name in ("value", "bytes")
    return pattern.format_map(known) if pattern is not None and about else param.name


def _name(param: Param, value: Any) -> str:
    if param.form is Form.PATH and isinstance(value, tuple):
        value = ".".join(value)
    text = value_text(value, _LONG)
    return text[1:-1] if text[:1] == text[-1:] == '"' else text


def change(what: str, old: Any, new: Any) -> Iterator[str]:
    """How a value differs: `key: "a" -> "b"`, header by header if it has some, a long one from where it differs."""
    if _are_pairs(old) and _are_pairs(new):
        yield f"{what}: {', '.join(_pairs(old, new))}"
    elif isinstance(old, (str, bytes)) and type(old) is type(new) and max(len(old), len(new)) > _LONG:
        yield _long_change(what, old, new)
    else:
        yield f"{what}: {value_text(old, _LONG)} -> {value_text(new, _LONG)}"


def _are_pairs(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, tuple) for item in value)


def _pairs(old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """Headers that went, came, or have another value; or that only their order is another."""
    gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
    if not gone and not come:
        yield "the order is another"
    for name, value in gone.elements():
        other = next((entry for entry in come.elements() if entry[0] == name), None)
        if other is None:
            yield f"- {_quiet(name)}: {value_text(value, _LONG)}"
        else:
            come -= Counter([other])
            yield f"{_quiet(name)}: {value_text(value, _LONG)} -> {value_text(other[1], _LONG)}"
    for name, value in come.elements():
        yield f"+ {_quiet(name)}: {value_text(value, _LONG)}"


def _quiet(text: str) -> str:
    return value_text(text, _LONG)[1:-1]


def _long_change(what: str, old: str | bytes, new: str | bytes) -> str:
    """Two long values from a little before the place where they begin to differ."""
    shorter = min(len(old), len(new))
    at = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    start = max(0, at - _BEFORE)
    size = f"{len(old):,} long -> {len(new):,} long, " if len(old) != len(new) else ""
    parts = (value_text(value[start : start + _LONG]) for value in (old, new))
    return f"{what}: {size}from {at:,} on: {next(parts)} -> {next(parts)}"
