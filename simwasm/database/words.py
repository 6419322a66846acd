"""Whether a question is SQL, told by its first word, without DuckDB."""

from __future__ import annotations

import re

_WORDS = ("select", "with", "from", "describe", "desc", "summarize", "show", "pivot", "unpivot", "values", "table",
          "explain")  # fmt: skip
_SQL = re.compile(rf"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:{'|'.join(_WORDS)})(?![\w:=~<>!.-])", re.I | re.S)


def is_sql(text: str) -> bool:
    """Whether a question is SQL, by its first word; otherwise it is one in the filter language."""
    return _SQL.match(text) is not None
