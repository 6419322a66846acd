"""A program at a terminal: what is seen there, when it was seen first, and what the program needs meanwhile.

Rule: what counts is when the bytes came that brought it to the screen; how long it takes here to find that out does
not.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from types import TracebackType

import pyte

from simwasm.errors import SimwasmError

COLUMNS, LINES = 120, 40
PATIENCE_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")

Fits = Callable[[list[str]], bool]
"""Asked about the lines of the screen."""


class Terminal:
    """A program at a terminal of its own; `with` ends it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self._lines = [""] * LINES
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        settings = {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.started = perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=settings,
            cwd=folder,
            start_new_session=True,
        )
        os.close(slave)

    def press(self, keys: str) -> float:
        """Press keys; when that was."""
        now = perf_counter()
        os.write(self._master, keys.encode())
        return now

    def until(self, fits: Fits, what: str) -> float:
        """Read until the screen is as it should be; when the bytes came that made it so."""
        deadline = perf_counter() + PATIENCE_S
        seen = perf_counter()
        while not fits(self.lines):
            if perf_counter() > deadline or not self._read(deadline):
                shown = "\n".join(line for line in self.lines if line.strip())
                raise SimwasmError(f"{what} did not appear on the terminal, which shows:\n{shown}")
            seen = self._read_at
        return seen

    _read_at = 0.0

    def wait(self, seconds: float) -> None:
        """Let time go by, and the program write."""
        deadline = perf_counter() + seconds
        while perf_counter() < deadline:
            self._read(deadline)

    @property
    def lines(self) -> list[str]:
        """The screen's lines."""
        for number in self._screen.dirty:
            line = self._screen.buffer[number]
            self._lines[number] = "".join(line[column].data for column in range(COLUMNS))
        self._screen.dirty.clear()
        return self._lines

    def _read(self, deadline: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, deadline - perf_counter()))[0]:
            return False
        try:
            data = os.read(self._master, 1 << 20)
        except OSError:  # Linux says so when the program has gone
            return False
        self._read_at = perf_counter()
        self._stream.feed(data)
        return bool(data)

    def busy_s(self) -> float:
        """The seconds that the program has computed."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> int:
        """The bytes of memory that it has."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)


def shows(marker: str) -> Fits:
    """Whether a text is somewhere on the screen."""
    return lambda lines: any(marker in line for line in lines)
