"""A program at a pseudo-terminal: type, and read what it shows, as a person would."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

PATIENCE_S = 60.0
"""How long to wait for what has to come: a slow machine is no error."""
_OWN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
"""Makes standard input the terminal from which ctrl-c comes, then becomes the program."""


class Typist:
    """Starts a program at a terminal of its own; `with` ends it."""

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self.shown = ""
        """All that has been on the terminal."""
        self._left = ""
        self._terminal, other = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OWN, *command], stdin=other, stdout=other, stderr=other, cwd=cwd, env=dict(env),
            start_new_session=True,
        )  # fmt: skip
        os.close(other)

    def press(self, text: str) -> None:
        """Press keys."""
        os.write(self._terminal, text.encode())

    def press_until(self, text: str, answer: str) -> None:
        """Press keys until they are answered.

        A signal that arrives just before Python's prompt begins to wait is noticed at the next key only, so who
        is that quick presses again.
        """
        deadline = time.monotonic() + PATIENCE_S
        while answer not in self._left:
            assert time.monotonic() < deadline, f"{answer!r} was not shown: {self._left!r}"
            self.press(text)
            breath = time.monotonic() + 3.0
            while answer not in self._left and self._read(breath - time.monotonic()):
                pass
        self.until(answer)

    def until(self, text: str) -> str:
        """Read until something is shown; what was shown up to there since the last time."""
        start, deadline = len(self.shown) - len(self._left), time.monotonic() + PATIENCE_S
        while text not in self.shown[start:]:
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(f"{text!r} was not shown: {self.shown[start:]!r}")
        end = self.shown.index(text, start) + len(text)
        self._left = self.shown[end:]
        return self.shown[start:end]

    def end(self) -> int:
        """Read to the end; the exit status."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline - time.monotonic()):
            pass
        return self._process.wait(PATIENCE_S)

    def kill(self) -> None:
        """End it without a chance to do anything."""
        self._process.kill()
        self._process.wait()

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
