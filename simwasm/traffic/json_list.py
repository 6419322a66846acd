"""The entries of one big list in a JSON text, one at a time: `log.entries` of a HAR.

Rules that live here: what else the objects around the list hold may stand before and behind it, and is not looked at;
a broken entry is told and left out; so is a text that is cut or goes on wrongly, unless no entry came before: then it
is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from simwasm.errors import TrafficError
from simwasm.traffic.json_field import Field
from simwasm.traffic.json_text import Broken, JsonText
from simwasm.traffic.notes import Notes

Known = Callable[[object], bool]


def entries(text: JsonText, path: tuple[str, ...], known: Known, notes: Notes) -> Iterator[tuple[int, Field]]:
    """Go through the list at this path, counting from 1; behind a broken entry the next that is `known` is looked for.

    for number, entry in entries(JsonText(stream, "login.har", remedy), ("log", "entries"), is_entry, notes): ...
    """
    some = False
    try:
        for entry in _inside(text, path, Field(None, text.where, text.remedy), known, notes):
            yield entry
            some = True
        if text.peek():
            raise text.unexpected("Extra data")
    except _Lost:
        pass
    except TrafficError as error:
        if not some:
            raise
        notes.broken(error)


class _Lost(Exception):
    """Nothing more was found behind a broken entry, which has been told."""


def _inside(
    text: JsonText, path: tuple[str, ...], at: Field, known: Known, notes: Notes
) -> Iterator[tuple[int, Field]]:
    """Go through what comes next: an object on the way to the list, or the list."""
    if not path:
        yield from _list(text, at, known, notes)
        return
    if text.peek() not in "{":
        at.holding(text.value()).keys()
    text.take("{")
    found: set[object] = set()
    while text.peek() != "}":
        if found:
            text.take(",")
        key = _key(text)
        if key == path[0] and key in found:
            raise at.wrong(f"has the key {json.dumps(key)} twice")
        found.add(key if key == path[0] else None)
        if key == path[0]:
            yield from _inside(text, path[1:], at.below(path[0]), known, notes)
        else:
            text.skip()
    text.take("}")
    if path[0] not in found:
        raise at.wrong(f"has no {json.dumps(path[0])}")


def _key(text: JsonText) -> object:
    if text.peek() not in '"':
        raise text.unexpected("Expecting property name enclosed in double quotes")
    key = text.value()
    text.take(":")
    return key


def _list(text: JsonText, at: Field, known: Known, notes: Notes) -> Iterator[tuple[int, Field]]:
    if text.peek() not in "[":
        at.holding(text.value()).items()
    text.take("[")
    number, between = 0, False
    while text.peek() != "]":
        number += 1
        text.where = f"{at.where}, entry {number}"
        try:
            if between:
                text.take(",")
                if text.peek() == "]":
                    break
            value = text.value()
        except Broken as broken:
            notes.broken(broken)
            if not text.recover(known):
                raise _Lost from None
            between = False
            continue
        between = True
        yield number, Field(value, text.where, at.remedy)
    text.where = at.where
    text.take("]")
