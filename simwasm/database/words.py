"""Whether a question is SQL, told by its first word, without DuckDB."""

from __future__ import annotations

import re

_WORDS = ("select", "with", "from", "describe", "desc", "summarize", "show", "pivot", "unpivot", "values", "table",
          "explain")  # fmt: skip
_CHANGES = ("copy", "attach", "install", "insert", "update", "delete", "create", "drop", "alter", "export")
"""What is understood and refused."""
_PLAIN = r"copy\s*\(|(?:attach|detach|install|pragma)\s+['\"\w]"
"""The same, where fewer words than three tell it."""
_SQL = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*"
    rf"(?:(?:{'|'.join(_WORDS)})(?![\w:=~<>!.-])|(?:{'|'.join(_CHANGES)})\s+\w+\s|{_PLAIN})",
    re.I | re.S,
)


def is_sql(text: str) -> bool:
    """Whether a question is SQL, by its first word; otherwise it is one in the filter language."""
    return _SQL.match(text) is not None
