"""A program at a pseudo-terminal: type, and read what it shows, as a person would."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

PATIENCE_S = 60.0
"""How long to wait for what has to come: a slow machine is no error."""


class Typist:
    """Starts a program at a terminal of its own; `with` ends it."""

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self.shown = ""
        """All that has been on the terminal."""
        self.status: int | None = None
        self.pid, self._terminal = pty.fork()
        if not self.pid:
            os.chdir(cwd)
            os.execvpe(command[0], list(command), dict(env))

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._terminal, text.encode())

    def until(self, text: str) -> str:
        """Read until something is shown; what was shown up to there since the last time."""
        start, deadline = len(self.shown) - len(self._left), time.monotonic() + PATIENCE_S
        while text not in self.shown[start:]:
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(f"{text!r} was not shown: {self.shown[start:]!r}")
        end = self.shown.index(text, start) + len(text)
        self._left = self.shown[end:]
        return self.shown[start:end]

    _left = ""

    def end(self) -> int:
        """Read to the end; the exit status."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline - time.monotonic()):
            pass
        return self._wait()

    def kill(self) -> None:
        """End it without a chance to do anything."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._wait()

    def _wait(self) -> int:
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def _read(self, patience: float) -> bool:
        if not select.select([self._terminal], [], [], max(0, patience))[0]:
            return False
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # Linux says so when the program has gone
            return False
        piece = data.decode("utf-8", "replace")
        self.shown += piece
        self._left += piece
        return bool(data)

    def __enter__(self) -> Typist:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        os.close(self._terminal)
