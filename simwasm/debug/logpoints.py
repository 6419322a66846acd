"""What a logpoint says: a text with gaps that are filled from the row on which it was come by.

    "{method} {path}: {key} = {header:x-user}"

A gap is a term of the filter language, or `header:` and a name: what the call reads or writes of it, otherwise what the
request had when its callback was entered. Rules: what a row does not have is `-`; nothing that a plugin says gets out
of its line; `{{` and `}}` are braces.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from simwasm.debug.conditions import TapeSubject
from simwasm.debug.tape import Tape
from simwasm.exchange import first
from simwasm.trace.event import Left
from simwasm.trace.query.names import nearest
from simwasm.trace.query.syntax import QueryError
from simwasm.trace.query.terms import Term, known, term
from simwasm.trace.query.values import text_of
from simwasm.trace.text import printable

_GAP = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_LONG = 500
_NOTHING = "-"

Fill = Callable[[TapeSubject, Tape], str]


class Message(NamedTuple):
    """A text with gaps, understood."""

    parts: tuple[str | Fill, ...]
    ends: bool
    """Some gap can only be filled when the call has ended."""

    def text(self, tape: Tape, position: int) -> str:
        """What is said at a position."""
        subject = TapeSubject(tape)
        subject.stand(position)
        return "".join(part if isinstance(part, str) else part(subject, tape) for part in self.parts)


@lru_cache(maxsize=256)
def message(text: str) -> Message:
    """The message that a text is; a gap that means nothing is a `QueryError`."""
    parts: list[str | Fill] = []
    ends, at = False, 0
    for found in _GAP.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        if found.group() in ("{{", "}}"):
            parts.append(found.group()[0])
            continue
        if found[1] is None:
            raise QueryError(f"`{found.group()}` is alone; a brace itself is written twice", found.start())
        fill, needs_end = _gap(found[1].strip(), found.start())
        parts.append(fill)
        ends = ends or needs_end
    return Message((*parts, text[at:]), ends)


def _gap(name: str, position: int) -> tuple[Fill, bool]:
    if name.lower().startswith("header:"):
        return _header(name.partition(":")[2].strip().lower()), True
    found = term(name)
    if found is None:
        hint = nearest(name, known()) or "; what may stand there are terms of the filter language"
        raise QueryError(f"nothing is called `{name}`{hint}", position)
    return _term(found), found.ends


def _term(found: Term) -> Fill:
    def fill(subject: TapeSubject, tape: Tape) -> str:
        value = found.read(subject)
        if value is None:
            return _NOTHING
        return _line(", ".join(map(text_of, value)) if found.several else text_of(value))

    return fill


def _header(name: str) -> Fill:
    def fill(subject: TapeSubject, tape: Tape) -> str:
        value = _in_call(subject, name)
        return _line(_before(subject, tape, name) if value is None else value)

    return fill


def _in_call(subject: TapeSubject, name: str) -> str | None:
    """What a call says of a header: by its key and value, or in a whole map."""
    entered, ended = subject.entered, subject.ended
    named = {param.name: value for param, value in zip(entered.function.inputs, entered.args, strict=False)}
    if isinstance(ended, Left):
        named |= {
            param.name: value for param, value in zip(entered.function.outputs, ended.values, strict=False)
        }
    key = named.get("key")
    if isinstance(key, str) and key.lower() == name and "map_type" in named:
        value = named.get("value")
        return value if isinstance(value, str) else None
    for of in ("pairs", "headers"):
        if isinstance(pairs := named.get(of), tuple) and (value := first(pairs, name)) is not None:
            return value
    return None


def _before(subject: TapeSubject, tape: Tape, name: str) -> str:
    """What the newest map had when the callback around was entered, or left."""
    calls = tape.calls_at(subject.position)
    for _, headers in reversed(tape.seen.get(calls[0]) or () if calls else ()):
        if (value := first(headers, name)) is not None:
            return value
    return _NOTHING


def _line(text: str) -> str:
    cut = text if len(text) <= _LONG else f"{text[:_LONG]}…"
    return printable(cut).replace("\n", "\\n").replace("\t", "\\t")
