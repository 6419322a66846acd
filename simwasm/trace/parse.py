"""What stands on a trace's lines, as values again: the header, the parts of calls, and what became of exchanges.

The other way round is `lines.py` and `store.py`. Rules: a value is read as its parameter's form says, so that
writing it again gives the same text; what a file must not hold is a `Wrong`, which knows no place: whoever reads the
file adds it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple

from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import FUNCTIONS, VERSIONS, Abi, Function, Side
from simwasm.errors import Frame, Trap, TrapKind
from simwasm.exchange import Chunk, Headers, Message, to_bytes, to_text
from simwasm.trace.formats import FORMAT, converter
from simwasm.trace.store import first_line
from simwasm.trace.text import printable

_SHOWN = 60
_decode = json.JSONDecoder().decode
_HEAD = {"plugins": list, "profile": str, "seed": int, "started_ns": int}
_MORE = {"engine": str, "redacted": list, "recipe": dict, "test": str}
_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number"}


class Wrong(Exception):
    """What is wrong with a line, in words."""


@dataclass(frozen=True, slots=True)
class Made:
    """A plugin that a trace was made with."""

    name: str
    sha256: str
    """Empty in goldens."""
    abi: Abi


@dataclass(frozen=True, slots=True)
class Header:
    """What decided the run: a trace's first line."""

    plugins: tuple[Made, ...]
    profile: str
    seed: int
    started_ns: int
    engine: str = ""
    """Empty where the file does not say which engine ran."""
    redacted: tuple[str, ...] = ()
    """What of the run is not told as it was."""
    recipe: Mapping[str, Any] | None = None
    """What plays the run again, with paths from the folder of the file; None if nothing does."""
    test: str = ""
    """The test of pytest that plays the run again."""
    format: int = FORMAT
    """That of the file, which may be an older one."""


class Ending(NamedTuple):
    """What became of an exchange, as the trace tells it."""

    exchange: str
    name: str
    status: int | None
    local_reply: bool
    details: str
    reset: str
    waiting: str
    request: Message | None
    """As the upstream received it; None if it was not asked."""
    response: Message | None
    """As the client received it; None if nothing arrived."""
    content: dict[str, Any]
    """As it stands on the line."""


