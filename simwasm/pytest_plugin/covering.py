"""What the tests reach of their plugins, in one file, however many processes run them.

Rule: a process of pytest-xdist writes a file of its own beside the one that was asked for; the process that started
them adds those up and takes them away.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simwasm.coverage.collector import Collector
from simwasm.coverage.file import read, write
from simwasm.coverage.merge import merge
from simwasm.errors import SimwasmError
from simwasm.pytest_plugin import options
from simwasm.pytest_plugin.running import COVERING


def begin(config: pytest.Config) -> None:
    """See that the file can be written, and collect from now on."""
    path = _path(config)
    if not path.parent.is_dir():
        raise pytest.UsageError(f"--simwasm-coverage={path}: there is no folder {path.parent}")
    if not hasattr(config, "workerinput"):
        for left in path.parent.glob(_part(path, "*").name):  # by a run that was killed
            left.unlink()
    config.stash[COVERING] = Collector()


def end(config: pytest.Config) -> None:
    """Write what was reached here, with what other processes wrote."""
    path, covered = _path(config), config.stash[COVERING].covered()
    worker = os.environ.get("PYTEST_XDIST_WORKER") if hasattr(config, "workerinput") else None
    try:
        if worker is not None:
            write(_part(path, worker), covered)
            return
        parts = sorted(path.parent.glob(_part(path, "*").name))
        write(path, merge(covered, *map(read, parts)))
        for part in parts:
            part.unlink()
    except SimwasmError as error:
        raise pytest.UsageError(f"--simwasm-coverage: {error}") from None


def _path(config: pytest.Config) -> Path:
    return config.invocation_params.dir / str(config.getoption(options.COVERAGE))


def _part(path: Path, worker: str) -> Path:
    return path.with_name(f".{path.name}.{worker}.part")
