"""What may be typed next in the filter language, and what it means."""

from __future__ import annotations

import re
from typing import NamedTuple

from simwasm.trace.query.terms import NAMED, TERMS, Term, term
from simwasm.trace.query.values import Shape

_TYPED = re.compile(r"""([A-Za-z_][\w.-]*)(!=|!~|>=|<=|:|=|~|<|>)([^\s"'()]*)$""")
_BEGUN = re.compile(r"""([A-Za-z_][\w.-]*)?$""")
_SIGNS = {Shape.NUMBER: "=", Shape.TIME: ">"}
_KEYWORDS = (
    ("and", "Both; the same as a space."),
    ("or", "One of the two."),
    ("not", "What is not so."),
)


class Candidate(NamedTuple):
    """Something that may stand where the cursor is."""

    text: str
    start: int
    """What is between here and the cursor is what it takes the place of."""
    doc: str


def complete(text: str, cursor: int | None = None) -> tuple[Candidate, ...]:
    """What may be typed at the cursor: a value after an operator, otherwise a term."""
    before = text[:cursor]
    typed = _TYPED.search(before)
    if typed is not None:
        found = term(typed[1])
        return () if found is None else _values(found, typed[3], typed.start(3))
    begun = _BEGUN.search(before)
    assert begun is not None
    if begun.start() and not (before[begun.start() - 1].isspace() or before[begun.start() - 1] in "(!"):
        return ()
    return _terms(begun.group(), begun.start())


def _values(found: Term, begun: str, start: int) -> tuple[Candidate, ...]:
    part = begun.lower()
    fitting = [value for value in found.values if part in value.lower()]
    fitting.sort(key=lambda value: not value.lower().startswith(part))
    return tuple(Candidate(value, start, found.doc) for value in fitting)


def _terms(begun: str, start: int) -> tuple[Candidate, ...]:
    part = begun.lower()
    table = (*TERMS, *NAMED.values()) if part.startswith(("arg.", "out.")) else TERMS
    found = [
        Candidate(
            each.name + ("" if each.bare else _SIGNS.get(each.shape, ":")),
            start,
            f"{each.doc} {each.example}",
        )
        for each in table
        if each.name.startswith(part)
    ]
    found += [Candidate(word, start, doc) for word, doc in _KEYWORDS if part and word.startswith(part)]
    return tuple(found)


def reference() -> str:
    """The terms, one line each, as a help page has them."""
    width = max(len(each.example) for each in TERMS)
    lines = [f"{each.example:<{width}}  {each.doc}" for each in TERMS]
    lines.append(f"{'arg.level>=WARN':<{width}}  The argument of that name.")
    lines.append(f"{'out.size>1KiB':<{width}}  What comes out under that name.")
    return "\n".join(lines) + "\n"
