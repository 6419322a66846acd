"""The manual as lines: `docs/debugger.md` with its marks taken away, wrapped for a width.

Rule: only what that file uses is understood: headings, paragraphs, lists, tables and code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from simwasm.trace.query import TERMS
from simwasm_tui.commands import COMMANDS, Command, grouped, keys_sign
from simwasm_tui.text import Line

_MARKS = re.compile(r"\*\*(.+?)\*\*|(?<![\w*])\*(\S[^*]*)\*|\[([^\]]+)\]\([^)]+\)")
_CODE = re.compile(r"(`+ ?)(.+?)( ?`+)")
_NOTES = re.compile(r"^<!--.*?-->\n", re.M)
_LEAST = 20


def path() -> Path:
    """Where the text is: beside this file in an installed package, in `docs/` of a checkout."""
    beside = Path(__file__).with_name("debugger.md")
    return beside if beside.exists() else Path(__file__).parents[2] / "docs" / "debugger.md"


def read() -> str:
    """The text; a sentence in its place if it is not there."""
    try:
        return path().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return f"# Manual\n\nThe manual cannot be read: {error}. `?` explains the focused pane, `^p` has every command."


def key_table() -> str:
    """The commands of the screen with their keys, as the manual has them."""
    parts = []
    for group, rows in grouped(COMMANDS).items():
        told = [f"| {_keys(row)} | {row.title.rstrip('…')}: {row.help} |" for row in rows]
        parts.append("\n".join((f"| {group} | |", "|---|---|", *told)) + "\n")
    return "\n".join(parts)


def _keys(command: Command) -> str:
    return " ".join(f"`{sign}`" for sign in keys_sign(command, {}).split()) or "^p"


def term_table() -> str:
    """The terms of the filter language, as the manual has them."""
    rows = [f"| `{term.example}` | {term.doc} |" for term in TERMS]
    return "\n".join(("| term | what it is |", "|---|---|", *rows)) + "\n"


TABLES = {"keys": key_table, "filter": term_table}
"""The tables of the guide that are made here; they stand between marks with these names."""


def lines(text: str, width: int) -> Iterator[Line]:
    """The lines for a width."""
    text = _NOTES.sub("", text)
    width = max(_LEAST, width)
    source = iter([*text.splitlines(), ""])
    paragraph: list[str] = []
    for line in source:
        stripped = line.strip()
        if stripped and not line.startswith(("#", "|", "```", "- ")):
            paragraph.append(stripped)
            continue
        yield from _paragraph(paragraph, width)
        paragraph = []
        if line.startswith("```"):
            yield from _code(source)
        elif line.startswith("|"):
            yield from _table([line, *_following(source)], width)
        elif line.startswith("#"):
            level, _, title = line.partition(" ")
            yield ((_bare(title), "heading" if len(level) == 1 else "key"),)
        elif line.startswith("- "):
            paragraph = [stripped]
        elif not stripped:
            yield ()


def _bare(text: str) -> str:
    text = _MARKS.sub(lambda found: found[1] or found[2] or found[3], text)
    return _CODE.sub(r"\2", text)


def _paragraph(parts: list[str], width: int) -> Iterator[Line]:
    text = _bare(" ".join(parts))
    indent = "  " if text.startswith("- ") else ""
    for line in wrap(text, width, subsequent_indent=indent, break_long_words=True):
        yield ((line, ""),)


def _code(source: Iterator[str]) -> Iterator[Line]:
    for line in source:
        if line.startswith("```"):
            return
        yield (("  " + line, "string"),)


def _following(source: Iterator[str]) -> Iterator[str]:
    """The other lines of a table; it ends with an empty one."""
    for line in source:
        if not line.startswith("|"):
            return
        yield line


def _table(rows: list[str], width: int) -> Iterator[Line]:
    cells = [
        [_bare(cell.strip().replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in rows
    ]
    cells = [row for row in cells if not all(set(cell) <= set("-: ") for cell in row) or not any(row)]
    size = max(len(row) for row in cells)
    widths = [max(len(row[at]) for row in cells if at < len(row)) for at in range(size - 1)]
    for number, row in enumerate(cells):
        if not any(row):
            continue
        first = "  ".join(f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=False))
        rest = wrap(row[-1], max(_LEAST, width - len(first) - 4)) or [""]
        ink = "strong" if number == 0 else "call"
        yield (("  " + first + "  ", "key" if number else "strong"), (rest[0], ink if number == 0 else ""))
        for more in rest[1:]:
            yield ((" " * (len(first) + 4), ""), (more, ""))
    yield ()
