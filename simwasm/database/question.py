"""What a question is and what it names, as DuckDB's own parser tells it.

Rule: where in doubt everything is named, which only costs time: a star, a row as a whole, a natural join.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import duckdb

from simwasm.database.tables import TABLES
from simwasm.errors import InputError

_NAMES = frozenset(table.name for table in TABLES)
_ALL = frozenset(column.name for table in TABLES for column in table.columns)
_ASKING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_NO = "a query asks and changes nothing: begin with select, from, with, describe, summarize or pivot"


class Needs(NamedTuple):
    """What has to be there for a question."""

    tables: frozenset[str]
    columns: frozenset[str]


EVERYTHING = Needs(_NAMES, _ALL)


def only(text: str) -> str:
    """The question without what is behind it; refused if it is more than one, or no question."""
    try:
        found = duckdb.extract_statements(text)
    except duckdb.Error:
        return text  # whoever runs it is told what is wrong, and where
    for each in found:
        if each.query.strip() and each.type not in _ASKING:  # what a pivot is made into has no text
            raise InputError(
                f"`{each.query.split(None, 1)[0].lower()}` is refused: {_NO}; -o FILE writes the answer"
            )
    told = [each.query for each in found if each.query.strip()]
    if len(told) > 1:
        raise InputError(f"these are {len(told)} questions: ask one at a time")
    return told[0] if told else text


def needs(connection: duckdb.DuckDBPyConnection, text: str) -> Needs:
    """What a question names."""
    row = connection.execute("select json_serialize_sql(?::VARCHAR)", [text]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        return _named_in(text)
    found = list(_nodes(tree))
    texts = {value for node in found for value in node.values() if isinstance(value, str)}
    texts |= {item for node in found for value in node.values() if isinstance(value, list)
              for item in value if isinstance(item, str)}  # fmt: skip
    texts = {each.lower() for each in texts}
    tables = frozenset(texts & _NAMES)
    if any(map(_whole, found)) or _rows(found) or any(each.startswith("query") for each in texts):
        return Needs(tables or _NAMES, _ALL)
    return Needs(tables, frozenset(texts & _ALL))


def _named_in(text: str) -> Needs:
    """The same of what has no tree."""
    words = set(re.findall(r"\w+", text.lower()))
    return Needs(frozenset(words & _NAMES) or _NAMES, _ALL)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _whole(node: dict[str, Any]) -> bool:
    """Whether it stands for all columns."""
    return node.get("class") == "STAR" or node.get("ref_type") == "NATURAL" or node.get("type") == "SHOW_REF"


def _rows(found: list[dict[str, Any]]) -> bool:
    """Whether a table's name, or what it is called in the question, is used as if it were a column."""
    tables = {node[key].lower() for node in found for key in ("alias", "table_name")
              if node.get("type") in ("BASE_TABLE", "SUBQUERY", "JOIN") and node.get(key)}  # fmt: skip
    used = {node["column_names"][-1].lower() for node in found if node.get("class") == "COLUMN_REF"}
    return not tables.isdisjoint(used)
