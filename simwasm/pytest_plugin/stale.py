"""Goldens that no test asks for any more: of tests that are gone, and of test files that are gone.

Rules: nothing is removed, only told; a test that was not collected because other ones were asked for is not gone, so a
file is looked at only if all of its tests were collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from simwasm.pytest_plugin.goldens import FOLDER, SUFFIX, displayed, folder, stem
from simwasm.pytest_plugin.running import STALE, Test


def look(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Find the goldens of tests that are gone, and remember them."""
    if any("::" in argument for argument in config.args):
        return
    stems: dict[Path, list[str]] = {}
    for item in items:
        stems.setdefault(item.path, []).append(stem(item))
    found = [golden for path, known in stems.items() for golden in _without_test(path, known)]
    for place in {path.parent for path in stems}:
        found += _without_file(place)
    setattr(config, STALE, sorted(displayed(config, golden) for golden in found))


def _without_test(path: Path, stems: list[str]) -> list[Path]:
    known = tuple(stems)
    return [golden for golden in _goldens(folder(path)) if not _is_of(golden, known)]


def _is_of(golden: Path, stems: Sequence[str]) -> bool:
    """Whether a golden belongs to one of these tests: `test_a.jsonl`, `test_a.2.jsonl`, `test_a.retry.jsonl`."""
    name = golden.name.removesuffix(SUFFIX)
    return any(name == stem or name.startswith(f"{stem}.") for stem in stems)


def _without_file(place: Path) -> list[Path]:
    """The goldens of test files that are no longer beside them."""
    try:
        folders = [each for each in (place / FOLDER).iterdir() if each.is_dir()]
    except OSError:
        return []
    gone = (each for each in folders if not (place / f"{each.name}.py").exists())
    return [golden for each in gone for golden in _goldens(each)]


def _goldens(place: Path) -> list[Path]:
    return sorted(place.glob(f"*{SUFFIX}"))


def unasked(test: Test) -> list[str]:
    """The goldens of a test that it has not asked for, although it went through to its end."""
    own = stem(test.item)
    asked = {f"{own}{f'.{name}' if name else ''}{SUFFIX}" for name in test.goldens}
    return [
        displayed(test.item.config, golden)
        for golden in _goldens(folder(test.item.path))
        if _is_of(golden, (own,)) and golden.name not in asked
    ]
