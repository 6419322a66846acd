"""A recipe as a mark of a test and as an entry of a suite, with paths as they are written from the export's folder."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

from simwasm.debug.export_source import Imports, call, named, quoted
from simwasm.debug.export_subject import Subject, slug
from simwasm.errors import InputError
from simwasm.plugin_options import text_or_file
from simwasm.recipe import Recipe
from simwasm.recipe import plugin as plugin_of

_TEXTS_OR_FILES = ("config", "vm_config")
_FILES = ("debug_file",)
_NO_OPTIONS = ("plugin", "traffic", "together", "filter", "limit")


def marked(subject: Subject, imports: Imports) -> str:
    """The mark of a test that has the plugin, and the options that say otherwise than the defaults."""
    recipe = subject.files()
    given = {
        field.name: _option(subject, field.name, getattr(recipe, field.name))
        for field in fields(Recipe)
        if field.name not in _NO_OPTIONS and getattr(recipe, field.name) != field.default
    }
    return call("pytest.mark.simwasm", (quoted(subject.path(recipe.plugin)), *named(given, imports)))


def replayed(subject: Subject) -> str:
    """What plays the traffic."""
    recipe = subject.files()
    paths = [quoted(subject.path(path)) for path in recipe.traffic]
    options = {"together": recipe.together, "filter": recipe.filter, "limit": recipe.limit}
    said = (
        f"{name}={quoted(value) if isinstance(value, str) else value}"
        for name, value in options.items()
        if value
    )
    return call("plugin.replay", (*paths, *said))


def _option(subject: Subject, name: str, value: Any) -> Any:
    """An option as it is given to `load_plugin`."""
    if name in _TEXTS_OR_FILES and value == "@-":
        raise InputError(
            f"the {name} was read from standard input, which a file cannot do: put it into a file first"
        )
    if name in _TEXTS_OR_FILES and value.startswith("@"):
        return f"@{subject.path(value[1:])}"
    if name in _FILES:
        return subject.path(value)
    if name == "env":
        return dict(text.partition("=")[::2] for text in value)
    if name == "callout":
        return {key: _file(subject, text) for key, text in (pair.partition("=")[::2] for pair in value)}
    if name == "module":
        value = tuple(_module(subject, text) for text in value)
    if name == "source_map":
        pairs = (text.partition("=")[::2] for text in value)
        value = tuple(f"{build}={subject.path(here)}" for build, here in pairs)
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def _module(subject: Subject, text: str) -> str:
    """`FILE` or `NAME=FILE` with the file as it is named from the export."""
    name, equals, file = text.partition("=")
    return f"{name}={_file(subject, file)}" if equals and "/" not in name else _file(subject, text)


def _file(subject: Subject, text: str) -> str:
    """The path of a file, if a text is one."""
    return subject.path(text) if os.path.isfile(text) else text


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
