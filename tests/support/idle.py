"""Waiting until an application on Textual has nothing left to do.

Textual's own waiting looks whether the process has used no processor time for 20 ms, several times for every key: most
of the time that tests of the screen took. This one asks the event loop. Rules: it waits for everything that is under
way (what is ready to run, timers that are about to end, the application's threads), and what has changed is painted
once, at the end; but it gives up as early as Textual's does, so that a test can look at an application that is busy.
"""

from __future__ import annotations

import asyncio
from math import inf

import pytest
from textual._context import active_app
from textual.pilot import Pilot

_SOON = 0.02
"""Timers that end within so many seconds are part of what is under way."""
_LATER = 0.25
"""How long a change waits to be painted where nobody waits for it."""
_PATIENCE = 1.0
_MOMENT = 0.001


async def idle(min_sleep: float = 0, max_sleep: float = _PATIENCE) -> None:
    """Wait until nothing is under way."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while loop.time() < start + max_sleep:
        await asyncio.sleep(0)
        if loop._ready:  # type: ignore[attr-defined]  # of every loop in asyncio; nothing public tells it
            continue
        timers = loop._scheduled  # type: ignore[attr-defined]
        ends = min((timer.when() for timer in timers if not timer.cancelled()), default=inf)
        if ends <= start + _SOON:
            await asyncio.sleep(max(0, ends - loop.time()))
        elif _computes():
            await asyncio.sleep(_MOMENT)
        elif not _paints():
            return


def _computes() -> bool:
    """Whether a thread or another worker of the application has not ended."""
    app = active_app.get(None)
    return app is not None and any(not worker.is_finished for worker in app.workers)


def _paints() -> bool:
    """Paint what has changed on the screen, if something has."""
    app = active_app.get(None)
    if app is None or not app.is_running or not app.screen_stack or app._batch_count:
        return False
    screen = app.screen
    changed = screen._layout_required or screen._scroll_required or screen._repaint_required
    if not (changed or screen._recompose_required or screen._dirty_widgets or screen._callbacks):
        return False
    screen._on_timer_update()
    return True


async def _wait_for_screen(pilot: Pilot[object], timeout: float = 0) -> bool:
    await idle()
    return True


def wait_as_long_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Textual's pilots wait like this."""
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", idle)
    monkeypatch.setattr(Pilot, "_wait_for_screen", _wait_for_screen)
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", _LATER)
