"""The engines that `--engine` means: one, or with `all` each that loads here."""

from __future__ import annotations

import sys

from simwasm.engines import find
from simwasm.engines.engine import Engine
from simwasm.errors import EngineUnavailable

ALL = "all"


def engines(wanted: str | None) -> list[Engine]:
    """The engine of that name, or all that load; without a name the first."""
    if wanted != ALL:
        return [find.engine(wanted)]
    found = []
    for name in find.names():
        try:
            found.append(find.engine(name))
        except EngineUnavailable as error:
            print(f"simwasm: {error}", file=sys.stderr)
    return found
