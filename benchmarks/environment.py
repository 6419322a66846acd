"""A Python with packages of its own, installed from PyPI into a folder under `build`, since peers' pins differ.

Rule: the exact release stands where one is asked for, since a ratio to something that changes says nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from simwasm.errors import SimwasmError

_FOLDER = Path(__file__).parents[1] / "build" / "peers"


@dataclass(frozen=True, slots=True)
class Environment:
    """What is installed, and for which interpreter."""

    name: str
    needs: tuple[str, ...]
    python: tuple[str, ...] = ()
    """Interpreters that will do, the best first; without any, ours."""

    def program(self, name: str) -> str:
        """The path of a program in it, installed now if it is not yet."""
        home = _FOLDER / self.name
        mark = home / "installed"
        if not mark.exists() or mark.read_text() != repr(self.needs):
            self._install(home)
            mark.write_text(repr(self.needs))
        return str(home / "bin" / name)

    def _install(self, home: Path) -> None:
        shutil.rmtree(home, ignore_errors=True)
        python = next(filter(runs, self.python or (sys.executable,)), None)
        if python is None:
            raise SimwasmError(f"{self.name} needs one of {', '.join(self.python)} on PATH")
        for command in (
            [python, "-m", "venv", str(home)],
            [str(home / "bin" / "pip"), "install", *self.needs],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise SimwasmError(f"{self.name} cannot be installed: {done.stderr.strip()[-500:]}")


def runs(python: str) -> bool:
    """Whether it is there; a name on PATH may stand for a release that is not installed."""
    return (
        shutil.which(python) is not None
        and not subprocess.run([python, "-c", ""], capture_output=True).returncode
    )


LATER = ("python3.13", "python3.12", "python3.11", "python3")
