"""A recipe as Python and as an entry of a suite, with paths as they are written from the export's folder."""

from __future__ import annotations

import json
import os
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from simwasm.debug.export_subject import Subject, slug
from simwasm.errors import InputError
from simwasm.recipe import Recipe, text_or_file
from simwasm.recipe import plugin as plugin_of

_TEXTS_OR_FILES = ("config", "vm_config")


def recipe_source(subject: Subject) -> str:
    """A recipe as Python; `HERE` is the folder of the file that it will be in."""
    recipe = subject.files()
    given = [f"    plugin={_here(subject, recipe.plugin)},\n"]
    for field in fields(Recipe)[1:]:
        value = getattr(recipe, field.name)
        if value != (None if field.default is MISSING else field.default):
            given.append(f"    {field.name}={_source(subject, field.name, value)},\n")
    return f"Recipe(\n{''.join(given)})"


def _source(subject: Subject, name: str, value: Any) -> str:
    if name == "traffic":
        return _tuple([_here(subject, path) for path in value])
    if name in _TEXTS_OR_FILES and value.startswith("@") and value != "@-":
        return f'"@" + {_here(subject, value[1:])}'
    if name in _TEXTS_OR_FILES and value == "@-":
        raise InputError(
            f"the {name} was read from standard input, which a file cannot do: put it into a file first"
        )
    if name == "callout":
        return _tuple([_callout(subject, text) for text in value])
    return repr(value)


def _callout(subject: Subject, text: str) -> str:
    cluster, _, answer = text.partition("=")
    return f"{f'{cluster}='!r} + {_here(subject, answer)}" if os.path.exists(answer) else repr(text)


def _here(subject: Subject, path: str) -> str:
    return f"str(HERE / {subject.path(path)!r})"


def _tuple(items: list[str]) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def case(subject: Subject) -> str:
    """The entry of a suite's `cases.json`: plugin, recording, configuration, callouts."""
    recipe, span = subject.files(), subject.exchange_span()
    if len(recipe.traffic) != 1:
        raise InputError(
            f"a case has one recording, and this run has {len(recipe.traffic)}: export each by itself"
        )
    found: dict[str, Any] = {
        "sample": plugin_of(recipe).name,
        "case": slug(span.exchange.label),
        "traffic": subject.path(recipe.traffic[0]),
    }
    for name in _TEXTS_OR_FILES:
        found[name] = _text(name, getattr(recipe, name))
    pairs = (text.partition("=") for text in recipe.callout)
    found["callouts"] = {
        cluster: subject.path(answer) if Path(answer).exists() else answer for cluster, _, answer in pairs
    }
    return json.dumps({key: value for key, value in found.items() if value}, ensure_ascii=False) + "\n"


def _text(name: str, value: str) -> str:
    if value == "@-":
        raise InputError(f"the {name} was read from standard input: put it into a file first")
    try:
        return text_or_file(value).decode()
    except UnicodeDecodeError:
        raise InputError(f"the {name} is not UTF-8 and cannot be written as JSON") from None
