"""The lines of source files with colours. Where the files are is the business of `simwasm.sources`."""

from __future__ import annotations

from simwasm_tui.text import Line, clean

_COLOURED = 200_000
"""Characters up to which a file is coloured."""


def lines(text: str, name: str) -> tuple[Line, ...]:
    """The lines of a file, in the theme's inks as far as its language is known."""
    if len(text) <= _COLOURED and (coloured := _coloured(text, name)):
        return coloured
    return tuple(((clean(line.expandtabs(4)), ""),) for line in text.splitlines())


def _coloured(text: str, name: str) -> tuple[Line, ...]:
    from pygments.lexers import get_lexer_for_filename  # takes a while, and most never look at source
    from pygments.token import Comment, Keyword, Name, Number, String
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_for_filename(name, stripnl=False)
    except ClassNotFound:
        return ()
    inks = ((Comment, "muted"), (String, "string"), (Keyword, "callback"), (Number, "number"),
            (Name.Function, "accent"), (Name.Class, "accent"))  # fmt: skip
    found: list[Line] = []
    current: list[tuple[str, str]] = []
    for token, part in lexer.get_tokens(text):
        ink = next((ink for kind, ink in inks if token in kind), "")
        for index, piece in enumerate(part.split("\n")):
            if index:
                found.append(tuple(current))
                current = []
            if piece:
                current.append((clean(piece.replace("\t", "    ")), ink))
    return (*found, tuple(current)) if current else tuple(found)
