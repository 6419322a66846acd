"""All commands of the line debugger."""

from __future__ import annotations

from simwasm.debug.plain import (
    asking,
    branching,
    breaking,
    examine,
    exporting,
    helping,
    information,
    keeping,
    listing,
    motions,
    stepping,
)
from simwasm.debug.plain.command import Command

COMMANDS: tuple[Command, ...] = (
    *motions.COMMANDS,
    *stepping.COMMANDS,
    *breaking.COMMANDS,
    *listing.COMMANDS,
    *information.COMMANDS,
    *asking.COMMANDS,
    *examine.COMMANDS,
    *branching.COMMANDS,
    *exporting.COMMANDS,
    *keeping.COMMANDS,
    *helping.COMMANDS,
)
