"""Coverage added up: what several runs, suites and machines reached of the same plugin.

Rule: builds are never mixed, since what stands where is another thing in each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from simwasm.coverage.file import read
from simwasm.coverage.values import Covered
from simwasm.errors import InputError


def merge(*parts: Iterable[Covered]) -> tuple[Covered, ...]:
    """Add up by plugin; different builds stay apart."""
    found: dict[str, Covered] = {}
    for part in parts:
        for each in part:
            known = found.get(each.sha256)
            found[each.sha256] = each if known is None else _sum(known, each)
    return tuple(found.values())


def merge_files(paths: Iterable[str | Path]) -> tuple[Covered, ...]:
    """Add up files, as a user names them; if they tell of different builds of a plugin, they are refused."""
    builds: dict[str, tuple[frozenset[str], str | Path]] = {}
    parts = []
    for path in paths:
        part = read(path)
        parts.append(part)
        for name in dict.fromkeys(each.name for each in part):
            here = frozenset(each.sha256 for each in part if each.name == name)
            there, other = builds.setdefault(name, (here, path))
            if not here & there:
                raise InputError(
                    f"{path} is of another build of {name} ({min(here)[:12]}…) than {other} ({min(there)[:12]}…): "
                    "collect both with the same one, or show them one by one"
                )
    return merge(*parts)


def _sum(one: Covered, other: Covered) -> Covered:
    if one.ground.sizes != other.ground.sizes:
        raise InputError(
            f"the coverage of {one.name} was collected by different versions of simwasm: collect it again"
        )
    return one.plus(other)
