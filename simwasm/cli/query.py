"""`simwasm query`: ask trace files, in SQL or in the filter language.

Rule: a question that begins with one of SQL's words is SQL; any other is a filter, which needs nothing installed.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any, TextIO

from simwasm.abi.kinds import Param
from simwasm.cli import answers, output
from simwasm.database.words import is_sql
from simwasm.errors import InputError
from simwasm.trace.arrowline import arrow_line
from simwasm.trace.event import Left, Trapped
from simwasm.trace.query import Query, QueryError, compile
from simwasm.trace.rows import Kind
from simwasm.trace.scan import Found, scan
from simwasm.trace.store import to_json
from simwasm.trace.text import printable

_INSTALL = "SQL is answered by DuckDB, which is not installed: pip install 'simwasm[query]'"


def command(words: Namespace) -> int:
    """Ask."""
    if words.tables:
        return _tables(words)
    if not words.question:
        raise InputError("what is the question? `simwasm query --help` shows some")
    if not words.trace:
        raise InputError("which traces? Name files that --trace has written, after the question")
    return _sql(words) if is_sql(words.question) else _filter(words)


def _sql(words: Namespace) -> int:
    try:
        from simwasm.database.database import Database
    except ImportError:
        raise InputError(_INSTALL) from None
    kind = answers.kind_of(words.output)
    with Database(words.trace) as database:
        if kind == "parquet":
            database.write(words.question, words.output)
        else:
            answers.write(database.ask(words.question), kind or words.format, words.output, words)
        for text in database.notes:
            _note(text)
    return 0


def _tables(words: Namespace) -> int:
    from simwasm.database.tables import TABLES

    colour = output.ink(words, output.stdout())
    for table in TABLES:
        print(colour("callback", table.name), f" {table.doc}")
        width = max(len(column.name) for column in table.columns)
        kinds = max(len(column.type) for column in table.columns)
        for column in table.columns:
            print(f"    {column.name:<{width}}  {colour('ok', f'{column.type:<{kinds}}')}  {column.doc}")
        print()
    return 0


def _filter(words: Namespace) -> int:
    """Print the rows that a filter means."""
    if words.output or words.format == "csv":
        raise InputError("the rows of a filter are printed: for a file ask in SQL, or use --format json")
    query = _compiled(words.question)
    stream = output.stdout()
    colour = output.ink(words, stream)
    count = 0
    for path in words.trace:
        for number, found in enumerate(scan(path, query, note=_note)):
            count += 1
            if words.format == "json":
                print(answers.json_text(_json(path, found)), file=stream)
                continue
            if not number and len(words.trace) > 1:
                print(colour("ok", printable(f"{path}:")), file=stream)
            _print(found, colour, stream)
    if not count and words.format != "json":
        print("no row matches", file=sys.stderr)
    return 0


def _compiled(text: str) -> Query:
    """The filter of a text; what is wrong is pointed at."""
    try:
        return compile(text)
    except QueryError as error:
        line = text.replace("\n", " ").replace("\t", " ")
        raise InputError(f"{error}\n  {line}\n  {' ' * error.position}^") from None


def _print(found: Found, colour: output.Ink, stream: TextIO) -> None:
    """A row as the arrow log has it, behind its number and its exchange."""
    row = found.row
    number = f"#{found.exchange}" if found.exchange else ""
    print(colour("ok", f"{row.index + 1:>8,} {number:>6}  "), end="", file=stream)
    print("    " * row.depth + arrow_line(row, colour), file=stream)


def _json(path: str, found: Found) -> dict[str, Any]:
    """A row as JSON; what it does not have is left out."""
    row = found.row
    told = {
        "file": path,
        "row": row.index + 1,
        "position": row.position,
        "exchange": found.exchange or None,
        "kind": row.kind.name.lower(),
        "callback": found.around or None,
        "plugin": row.entered.vm,
        "context": row.entered.context,
        "function": row.entered.function.name,
        "args": _named(row.entered.function.inputs, row.entered.args) or None,
    }
    ended = row.ended
    if isinstance(ended, Left) and row.kind is not Kind.CALLBACK:
        told["result"] = to_json(ended.result)
        told["gives"] = _named(row.entered.function.outputs, ended.values) or None
        told["reason"] = ended.reason or None
    elif isinstance(ended, Trapped) and row.kind is not Kind.CALLBACK:
        told["trap"] = str(ended.trap)
    told["took_ns"] = row.took_ns or None
    return {name: value for name, value in told.items() if value is not None}


def _named(params: Sequence[Param], values: Sequence[Any]) -> dict[str, Any]:
    return {param.name: to_json(value) for param, value in zip(params, values, strict=False)}


def _note(text: str) -> None:
    print(printable(f"simwasm: {text}"), file=sys.stderr)
