"""Regular expressions that come to an end: one that tries too many ways is given up, and the other cases are played.

Rules: what counts is the processor's time, so a busy machine changes nothing; where nobody can interrupt (another
thread, another system than Unix) it takes as long as it takes.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from simwasm.errors import ConfigError

SECONDS = 5.0


def patiently(find: Callable[[str], object], text: str, pattern: str, seconds: float = SECONDS) -> bool:
    """Whether an expression finds something; one that is not done in time is a `ConfigError` without a place."""
    try:
        with _no_longer(seconds):
            return find(text) is not None
    except _TooLongError:
        raise ConfigError(
            f"`{pattern[:60]}` was not done with a text of {len(text):,} characters after {seconds:g} s: repeats "
            "within repeats, as in (a+)+, try all ways there are; write it without"
        ) from None


class _TooLongError(Exception):
    """It takes too long."""


@contextmanager
def _no_longer(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _give_up)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _give_up(number: int, frame: FrameType | None) -> None:
    raise _TooLongError
