"""What is said when the screen itself fails: one line; everything that is known of it is written to a file."""

from __future__ import annotations

import traceback

_LONG = 300


def told(error: BaseException) -> str:
    """What went wrong, in a line."""
    from simwasm.trace.text import printable  # most screens never fail

    what = printable(" ".join(f"{type(error).__name__}: {error}".split()))[:_LONG]
    return f"simwasm: the screen failed: {what}{_written(error)}; --plain works without it"


def _written(error: BaseException) -> str:
    """Write all that is known, and say where."""
    from simwasm.debug.recent import state_folder

    folder = state_folder()
    if folder is None:
        return ""
    path = folder / "crash.txt"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(
            "".join(traceback.format_exception(type(error), error, error.__traceback__)), "utf-8", "replace"
        )
    except OSError:
        return ""
    return f" (all of it: {path})"
