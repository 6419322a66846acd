"""Other programs that fill a terminal, each installed from PyPI into a folder of its own, since their pins differ.

Rule: the exact release stands here, since a ratio to something that changes says nothing.
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
class Peer:
    """A program, what is to be installed for it, and what its first screen shows."""

    name: str
    needs: tuple[str, ...]
    marker: str
    arguments: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    """Interpreters that it runs on, the best first; without any, ours will do."""

    def command(self, script: Path) -> list[str]:
        """How to start it, installed now if it is not yet; `script` is a program to debug."""
        home = _FOLDER / self.name
        mark = home / "installed"
        if not mark.exists() or mark.read_text() != repr(self.needs):
            self._install(home)
            mark.write_text(repr(self.needs))
        return [str(home / "bin" / self.name), *(word.format(script=script) for word in self.arguments)]

    def _install(self, home: Path) -> None:
        shutil.rmtree(home, ignore_errors=True)
        python = next(filter(_runs, self.python or (sys.executable,)), None)
        if python is None:
            raise SimwasmError(f"{self.name} needs one of {', '.join(self.python)} on PATH")
        for command in (
            [python, "-m", "venv", str(home)],
            [str(home / "bin" / "pip"), "install", *self.needs],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise SimwasmError(f"{self.name} cannot be installed: {done.stderr.strip()[-500:]}")


def _runs(python: str) -> bool:
    """Whether it is there; a name on PATH may stand for a release that is not installed."""
    return (
        shutil.which(python) is not None
        and not subprocess.run([python, "-c", ""], capture_output=True).returncode
    )


_LATER = ("python3.13", "python3.12", "python3.11", "python3")

PEERS = (
    # Its own pin of tree-sitter ends with a crash.
    Peer("posting", ("posting==2.11.1", "tree-sitter==0.25.2"), "Collection", python=_LATER),
    Peer("harlequin", ("harlequin==2.17.0",), "Query Editor"),
    Peer("pudb", ("pudb==2026.1",), "Variables", ("{script}",)),
)
