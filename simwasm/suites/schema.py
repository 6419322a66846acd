"""The JSON Schema of suites, for editors: made of the same tables that suites are read by."""

from __future__ import annotations

import json
from typing import Any

from simwasm.suites.section import Of, Section, keys_of
from simwasm.suites.shape import Schema
from simwasm.suites.suite import Suite

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PARAMETER: Schema = {
    "type": "string",
    "pattern": r"^\$\{[A-Za-z_]\w*\}$",
    "description": "A parameter of the case, which `with` has values for.",
}


def schema() -> Schema:
    """The schema, each section a definition of its own."""
    definitions: dict[str, Schema] = {"parameter": _PARAMETER}
    waiting: list[type[Section]] = [Suite]
    while waiting:
        kind = waiting.pop(0)
        name = Of(kind).name
        if name not in definitions:
            definitions[name] = _section(kind)
            waiting += sections_in(kind)
    return {
        "$schema": DIALECT,
        "title": "A suite of simwasm",
        **definitions.pop("suite"),
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The schema as a file has it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _section(kind: type[Section]) -> Schema:
    keys = keys_of(kind).values()
    required = [key.name for key in keys if key.required]
    return {
        "description": _first_line(kind),
        "type": "object",
        "properties": {key.name: {"description": key.doc, **key.shape.schema()} for key in keys},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def sections_in(kind: type[Section]) -> list[type[Section]]:
    """The sections that a section's keys may have, in their order."""
    found: dict[type[Section], None] = {}
    for key in keys_of(kind).values():
        _collect(key.shape, found)
    return list(found)


def _collect(shape: Any, found: dict[type[Section], None]) -> None:
    if isinstance(shape, Of):
        found[shape.kind] = None
    for part in (getattr(shape, "of", None), *getattr(shape, "shapes", ())):
        if part is not None:
            _collect(part, found)


def _first_line(kind: type[Section]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]
