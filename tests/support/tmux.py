"""A real terminal with a shell in it, for tests that use simwasm as a person does: tmux, driven from outside.

    with Tmux(folder) as at:
        at.run("simwasm debug plugin.wasm traffic.har")
        at.sees("proxy_on_request_headers")
        at.press("s", "s", "C-p")
        at.leave()

Rules: nothing sleeps to let something happen, everything waits for what is to be seen, and fails with the screen when
it does not come; home, settings, state and the tmux server belong to this terminal alone.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import pytest

WAIT = 30.0
"""Seconds after which something that has not come will not come; a slow machine needs a few."""
_MOMENT = 0.02
_NEEDED = "SIMWASM_TESTS_NEED_TMUX"
"""Set where tests with a terminal may not be left out."""
_PROMPT = re.compile(r"^(\d+)\$ *$")
_SETTINGS = """
set -g default-terminal {term}
set -g escape-time 0
set -g status off
set -g remain-on-exit on
set -g history-limit 0
set -g set-clipboard off
"""


class Tmux:
    """A terminal."""

    def __init__(
        self,
        folder: Path,
        size: tuple[int, int] = (120, 40),
        *,
        term: str = "tmux-256color",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._size = size
        self._own = tempfile.TemporaryDirectory(prefix="tmux")
        self._private = Path(self._own.name)  # a socket's path has to be short
        self._term = term
        self._env = _environment(folder) | dict(env or {})

    def __enter__(self) -> Tmux:
        if shutil.which("tmux") is None and _NEEDED not in os.environ:
            pytest.skip("needs tmux: apt-get install tmux")
        settings, shell = self._private / "settings", self._private / "shell"
        settings.write_text(_SETTINGS.format(term=self._term))
        shell.write_text("PS1='$?$ '\nPROMPT_COMMAND=\n")
        width, height = self._size
        command = f"exec bash --noprofile --rcfile {shell} -i"
        self._tmux("new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(self.folder), command)
        self._tmux("pipe-pane", "-O", f"cat >>{shlex.quote(str(self._private / 'raw'))}")
        self.shell()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tmux("kill-server", fails=True)
        self._own.cleanup()

    # What a person does.

    def run(self, command: str) -> None:
        """Type a command line, from an empty screen."""
        self._tmux("send-keys", "C-l")
        self._tmux("send-keys", "-l", command + "\r")

    def press(self, *keys: str) -> None:
        """Press keys, named as tmux does: s, C-p, Enter, Escape, F2."""
        self._tmux("send-keys", *(key if key != ";" else "\\;" for key in keys))

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    def paste(self, text: str) -> None:
        """Paste a text, as the terminal's own menu does."""
        path = self._private / "pasted"
        path.write_bytes(text.encode())
        self._tmux("load-buffer", str(path))
        self._tmux("paste-buffer", "-p")

    def click(self, x: int, y: int, button: int = 0) -> None:
        """Press and let go of a mouse button at a place, counted from 0; 64 and 65 are the wheel."""
        place = f"\x1b[<{button};{x + 1};{y + 1}"
        ends = "M" if button >= 64 else "Mm"
        self.send("".join(place + end for end in ends).encode())

    def send(self, data: bytes) -> None:
        """Send bytes to the program."""
        self._tmux("send-keys", "-H", *(f"{byte:02x}" for byte in data))

    def resize(self, width: int, height: int) -> None:
        """Change the terminal's size."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    # What a person sees.

    def screen(self) -> list[str]:
        """The lines of the screen."""
        return self._tmux("capture-pane", "-p").split("\n")

    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.screen())

    def coloured(self) -> str:
        """The screen with the escape sequences of its colours."""
        return self._tmux("capture-pane", "-p", "-e")

    def sees(self, *patterns: str, seconds: float = WAIT) -> str:
        """Wait until all of these regular expressions are on the screen; give it."""
        found = [re.compile(pattern, re.MULTILINE) for pattern in patterns]
        return self.until(lambda text: all(each.search(text) for each in found), *patterns, seconds=seconds)

    def loses(self, pattern: str) -> str:
        """Wait until a regular expression is not on the screen any more."""
        search = re.compile(pattern, re.MULTILINE).search
        return self.until(lambda text: not search(text), f"no {pattern}")

    def until(self, test: Callable[[str], object], *what: str, seconds: float = WAIT) -> str:
        """Wait until a test of the screen's text is passed; give the text."""
        end = time.monotonic() + seconds
        while not test(text := self.text()):
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds:.0f} s for {' and '.join(what)}; there is\n{text}")
            time.sleep(_MOMENT)
        return text

    def line(self, pattern: str) -> int:
        """The first line of the screen with a regular expression, counted from 0."""
        return next(y for y, line in enumerate(self.screen()) if re.search(pattern, line))

    def point(self, text: str) -> tuple[int, int]:
        """Where a text begins on the screen."""
        return next((line.index(text), y) for y, line in enumerate(self.screen()) if text in line)

    # What becomes of the terminal.

    @property
    def raw(self) -> bytes:
        """Every byte that was written to the terminal."""
        path = self._private / "raw"
        return path.read_bytes() if path.exists() else b""

    def shell(self) -> int:
        """Wait until the shell asks again; the exit status of what it ran."""
        text = self.until(_asks, "the shell")
        found = _asks(text)
        assert found is not None
        return int(found[1])

    def ask(self, command: str) -> list[str]:
        """What a command prints in the shell."""
        self.shell()
        path = self._private / "answer"
        path.unlink(missing_ok=True)
        self.run(f"({command}) >{path} 2>&1")
        end = time.monotonic() + WAIT
        while not path.exists() and time.monotonic() < end:
            time.sleep(_MOMENT)
        self.shell()
        return path.read_text().splitlines()

    def modes(self) -> str:
        """How the terminal is set: the line's settings, mouse, alternate screen, cursor."""
        flags = (
            "alternate_on mouse_any_flag mouse_sgr_flag cursor_flag keypad_flag wrap_flag insert_flag".split()
        )
        return " ".join(f"{flag}={self._told(flag)}" for flag in flags)

    def _told(self, name: str) -> str:
        return self._tmux("display-message", "-p", f"#{{{name}}}").strip()

    def child(self) -> int:
        """The process that was started in the shell."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            found = Path(f"/proc/{self._told('pane_pid')}/task/{self._told('pane_pid')}/children").read_text()
            if found.split():
                return int(found.split()[0])
            time.sleep(_MOMENT)
        raise AssertionError("nothing runs in the shell")

    def _tmux(self, *words: str, fails: bool = False) -> str:
        ended = subprocess.run(
            ["tmux", "-u", "-S", self._private / "socket", "-f", self._private / "settings", *words],
            env=self._env,
            capture_output=True,
            text=True,
            errors="replace",
        )
        assert fails or ended.returncode == 0, ended.stderr
        return ended.stdout


def _asks(text: str) -> re.Match[str] | None:
    """The shell's prompt, if it is the last thing on the screen."""
    return _PROMPT.match(text.rstrip().rpartition("\n")[2])


def _environment(folder: Path) -> dict[str, str]:
    """Of a user who has nothing yet; compiled modules are those of the other tests."""
    kept = {name: os.environ[name] for name in ("SIMWASM_CACHE_DIR",) if name in os.environ}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "LANG": "C.UTF-8",
        "COLORTERM": "truecolor",
    }
