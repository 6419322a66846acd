"""Answers of `simwasm query` as a table, CSV or JSON, row by row: however long, none is kept.

Rules: a terminal gets nothing that a plugin could steer it with; a file gets the values as they are. The table is our
own: DuckDB's leaves out rows and columns that do not fit, and another library would be there for this alone.
"""

from __future__ import annotations

import csv
import json
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from math import isfinite
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TextIO

from simwasm.cli import output
from simwasm.errors import InputError
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from simwasm.database.database import Answer

_KINDS = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_LOOK = 1_000
"""By how many rows the widths of a table are told."""
_WIDEST = 80
_NUMBERS = (
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "DOUBLE",
    "FLOAT",
    "DECIMAL",
    "UBIGINT",
    "UINTEGER",
    "SMALLINT",
    "TINYINT",
)


def kind_of(path: str) -> str:
    """How a file is written, by its name; empty for none."""
    if not path:
        return ""
    kind = _KINDS.get(PurePath(path).suffix.lower())
    if kind is None:
        raise InputError(f"-o {path}: what is it to be? Its name has to end with {', '.join(_KINDS)}")
    return kind


def write(answer: Answer, kind: str, path: str, words: Namespace) -> None:
    """Write an answer."""
    with _opened(path) as stream:
        if kind == "table":
            for line in table(answer, output.ink(words, stream)):
                print(line, file=stream)
        else:
            _WRITERS[kind](answer, stream)


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if not path:
        yield output.stdout()
        return
    try:
        file = open(path, "w", encoding="utf-8", errors="backslashreplace", newline="")  # noqa: SIM115
    except OSError as error:
        raise InputError(f"-o {path}: cannot be written: {error.strerror}") from None
    with file:
        yield file


def table(answer: Answer, colour: output.Ink) -> Iterator[str]:
    """The lines of a table: as wide as its first rows are."""
    rows = ([_cell(value) for value in row] for row in answer.rows)
    begun = list(islice(rows, _LOOK))
    heads = [_cell(name) for name in answer.columns]
    widths = [
        max(len(name), max((len(row[at]) for row in begun), default=0)) for at, name in enumerate(heads)
    ]
    right = [kind.partition("(")[0] in _NUMBERS for kind in answer.types]
    yield colour("callback", _line(heads, widths, right))
    yield colour("ok", "  ".join("─" * width for width in widths))
    count = 0
    for row in chain(begun, rows):
        count += 1
        yield _line(row, widths, right)
    yield colour("ok", f"{count:,} row{'' if count == 1 else 's'}")


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(parts).rstrip()


def _cell(value: Any) -> str:
    """A value on one line, and not long."""
    if value is None:
        return "·"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = (
        str(value)
        if not isinstance(value, (list, dict))
        else json.dumps(value, ensure_ascii=False, default=str)
    )
    cut = text[: _WIDEST + 1]
    cut = printable(cut.replace("\n", "\\n").replace("\t", "\\t"))
    return cut if len(cut) <= _WIDEST else f"{cut[: _WIDEST - 1]}…"


def _csv(answer: Answer, stream: TextIO) -> None:
    safe: Callable[[Any], Any] = _harmless if stream.isatty() else _plain
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(safe, answer.columns))
    for row in answer.rows:
        writer.writerow(map(safe, row))


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else value


def _harmless(value: Any) -> Any:
    value = _plain(value)
    return printable(value) if isinstance(value, str) else value


def _json(answer: Answer, stream: TextIO) -> None:
    between = "[\n"
    for row in answer.rows:
        stream.write(between + json_text(dict(zip(answer.columns, row, strict=True))))
        between = ",\n"
    stream.write("[]\n" if between == "[\n" else "\n]\n")


def _json_lines(answer: Answer, stream: TextIO) -> None:
    for row in answer.rows:
        stream.write(json_text(dict(zip(answer.columns, row, strict=True))) + "\n")


def json_text(value: Any) -> str:
    """A value as JSON in which no character does anything to a terminal."""
    text = json.dumps(_told(value), ensure_ascii=False, default=str)
    return (
        text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    )


def _told(value: Any) -> Any:
    """A value without numbers that JSON does not have."""
    if isinstance(value, dict):
        return {name: _told(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_told(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


_WRITERS: dict[str, Callable[[Answer, TextIO], None]] = {"csv": _csv, "json": _json, "jsonl": _json_lines}
