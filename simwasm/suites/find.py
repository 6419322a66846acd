"""Files of cases, found: suites of our own, and those of Google's plugin tester; folders are looked through for both.

Rules: a file that is named has to be a suite; of those in a folder, what is neither is passed over; a suite with a
mistake does not keep others from being played.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from simwasm.errors import ConfigError, InputError
from simwasm.suites.case import Case, unreadable
from simwasm.suites.google.read import TEXT_SUFFIXES, YAML_SUFFIXES, has_tests, is_google

_OURS = re.compile(r"^cases\s*:", re.MULTILINE)


def cases(paths: Iterable[str]) -> Iterator[Case]:
    """The cases of files and folders, in their order."""
    for path in paths:
        found = Path(path)
        if found.is_dir():
            named = (each for each in found.rglob("*") if each.suffix in (*TEXT_SUFFIXES, *YAML_SUFFIXES))
            files = sorted(each for each in named if each.is_file())
            ours = [each for each in files if _is_suite(each)]
            if not ours:
                raise InputError(f"{path}: has no suites in it: YAML files with `cases:`, or .textpb files")
            for each in ours:
                yield from _cases(each)
        else:
            yield from _cases(found)


def _cases(path: Path) -> list[Case]:
    text = _begin(path)
    try:
        if is_google(path, text):
            from simwasm.suites.google import cases as google

            return google.cases(path)
        from simwasm.suites import play

        return play.cases(path)
    except ConfigError as error:
        return [unreadable(str(path), error)]


def _is_suite(path: Path) -> bool:
    text = _begin(path)
    return has_tests(path, text) or (path.suffix in YAML_SUFFIXES and bool(_OURS.search(text)))


def _begin(path: Path) -> str:
    try:
        return path.read_bytes()[: 1 << 20].decode("utf-8", "replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
