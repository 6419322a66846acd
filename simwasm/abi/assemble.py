"""The functions that a guest calls, assembled as text: one for each row of the table, straight from top to bottom.

A host call is so short that the calls inside it are what it costs, so a function is put together from the lines of
its parameters (`snippets.py`) as dataclasses and named tuples are, compiled once for each row, and given the names it
uses for each plugin that is linked. `text` shows what runs; tracebacks show it too. Rules:

- what may not be called now traps before anything else is looked at;
- all parameters are read before anything is written or carried out;
- watched or not, the same lines run; the margin of the template marks those that only one of the two has. Watched,
  each `enter` is closed by one `leave` or `trap`.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from struct import Struct
from textwrap import indent
from types import CodeType
from typing import Any, Protocol

from simwasm.abi import snippets
from simwasm.abi.codec import Careful, Gate, Memory, gathered, members, placed
from simwasm.abi.enums import Errno, Status
from simwasm.abi.pairs import decode_pairs, decode_path, encode_pairs
from simwasm.abi.snippets import ALLOCATING, Place
from simwasm.abi.status import Refusal, Remark
from simwasm.abi.table import Function

STARTING = 1
"""What `Gate.shut` has set while the module starts."""

Call = Callable[..., int | None]


class Watch(Protocol):
    """Who is told of every call."""

    def enter(self, function: Function, args: tuple[Any, ...], words: tuple[int, ...]) -> int: ...
    def leave(self, opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None: ...
    def trap(self, opened: int, error: BaseException) -> None: ...


_TEMPLATE = """\
    |def {name}({words}):
 ug |    if gate.shut & {forbidden}:
 ug |        raise gate.restricted({row})
 w  |    refused = None
 r  |    try:
 r  |        <read>
 r  |    except (IndexError, KeyError):
 r  |        {arg_tuple}, refused = careful.read({row}, {word_tuple})
 ru |        if refused is not None:
 ru |            return int(refused.status)
 w  |    opened = enter({row}, {arg_tuple}, {word_tuple})
    |    try:
 wg |        if gate.shut & {forbidden}:
 wg |            raise gate.restricted({row})
 wr |        if refused is not None:
 wr |            raise refused
    |        <clear>
 w  |        reason = ""
    |        value = {handler}({args})
    |        if value{unlike}:
    |            if value.__class__ is Refusal:
 u  |                return int(value.status)
 w  |                raise value
    |            if value.__class__ is Remark:
 u  |                value = value.value
 w  |                value, reason = value
    |        <write>
    |    except Refusal as refusal:
 w  |        leave(opened, refusal.status, (), refusal.reason)
    |        return int(refusal.status)
 w  |    except BaseException as error:
 w  |        trap(opened, error)
 w  |        raise
 ws |    leave(opened, {ok}, {values}, reason)
 s  |    return 0
 wp |    leave(opened, value)
 p  |    return value
