"""The reference of suites for people: a table for each section, made of the same tables that suites are read by.

Rule: sections come in the order in which one meets them; the texts are Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator

from simwasm.suites.schema import sections_in
from simwasm.suites.section import Of, Section, keys_of
from simwasm.suites.settings import Settings
from simwasm.suites.suite import Suite


def reference() -> str:
    """All sections with their keys."""
    return "\n".join(line for kind in sections() for line in _section(kind))


def sections() -> list[type[Section]]:
    """All sections, each behind one that has it."""
    found: dict[type[Section], None] = {}
    waiting: list[type[Section]] = [Suite, Settings]
    while waiting:
        kind = waiting.pop(0)
        if kind not in found:
            found[kind] = None
            waiting += sections_in(kind)
    return list(found)


def _section(kind: type[Section]) -> Iterator[str]:
    shared = {} if kind is Settings else keys_of(Settings) if issubclass(kind, Settings) else {}
    yield f"### {Of(kind).name}"
    yield ""
    yield (kind.__doc__ or "").strip()
    if shared:
        yield f"It has the keys of [{Of(Settings).name}](#{Of(Settings).name}), too."
    yield ""
    yield "| key | what it may be | what it means |"
    yield "|--|--|--|"
    for key in keys_of(kind).values():
        if key.name not in shared:
            must = " Needed." if key.required else ""
            yield f"| `{key.name}` | {_cell(key.shape.words)} | {_cell(key.doc)}{must} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
