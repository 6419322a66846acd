"""How tests call simwasm: as a process, or in this one, which takes a tenth of the time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from subprocess import CompletedProcess

from simwasm.cli import main

Run = Callable[..., CompletedProcess[str]]
ROOT = Path(__file__).parents[2]


class _Kept(BytesIO):
    """What was written, which can be read when the stream is closed, too."""

    def close(self) -> None:
        """Keep it."""


def process(*args: str, stdin: str | None = None, cwd: Path = ROOT) -> CompletedProcess[str]:
    """Run simwasm as a user has it: with standard streams and an exit status."""
    command = [sys.executable, "-m", "simwasm", *args]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=120, cwd=cwd, check=False
    )


def here(*args: str, cwd: Path = ROOT) -> CompletedProcess[str]:
    """Run it in this process, its output caught."""
    before = os.getcwd()
    kept = _Kept(), _Kept()
    out, err = (TextIOWrapper(each, encoding="utf-8", write_through=True) for each in kept)
    try:
        os.chdir(cwd)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = _main(args)
    finally:
        os.chdir(before)
    return CompletedProcess(list(args), status, *(each.getvalue().decode() for each in kept))


def _main(args: tuple[str, ...]) -> int:
    try:
        return main(args)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