def content_of(line: bytes) -> dict[str, Any]:
    """The JSON object that a line is."""
    try:
        found = _decode(line.decode())
    except (ValueError, RecursionError) as error:
        raise Wrong(f"is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise Wrong(f"is {_seen(found)}, and each line of a trace is an object")
    return found


def read_header(content: Mapping[str, Any]) -> Header:
    """Understand a first line."""
    if "format" not in content:
        raise Wrong("does not begin as a trace does, with its format. Was the file written by --trace?")
    version = format_of(content)
    content = converter(version)(dict(content))
    known = {key: _of(content, key, kind) for key, kind in _HEAD.items()}
    more = {key: _of(content, key, kind) for key, kind in _MORE.items() if key in content}
    redacted = more.get("redacted", [])
    if not all(isinstance(name, str) for name in redacted):
        raise Wrong(f"has {_seen(redacted)} for `redacted`, which is a list of texts")
    known["plugins"] = tuple(map(_made, known["plugins"]))
    return Header(**(known | more | {"redacted": tuple(redacted), "format": version}))


def format_of(content: Mapping[str, Any]) -> int:
    """The number of a first line's format, which can be read here."""
    version: int = _of(content, "format", int)
    if version > FORMAT:
        raise Wrong(f"is of format {version}, and this simwasm reads up to {FORMAT}: update simwasm")
    if version < 1:
        raise Wrong(f"is of format {version}, which there never was")
    return version


def _made(content: Any) -> Made:
    if not isinstance(content, dict):
        raise Wrong(f"has {_seen(content)} for a plugin, not an object")
    name, abi = _of(content, "name", str), _of(content, "abi", str)
    digest = _of(content, "sha256", str) if "sha256" in content else ""
    if abi not in {version.value for version in VERSIONS}:
        known = ", ".join(version.value for version in VERSIONS)
        raise Wrong(f"names ABI {_seen(abi)}; known are {known}")
    return Made(name, digest, Abi(abi))


def header_json(header: Header) -> dict[str, Any]:
    """The first line again, as a `Recorder` wants it: of the newest format."""
    plugins = [{"name": made.name, "sha256": made.sha256, "abi": made.abi.value} for made in header.plugins]
    more = {
        "engine": header.engine,
        "redacted": list(header.redacted),
        "recipe": header.recipe,
        "test": header.test,
    }
    return first_line(plugins, header.profile, header.seed, header.started_ns, more)


def measured_of(content: Mapping[str, Any]) -> tuple[int, int]:
    """How long a call took and what it cost, by the line that ends it; 0 where nobody measured."""
    if "took_ns" not in content and "instructions" not in content:
        return 0, 0
    found = [content.get(key, 0) for key in ("took_ns", "instructions")]
    if not all(type(number) is int and number >= 0 for number in found):
        raise Wrong("has a `took_ns` or `instructions` that is no number")
    return found[0], found[1]


@cache
def side_of(name: str) -> Side | None:
    """Who has the function of that name; None if nobody has."""
    return next((row.side for row in FUNCTIONS if row.name == name), None)


@cache
def function_of(name: str, version: Abi) -> Function:
    """The row of that name in a version of the ABI."""
    rows = [row for row in FUNCTIONS if row.name == name]
    for row in rows:
        if row.has(version):
            return row
    if rows:
        raise Wrong(f"calls {name}, which ABI {version.value} does not have")
    raise Wrong(f"calls {_seen(name)}, which no version of the ABI has")


def args_of(function: Function, content: Mapping[str, Any]) -> tuple[Any, ...]:
    """The arguments of a call."""
    return _values(function.inputs, content.get("args", {}), "args")


def values_of(function: Function, content: Mapping[str, Any]) -> tuple[Any, ...]:
    """What came out of a call; nothing where it was refused."""
    return _values(function.outputs, content["gives"], "gives", given=True) if "gives" in content else ()


def _values(params: tuple[Param, ...], content: Any, where: str, given: bool = False) -> tuple[Any, ...]:
    if not isinstance(content, dict) or content.keys() != {param.name for param in params}:
        wanted = ", ".join(param.name for param in params) or "nothing"
        found = ", ".join(content) or "nothing" if isinstance(content, dict) else _seen(content)
        raise Wrong(f"has `{where}` with {found[:_SHOWN]}, where the function has {wanted}")
    return tuple(_value(param, content[param.name], given) for param in params)


def _value(param: Param, value: Any, given: bool) -> Any:
    if value is None:
        return None
    try:
        if param.form is Form.SPAN:
            return _data(value) if given else _number(value)
        return _READ[param.form](param, value)
    except (TypeError, ValueError, KeyError, UnicodeError):
        raise Wrong(f"has {_seen(value)} for {param}") from None


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value if value.isascii() or to_bytes(value) else ""
    return to_text(_data(value))


def _data(value: Any) -> bytes:
    if isinstance(value, str):
        return to_bytes(value)
    return base64.b64decode(value["base64"], validate=True)


def _sequence(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _pairs(value: Any) -> Headers:
    return tuple((_text(name), _text(text)) for name, text in _sequence(value))


def _named(kind: type[IntEnum] | None, value: Any) -> Any:
    return kind[value] if kind is not None and isinstance(value, str) else _number(value)


_READ: dict[Form, Callable[[Param, Any], Any]] = {
    Form.U32: lambda param, value: _number(value),
    Form.I32: lambda param, value: _number(value),
    Form.U64: lambda param, value: _number(value),
    Form.I64: lambda param, value: _number(value),
    Form.FLAG: lambda param, value: _number(value),
    Form.ENUM: lambda param, value: _named(param.enum, value),
    Form.TEXT: lambda param, value: _text(value),
    Form.DATA: lambda param, value: _data(value),
    Form.PATH: lambda param, value: tuple(map(_text, _sequence(value))),
    Form.PAIRS: lambda param, value: _pairs(value),
    Form.IOVECS: lambda param, value: _data(value),
    Form.BLOB: lambda param, value: _data(value),
    Form.STRINGS: lambda param, value: tuple(map(_data, _sequence(value))),
}
"""The value that JSON stands for."""


def result_of(function: Function, value: Any) -> Any:
    """What a call returned: a status, an action, a number or nothing."""
    if value is None:
        return None
    try:
        if function.errors is not None:
            return _named(function.errors, value)
        return (
            _number(value) if function.result is None else _READ[function.result.form](function.result, value)
        )
    except (TypeError, ValueError, KeyError):
        raise Wrong(f"has {_seen(value)} for the result of {function.name}") from None


def trap_of(content: Any) -> Trap:
    """Why a guest stopped."""
    try:
        frames = tuple(
            Frame(frame["function"], frame["name"], frame["offset"]) for frame in content["frames"]
        )
        return Trap(TrapKind(content["kind"]), frames, content["detail"])
    except (TypeError, ValueError, KeyError):
        raise Wrong(f"has {_seen(content)} for a trap") from None


def ending_of(content: Any) -> Ending:
    """What became of an exchange."""
    if not isinstance(content, dict):
        raise Wrong(f"has {_seen(content)} for an outcome")
    known = {key: str(content.get(key, "")) for key in ("exchange", "name", "details", "reset", "waiting")}
    try:
        asked, answered = (_message(content.get(key)) for key in ("upstream_request", "response"))
    except (TypeError, ValueError, KeyError, AttributeError):
        raise Wrong("has an outcome whose messages cannot be read") from None
    status = content.get("status")
    if status is not None and type(status) is not int:
        raise Wrong(f"has {_seen(status)} for the status of an exchange")
    return Ending(
        **known,
        status=status,
        local_reply=bool(content.get("local_reply")),
        request=asked,
        response=answered,
        content=content,
    )


def _message(content: Any) -> Message | None:
    if content is None:
        return None
    body = _data(content.get("body", ""))
    return Message(
        _pairs(content["headers"]), (Chunk(body),) if body else (), _pairs(content.get("trailers", []))
    )


def _of(content: Mapping[str, Any], key: str, kind: type) -> Any:
    value = content.get(key)
    if type(value) is not kind:
        raise Wrong(f"has {_seen(value)} for `{key}`, which is {_KINDS[kind]}")
    return value


def _seen(value: Any) -> str:
    text = json.dumps(value)
    return printable(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
