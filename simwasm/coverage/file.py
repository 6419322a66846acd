"""Coverage in a file: JSON with a number for its format, which holds all that reports need.

    {"simwasm_coverage": 1, "plugins": [{"name": …, "sha256": …, "blocks": [3, 1, …], "reached": "1f03…", …}]}

Rules that live here: bits are written in hex, the lowest first; a file that is none, is broken or newer is a
`InputError` that says what to do; nothing in a file is believed before it was checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from simwasm.coverage.values import Covered, Function, Ground, Source, Written
from simwasm.errors import InputError

FORMAT = 1
_MARK = "simwasm_coverage"
LARGEST = 256 << 20


def write(path: str | Path, plugins: Iterable[Covered]) -> None:
    """Write a file."""
    content = {_MARK: FORMAT, "plugins": [_plugin(each) for each in plugins]}
    try:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, separators=(",", ":"))
            file.write("\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def read(path: str | Path) -> tuple[Covered, ...]:
    """Read a file."""
    try:
        if Path(path).stat().st_size > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST >> 20} MiB, which no coverage is")
        content = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        _refuse(path, "it is no JSON, or cut off")
    if not isinstance(content, dict) or not isinstance(content.get(_MARK), int):
        _refuse(path, "it does not begin as one does")
    if content[_MARK] > FORMAT:
        raise InputError(
            f"{path}: coverage of format {content[_MARK]}, known is {FORMAT}: read it with the simwasm that wrote it, "
            "or collect it again"
        )
    try:
        return tuple(_read_plugin(each) for each in content["plugins"])
    except _Wrong as wrong:
        _refuse(path, str(wrong))
    except (KeyError, TypeError, ValueError, AttributeError):
        _refuse(path, "something is missing in it, or is not what it has to be")


def _refuse(path: str | Path, why: str) -> NoReturn:
    raise InputError(
        f"{path}: no coverage that simwasm has written ({why}): collect it again with --coverage FILE"
    )


class _Wrong(ValueError):
    """Something in a file cannot be."""


def _plugin(found: Covered) -> dict[str, Any]:
    ground = found.ground
    size = (len(ground.sizes) + 7) // 8
    return {
        "name": found.name,
        "sha256": found.sha256,
        "callbacks": dict(found.callbacks),
        "host_calls": dict(found.host_calls),
        "no_lines": ground.no_lines,
        "blocks": list(ground.sizes),
        "reached": found.reached.to_bytes(size, "little").hex(),
        "functions": [list(each) for each in ground.functions],
        "sources": [
            {
                "path": each.path,
                "own": each.own,
                "here": each.here,
                "sha256": each.digest,
                "lines": {str(line): list(numbers) for line, numbers in each.lines.items()},
                "functions": [list(written) for written in each.functions],
            }
            for each in ground.sources
        ],
    }


def _read_plugin(content: dict[str, Any]) -> Covered:
    sizes = tuple(map(_number, content["blocks"]))
    many = len(sizes)
    ground = Ground(
        sizes,
        tuple(_function(each, many) for each in content["functions"]),
        tuple(_source(each, many) for each in content["sources"]),
        tuple(map(_text, content["callbacks"])),
        tuple(map(_text, content["host_calls"])),
        _text(content["no_lines"]),
    )
    reached = int.from_bytes(bytes.fromhex(content["reached"]), "little")
    if reached >> many:
        raise _Wrong("more was reached than there is")
    callbacks, host_calls = (
        {_text(name): _number(count) for name, count in content[side].items()}
        for side in ("callbacks", "host_calls")
    )
    return Covered(_text(content["name"]), _text(content["sha256"]), ground, reached, callbacks, host_calls)


def _function(content: Any, many: int) -> Function:
    index, name, first, end, own = content
    if not _number(first) <= _number(end) <= many:
        raise _Wrong("a function of blocks that are not there")
    return Function(_number(index), _text(name), first, end, bool(own))


def _source(content: dict[str, Any], many: int) -> Source:
    return Source(
        _text(content["path"]),
        bool(content["own"]),
        _text(content["here"]),
        _text(content["sha256"]),
        {_line(line): _blocks(numbers, many) for line, numbers in content["lines"].items()},
        tuple(
            Written(_text(name), _number(line), _blocks(numbers, many))
            for name, line, numbers in content["functions"]
        ),
    )


def _line(text: str) -> int:
    if len(text) > 10 or not text.isdecimal():
        raise _Wrong("a line that is no number")
    return int(text)


def _blocks(numbers: Any, many: int) -> tuple[int, ...]:
    found = tuple(map(_number, numbers))
    if any(number >= many for number in found):
        raise _Wrong("a block that is not there")
    return found


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise _Wrong("a number that is none")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("a text that is none")
    return value