"""
"""Margin: u unwatched, w watched, g not always allowed, r reads something, s answers with a status, p does not."""


def text(function: Function, *, watched: bool) -> str:
    """The source of the function that a guest calls for a row."""
    forbidden = forbidden_in(function)
    reads = bool(function.inputs)
    flags = {
        "u": not watched,
        "w": watched,
        "g": bool(forbidden),
        "r": reads,
        "s": function.errors is not None,
        "p": function.errors is None,
    }
    return "".join(_filled(flags, _blocks(function), _gaps(function, forbidden)))


def forbidden_in(function: Function) -> int:
    """When a function may not be called: the bits of `Gate.shut`."""
    return (0 if function.early else STARTING) | (0 if function.in_allocator else ALLOCATING)


def _filled(flags: Mapping[str, bool], blocks: Mapping[str, str], gaps: Mapping[str, str]) -> Iterator[str]:
    for line in _TEMPLATE.splitlines(keepends=True):
        margin, _, code = line.partition("|")
        if all(flags[flag] for flag in margin.replace(" ", "")):
            block = blocks.get(code.strip())
            yield code.format_map(gaps) if block is None else indent(block, code[: code.index("<")])


def _gaps(function: Function, forbidden: int) -> dict[str, str]:
    name = function.name
    outputs = len(function.outputs)
    words = [f"w{index}" for index in range(len(function.type.params))]
    args = [place.value for place in _inputs(function)]
    return {
        "name": name,
        "row": f"{name}_row",
        "handler": f"{name}_handler",
        "forbidden": str(forbidden),
        "words": ", ".join(words),
        "word_tuple": _tuple(words),
        "args": ", ".join(args),
        "arg_tuple": _tuple(args),
        "unlike": _unlike(function),
        "ok": "FINE" if function.errors is Errno else "OK",
        "values": "tuple(value)" if outputs > 1 else "(value,)" if outputs else "()",
    }


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def _unlike(function: Function) -> str:
    """The test for a value that is not of the class that a handler gives when all is well."""
    if not function.outputs and function.result is None:
        return " is not None"
    if len(function.outputs) > 1:
        return ".__class__ is not tuple"
    (param,) = function.outputs or (function.result,)
    assert param is not None
    return f".__class__ is not {snippets.CLASSES.get(param.form, 'int')}"


def _places(function: Function) -> Iterator[Place]:
    for param, index in placed(function):
        words = tuple(f"w{index + offset}" for offset in range(len(param.words)))
        yield Place(param, f"{function.name}_row", words, f"a{index}")


def _inputs(function: Function) -> list[Place]:
    return [place for place in _places(function) if place.param in function.inputs]


def _blocks(function: Function) -> dict[str, str]:
    return {
        "<read>": _lines(snippets.read(place) for place in _inputs(function)),
        "<clear>": _lines(snippets.clear(place) for place in _places(function) if place.param.cleared),
        "<write>": _writes(function),
    }


def _writes(function: Function) -> str:
    outputs = [place for place in _places(function) if place.param.out]
    if len(outputs) == 1:
        return _lines([snippets.write(outputs[0]._replace(value="value"))])
    outputs = [place._replace(value=f"v{index}") for index, place in enumerate(outputs)]
    taken = f"{', '.join(place.value for place in outputs)} = value" if outputs else ""
    return _lines([taken, *map(snippets.write, outputs)])


def _lines(parts: Iterable[str]) -> str:
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts if part)


@cache
def compiled(function: Function, *, watched: bool) -> CodeType:
    """The code of that text, which tracebacks can show."""
    source = text(function, watched=watched)
    name = f"<simwasm {function.name}{', watched' if watched else ''}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return compile(source, name, "exec")


_NAMES: dict[str, Any] = {
    "__name__": __name__,
    "OK": Status.OK,
    "FINE": Errno.SUCCESS,
    "Refusal": Refusal,
    "Remark": Remark,
    "decode_pairs": decode_pairs,
    "decode_path": decode_path,
    "encode_pairs": encode_pairs,
    "gathered": gathered,
    "u32": Struct("<I").pack,
    "u64": Struct("<Q").pack,
    "put_u32": Struct("<I").pack_into,
    "put_u64": Struct("<Q").pack_into,
}


class Assembly:
    """One guest's host functions: they share the names of its memory, its gate, its allocator and its watcher."""

    def __init__(self, memory: Memory, gate: Gate, watch: Watch | None) -> None:
        self._watched = watch is not None
        self._names = {**_NAMES, "gate": gate, "careful": Careful(memory), "read": memory.read}
        if watch is not None:
            self._names.update(enter=watch.enter, leave=watch.leave, trap=watch.trap)
        memory.follow(self._renew)

    def _renew(self, view: memoryview, chars: Any) -> None:
        self._names.update(view=view, chars=chars, limit=len(view))

    def allocate_by(self, malloc: Callable[[int], Any]) -> None:
        """Have the guest's memory allocated by a function of its own."""
        self._names["malloc"] = malloc

    def function(self, row: Function, handler: Callable[..., Any]) -> Call:
        """The function that the guest calls: words in, a status word out."""
        names = self._names
        names[f"{row.name}_row"] = row
        names[f"{row.name}_handler"] = handler
        for param in row.inputs:
            if param.enum is not None:
                names[f"{param.enum.__name__}_members"] = members(param.enum)
        exec(compiled(row, watched=self._watched), names)
        made: Call = names.pop(row.name)
        return made
