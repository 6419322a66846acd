"""The text of the functions between a guest and its host: one for each row of the table, from top to bottom.

A host call is so short that the calls inside it are what it costs, so a function is put together from the lines of
its parameters (`snippets.py`), as dataclasses and named tuples are. Rules:

- what may not be called now traps before anything else is looked at;
- all parameters are read before anything is written or carried out;
- watched or not, the same lines run; the margin of a template marks those that only one of the two has. Watched,
  each `enter` is closed by one `leave` or `trap`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from textwrap import indent

from simwasm.abi import snippets
from simwasm.abi.codec import placed
from simwasm.abi.enums import Errno
from simwasm.abi.kinds import Form, Param
from simwasm.abi.snippets import ALLOCATING, Place
from simwasm.abi.table import Function, Side

STARTING = 1
"""What `Gate.shut` has set while the module starts."""

_HOST_FUNCTION = """\
    |def {name}({words}):
 ug |    if gate.shut & {forbidden}:
 ug |        raise gate.restricted({row})
 wr |    refused = None
 r  |    try:
 r  |        <read>
 r  |    except (IndexError, KeyError, Refusal):
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

_CALLBACK = """\
    |def {name}({words}):
 w  |    opened = entered({row}, {shown}, {word_tuple})
 w  |    try:
 w  |        value = {name}_export({words})
 w  |    except BaseException as error:
 w  |        trap(opened, error)
 w  |        raise
 u  |    value = {name}_export({words})
 d  |    value = {decoded}
 w  |    leave(opened, value)
    |    return value
"""
"""Margin: d means something by its result."""


def text(function: Function, *, watched: bool) -> str:
    """The source of the function that stands for a row."""
    write = _callback if function.side is Side.PLUGIN else _host_function
    return "".join(write(function, {"u": not watched, "w": watched}))


def _callback(function: Function, flags: dict[str, bool]) -> Iterator[str]:
    shown = [f"{word} != 0" if param.form is Form.FLAG else word
             for param, word in zip(function.params, _words(function), strict=True)]  # fmt: skip
    decoded = _decoded(function.result)
    gaps = _gaps(function) | {"shown": _tuple(shown), "decoded": decoded}
    return _filled(_CALLBACK, flags | {"d": bool(decoded)}, {}, gaps)


def _decoded(result: Param | None) -> str:
    if result is None or result.form is Form.I32:
        return ""
    if result.form is Form.FLAG:
        return "value != 0"
    if result.enum is not None:
        return f"{result.enum.__name__}_members.get(value, value)"
    return "value & 0xFFFFFFFF"


def _host_function(function: Function, flags: dict[str, bool]) -> Iterator[str]:
    status = function.errors is not None
    asked = {"g": bool(forbidden(function)), "r": bool(function.inputs), "s": status, "p": not status}
    blocks = {
        "<read>": _lines(snippets.read(place) for place in _inputs(function)),
        "<clear>": _lines(snippets.clear(place) for place in _places(function) if place.param.cleared),
        "<write>": _writes(function),
    }
    return _filled(_HOST_FUNCTION, flags | asked, blocks, _gaps(function) | _answer(function))


def forbidden(function: Function) -> int:
    """When a function may not be called: the bits of `Gate.shut`."""
    return (0 if function.early else STARTING) | (0 if function.in_allocator else ALLOCATING)


def _filled(
    template: str, flags: Mapping[str, bool], blocks: Mapping[str, str], gaps: Mapping[str, str]
) -> Iterator[str]:
    for line in template.splitlines(keepends=True):
        margin, _, code = line.partition("|")
        if all(flags[flag] for flag in margin.replace(" ", "")):
            block = blocks.get(code.strip())
            yield code.format_map(gaps) if block is None else indent(block, code[: code.index("<")])


def _words(function: Function) -> list[str]:
    return [f"w{index}" for index in range(len(function.type.params))]


def _gaps(function: Function) -> dict[str, str]:
    words = _words(function)
    return {
        "name": function.name,
        "row": f"{function.name}_row",
        "words": ", ".join(words),
        "word_tuple": _tuple(words),
    }


def _answer(function: Function) -> dict[str, str]:
    args = [place.value for place in _inputs(function)]
    outputs = len(function.outputs)
    return {
        "handler": f"{function.name}_handler",
        "forbidden": str(forbidden(function)),
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


def _writes(function: Function) -> str:
    outputs = [place for place in _places(function) if place.param.out]
    if len(outputs) == 1:
        return _lines([snippets.write(outputs[0]._replace(value="value"))])
    outputs = [place._replace(value=f"v{index}") for index, place in enumerate(outputs)]
    taken = f"{', '.join(place.value for place in outputs)} = value" if outputs else ""
    return _lines([taken, *map(snippets.write, outputs)])


def _lines(parts: Iterable[str]) -> str:
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts if part)
