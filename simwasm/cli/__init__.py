"""The command line: understands the words, calls the rest, and turns every error into a sentence.

Exit status: 0 it ran; 1 a plugin trapped, or an expectation failed; 2 wrong usage or bad input. A command's module is
imported when the command is used, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from simwasm.cli.words import parse
from simwasm.errors import PluginError, SimwasmError, Trap

RAN, FAILED, UNUSABLE = 0, 1, 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the exit status."""
    words = parse(sys.argv[1:] if argv is None else argv)
    try:
        return int(words.command(words))
    except Trap as trap:
        _complain(f"the plugin trapped: {trap}", *(f"    at {frame}" for frame in trap.frames))
        return FAILED
    except SimwasmError as error:
        _complain(str(error))
        return FAILED if error.__class__ is PluginError else UNUSABLE
    except BrokenPipeError:
        sys.stderr.close()
        return RAN
    except KeyboardInterrupt:
        _complain("interrupted")
        return _INTERRUPTED


def _complain(text: str, *more: str) -> None:
    print(f"simwasm: {text}", *more, sep="\n", file=sys.stderr)
