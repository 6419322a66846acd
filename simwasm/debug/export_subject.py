"""What is exported: a run on tape, an exchange of it, perhaps a row, and where the run came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simwasm.debug.branch import Override
from simwasm.debug.inputs import Inputs
from simwasm.debug.tape import Span, Tape
from simwasm.errors import InputError
from simwasm.exchange import Exchange
from simwasm.recipe import Recipe
from simwasm.trace.rows import Row


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to export. What is missing is told when a format needs it."""

    inputs: Inputs
    tape: Tape
    span: Span | None = None
    row: Row | None = None
    recipe: Recipe | None = None
    """The files that the run was read from; None if it was made in Python."""
    folder: Path = Path()
    """Where the export will be: paths in it are written from there."""
    overrides: Mapping[int, Override] = field(default_factory=dict)
    """What was said in somebody's place on the way, by the position of the call."""

    def exchange_span(self) -> Span:
        """The exchange, which has to be there."""
        if self.span is None:
            raise InputError("there is no exchange here to export: go to a row of one")
        return self.span

    def exchange(self) -> Exchange:
        """The exchange as it was recorded."""
        return self.exchange_span().exchange

    def files(self) -> Recipe:
        """The recipe, which has to be there."""
        if self.recipe is None:
            raise InputError(
                "nobody knows the plugin's file: open the plugin and its traffic from files to export this"
            )
        return self.recipe

    def path(self, path: str) -> str:
        """A path as it is written into the export; an address is the same everywhere."""
        if "://" in path:
            return path
        return Path(os.path.relpath(path, self.folder)).as_posix()


def slug(text: str) -> str:
    """A text as a name in Python and of files."""
    words = "".join(char if char.isascii() and char.isalnum() else " " for char in text.lower()).split()
    return "_".join(words)[:60].rstrip("_") or "exchange"
