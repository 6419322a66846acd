"""The command line: understands the words, calls the rest, and turns every error into a sentence.

Exit status: 0 it ran; 1 a plugin trapped, or an expectation failed; 2 wrong usage or bad input. A command's module is
imported when the command is used, so that `--help` is quick.
"""

from __future__ import annotations

import contextlib
import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from typing import TextIO

from simwasm.cli.words import parse
from simwasm.errors import BadModule, PluginError, SimwasmError, Trap

RAN, FAILED, UNUSABLE = 0, 1, 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the exit status."""
    words = parse(sys.argv[1:] if argv is None else argv)
    if sys.stdout is None:  # whoever started this has closed it
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # it lasts as long as the process
    status = RAN
    try:
        status = int(words.command(words))
        sys.stdout.flush()
        return status
    except Trap as trap:
        _complain(f"the plugin trapped: {trap}", *(f"    at {frame}" for frame in _frames(words, trap)))
        return FAILED
    except BadModule as error:
        _complain(f"{words.plugin}: {error}")
        return UNUSABLE
    except SimwasmError as error:
        _complain(str(error))
        return FAILED if error.__class__ is PluginError else UNUSABLE
    except BrokenPipeError:
        _close(sys.stdout)
        _close(sys.stderr)
        return status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _complain(f"{where}input or output failed: {error.strerror or error}")
        _close(sys.stdout)
        return UNUSABLE
    except KeyboardInterrupt:
        _complain("interrupted")
        return _INTERRUPTED


def _frames(words: Namespace, trap: Trap) -> Iterable[str]:
    """The frames of a trap, with their lines of source where the plugin's file tells of them."""
    if trap.frames:
        from simwasm.backtrace import told
        from simwasm.cli.setup import recipe
        from simwasm.recipe import plugin

        with contextlib.suppress(SimwasmError, OSError):
            return told(plugin(recipe(words)), trap.frames)
    return map(str, trap.frames)


def _close(stream: TextIO) -> None:
    """Close what cannot be written to, or Python would complain that it could not flush it."""
    with contextlib.suppress(OSError):
        stream.close()


def _complain(text: str, *more: str) -> None:
    from simwasm.trace.text import printable  # most commands end without a complaint

    print(*map(printable, (f"simwasm: {text}", *more)), sep="\n", file=sys.stderr)
