"""The official test suite of WebAssembly, converted once a run for all who test with it.

`WASM_TESTSUITE` names a folder or tar file with the `.wast` files of github.com/WebAssembly/testsuite at revision
3a04b2c (2022-11-09), the newest that Debian's wabt converts completely: core, SIMD, and the tail-call proposal.

    @pytest.mark.parametrize("name", named(CORE))
    def test_something(converted: Converted, name: str) -> None:
        folder = converted(name)     # with test.json and the modules it speaks of

Rules that live here: a file is known by its name without ending; what one process has unpacked or converted the
others find, because it is made under another name and then moved, whole, to where it is looked for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

SUITE = os.environ.get("WASM_TESTSUITE", "")
MISSING = "set WASM_TESTSUITE to github.com/WebAssembly/testsuite at 3a04b2c"
TAIL_CALLS = Path("proposals", "tail-call")

Converted = Callable[[str], Path]
"""From the name of a test file to a folder with its `test.json` and modules."""


@lru_cache(maxsize=1)
def _files() -> dict[str, Path]:
    """The test files by name, relative to the suite."""
    if not SUITE:
        return {}
    if Path(SUITE).is_dir():
        found = [path.relative_to(SUITE) for path in sorted(Path(SUITE).rglob("*.wast"))]
    else:
        with tarfile.open(SUITE) as archive:
            found = [Path(name) for name in sorted(archive.getnames()) if name.endswith(".wast")]
    known = (Path(), TAIL_CALLS)
    return {path.stem: path for path in found if path.parent in known}


CORE = tuple(name for name, path in _files().items() if path.parent == Path())
"""The files of the standard itself, vectors included."""

PROPOSED = tuple(name for name, path in _files().items() if path.parent == TAIL_CALLS)
"""Those of tail calls."""

ABSENT = pytest.param("", marks=pytest.mark.skipif(not os.environ.get("CI"), reason=MISSING))


def named(names: tuple[str, ...]) -> list[Any]:
    """The parameters of a test about those files; without the suite one that is skipped, or fails under CI."""
    return list(names) or [ABSENT]


def commands(folder: Path) -> list[dict[str, Any]]:
    """What a converted file wants done and asserted."""
    listed: list[dict[str, Any]] = json.loads((folder / "test.json").read_text())["commands"]
    return listed


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """Convert a file of the suite, or find it converted."""
    ours = tmp_path_factory.getbasetemp()
    shared = (ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours) / "testsuite"
    shared.mkdir(exist_ok=True)

    def convert(name: str) -> Path:
        assert SUITE, MISSING
        source = _once(shared / "source", _unpack) / _files()[name]
        return _once(shared / name, lambda folder: _convert(source, folder))

    return convert


def _once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, made if nobody did so before."""
    if not folder.exists():
        made = Path(mkdtemp(dir=folder.parent))
        make(made)
        try:
            made.rename(folder)
        except OSError:  # somebody else was quicker
            shutil.rmtree(made)
    return folder


def _unpack(folder: Path) -> None:
    if Path(SUITE).is_dir():
        shutil.copytree(SUITE, folder, dirs_exist_ok=True)
        return
    with tarfile.open(SUITE) as archive:
        archive.extractall(folder, filter="data")


def _convert(source: Path, folder: Path) -> None:
    options = ["--enable-tail-call"] if source.parts[-2] == TAIL_CALLS.name else []
    subprocess.run(["wast2json", *options, source, "-o", folder / "test.json"], check=True)
