"""Other programs that fill a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.environment import LATER, Environment


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
        program = Environment(self.name, self.needs, self.python).program(self.name)
        return [program, *(word.format(script=script) for word in self.arguments)]


PEERS = (
    # Its own pin of tree-sitter ends with a crash.
    Peer("posting", ("posting==2.11.1", "tree-sitter==0.25.2"), "Collection", python=LATER),
    Peer("harlequin", ("harlequin==2.17.0",), "Query Editor"),
    Peer("pudb", ("pudb==2026.1",), "Variables", ("{script}",)),
)
