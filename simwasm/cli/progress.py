"""How far a run is: a bar on a terminal, and in a log a line every few seconds.

Rules: it is on standard error, and appears only when a run takes its time; before anything else is printed the bar is
taken away, so that it never stands between the lines; how far it is, is told by exchanges where their number is known,
otherwise by the bytes of the files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from simwasm.replay.told import duration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

FIRST_BAR, BAR_EVERY = 0.5, 0.1
FIRST_LINE, LINE_EVERY = 5.0, 5.0
_ERASE = "\r\x1b[2K"
_SECOND, _MINUTE = 1_000_000_000, 60


class Progress:
    """Tells how far a run is; `done` gives how much of `total` has been read, once that is asked for.

    `most` is how many exchanges there are at most.
    """

    def __init__(
        self,
        done: Callable[[], int],
        total: Callable[[], int | None],
        *,
        most: int | None = None,
        stream: TextIO | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._now = now
        self._done, self._total = done, total
        self._of: int | None = None
        self._most = most
        self._begun = now()
        self._on_terminal = self._stream.isatty()
        self._next = self._begun + (FIRST_BAR if self._on_terminal else FIRST_LINE)
        self._asked = False
        self._shown = False
        self._bar: _Bar | None = None

    def tick(self, exchanges: int) -> None:
        """So many exchanges have been replayed."""
        now = self._now()
        if now < self._next:
            return
        if not self._asked:
            self._asked, self._of = True, self._total()
        part = self._part(exchanges)
        if self._on_terminal:
            self._next = now + BAR_EVERY
            self._draw(exchanges, part, now - self._begun)
        else:
            self._next = now + LINE_EVERY
            self._stream.write(f"simwasm: {_text(exchanges, part, now - self._begun)}\n")
            self._stream.flush()

    def _part(self, exchanges: int) -> float | None:
        """How much has been done of what there is, or of the exchanges that are wanted at most."""
        parts = [self._done() / self._of] if self._of else []
        parts += [exchanges / self._most] if self._most else []
        return min(max(parts), 1.0) if parts else None

    def _draw(self, exchanges: int, part: float | None, took: float) -> None:
        if self._bar is None:
            self._bar = _Bar(self._stream)
        sys.stdout.flush()
        self._stream.write(_ERASE + self._bar.line(part, _text(exchanges, part, took)))
        self._stream.flush()
        self._shown = True

    def hide(self) -> None:
        """Take the bar away: something else is printed."""
        if self._shown:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._shown = False


def _text(exchanges: int, part: float | None, took: float) -> str:
    """How far it is, in words."""
    words = [f"{exchanges:,} exchange{'' if exchanges == 1 else 's'}", f"{exchanges / took:,.0f}/s"]
    if part is not None:
        words.append(f"{part:.0%}")
        if 0 < part < 1:
            words.append(f"{_rough(took * (1 - part) / part)} left")
    return " · ".join(words)


def _rough(seconds: float) -> str:
    """How long it will take, which nobody knows to a part of a second."""
    whole = max(round(seconds), 1)
    return f"{whole} s" if whole < _MINUTE else duration(whole * _SECOND)


class _Bar:
    """A bar as rich draws it, as text for one line."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console  # only who looks at a terminal for a while needs it
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._console: Console = Console(file=stream)
        columns = (SpinnerColumn(), BarColumn(24), TextColumn("{task.description}", markup=False))
        self._progress: Bar = Progress(*columns, console=self._console, auto_refresh=False)
        self._task: TaskID = self._progress.add_task("", total=None)

    def line(self, part: float | None, text: str) -> str:
        """The bar with words behind it."""
        total = None if part is None else 1.0
        self._progress.update(self._task, completed=part or 0.0, total=total, description=text)
        width = max(self._console.width - 1, 10)
        options = self._console.options.update(width=width, no_wrap=True, overflow="crop")
        segments = self._console.render_lines(self._progress.get_renderable(), options, pad=False)[0]
        return self._console._render_buffer(segments)
