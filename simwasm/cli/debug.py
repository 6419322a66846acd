"""`simwasm debug`: the debugger, as a screen, in a browser, or line by line.

What shows it is imported when it is wanted: the screen is an extra (`tui`) that need not be installed. Rule: the
screen is there before anything is read, and before what reads it is imported, which takes longer than the screen; but
what is seen from outside to be wrong is told without it.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import fields, replace
from importlib.util import find_spec
from os.path import isdir, isfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwasm.cli.bring import bring
from simwasm.cli.words import parser
from simwasm.errors import InputError

if TYPE_CHECKING:
    from simwasm.debug.start import Start
    from simwasm.recipe import Recipe

SESSION = ".simwasm"
"""How the names of session files end."""
_BROWSER = "TEXTUAL_DRIVER"
"""Set for a process whose screen is shown elsewhere than in a terminal."""


def command(words: Namespace) -> int:
    """Debug; what was left is the answer."""
    scripted = bool(words.commands) or words.batch
    if words.web is not None:
        _needs_textual("--web")
        start(words, remember=False)  # what is wrong is said here, not in the browser
        return _called("simwasm_tui.web", "serve")(words.web, _without_web(words.argv))
    if words.plain or scripted:
        return _plain(words, start(words, remember=not scripted))
    if not (os.environ.get(_BROWSER) or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise InputError(
            "debug: the screen needs a terminal, and standard input or output is none; "
            "--plain works without, and so does --batch with -x FILE"
        )
    if os.environ.get("TERM") == "dumb" and _BROWSER not in os.environ:
        raise InputError("debug: this terminal has no screen (TERM=dumb); --plain works without")
    _needs_textual("the screen")
    if not _readable(words):
        return _called("simwasm_tui.app", "run")(start(words))
    read = _called("simwasm_tui.app", "read_and_run")
    return read(lambda: start(words), _named(words), theme=words.theme, keymap=words.keymap)


def _named(words: Namespace) -> tuple[str, ...]:
    """The files of plugin and traffic."""
    return (words.plugin, *words.traffic) if words.plugin else ()


def _readable(words: Namespace) -> bool:
    """Whether everything that is named is there to be read, and from nowhere else than from files and folders."""
    named = _named(words)
    return (
        bool(named)
        and all(isfile(name) or isdir(name) for name in named)
        and "@-" not in (words.config, words.vm_config)
    )


def start(words: Namespace, *, remember: bool = True) -> Start:
    """What the words name: a plugin with its traffic, a session, a trace, or nothing yet."""
    if words.row < 0:
        raise InputError(f"--row {words.row}: rows are counted from 1")
    bring("simwasm.debug.start")
    from simwasm.debug.reader import is_trace
    from simwasm.debug.start import Start, start_from, start_reading, start_with

    if not words.plugin:
        found = Start()
    elif words.plugin.endswith(SESSION):
        found = start_from(words.plugin, lambda recipe: _changed(recipe, words))
    elif not words.traffic and is_trace(words.plugin):
        found = start_reading(words.plugin)
    else:
        found = start_with(_kept(_recipe(words)), remember=remember)
    if words.row and not words.plugin:
        raise InputError(f"--row {words.row}: of what? simwasm debug TRACE --row {words.row}")
    return replace(found, row=words.row, theme=words.theme, keymap=words.keymap)


def _plain(words: Namespace, begin: Start) -> int:
    """The line debugger."""
    from simwasm.cli import output
    from simwasm.debug.plain.front import Terms, run

    stream = output.stdout()
    ink = output.ink(words, stream)
    return run(begin, Terms(tuple(map(Path, words.commands)), words.batch, stream, ink))


def _recipe(words: Namespace) -> Recipe:
    """What the words say of plugin, traffic and host."""
    from simwasm.cli import setup

    return setup.recipe(words)


def _changed(recipe: Recipe, words: Namespace) -> Recipe:
    """A session's recipe with what was said otherwise on the command line."""
    if words.traffic:
        raise InputError(f"{words.plugin} brings its traffic along: leave {words.traffic[0]} away")
    said, default = _recipe(words), _recipe(parser().parse_args(["debug", words.plugin]))
    names = [each.name for each in fields(recipe) if getattr(said, each.name) != getattr(default, each.name)]
    return _kept(replace(recipe, **{name: getattr(said, name) for name in names}))


def _kept(recipe: Recipe) -> Recipe:
    """The recipe with what comes from standard input written into it: it can be read only once."""
    from simwasm.plugin_options import text_or_file

    read: dict[str, Any] = {
        name: text_or_file("@-").decode("utf-8", "surrogateescape")
        for name in ("config", "vm_config")
        if getattr(recipe, name) == "@-"
    }
    return replace(recipe, **read)


def _needs_textual(what: str) -> None:
    if find_spec("textual") is None:
        raise InputError(
            f"debug: {what} needs textual, which is not installed: pip install 'simwasm[tui]'. --plain works without it"
        )


def _called(module: str, name: str) -> Callable[..., int]:
    """A function of the screen's package, which lies above this one."""
    found: Callable[..., int] = getattr(bring(module), name)
    return found


def _without_web(argv: list[str]) -> list[str]:
    """The arguments for the process that the browser talks to: the same ones, without --web."""
    found, skip = [], False
    for index, word in enumerate(argv):
        if skip or word.startswith("--web="):
            skip = False
            continue
        if word == "--web":
            skip = index + 1 < len(argv) and argv[index + 1].isdigit()
            continue
        found.append(word)
    return found
