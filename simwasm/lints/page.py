"""The page with all lints, written from their table: docs/problems.md."""

from __future__ import annotations

from collections.abc import Iterator

from simwasm.lints.table import LINTS
from simwasm.trace.query.grades import Grade

_INTRODUCTION = """\
# Problems

`simwasm run` and `simwasm send` list what should not be, each kind once, with the first place and how to mend it;
the debugger's Problems list every place. With `--strict` a run exits with 1 if there is any error or warning.
Notes are only in the debugger: they are worth knowing and may well be meant.

What memory leaks is found by replaying the same traffic: `simwasm run --repeat 10 …`.

This page is written by `python -m simwasm.lints.page > docs/problems.md`.
"""
_GRADES = {Grade.ERROR: "Errors", Grade.WARNING: "Warnings", Grade.NOTE: "Notes"}


def page() -> str:
    """The page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    for grade, title in _GRADES.items():
        yield f"## {title}\n"
        for lint in LINTS:
            if lint.grade is grade:
                yield f"### {lint.id}\n\n**{lint.title[0].upper()}{lint.title[1:]}.**\n"
                yield f"{lint.why}\n\n*What to do:* {lint.fix}\n"


if __name__ == "__main__":
    print(page(), end="")
