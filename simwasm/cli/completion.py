"""`simwasm completion`: the shell script that completes the command line."""

from __future__ import annotations

import argparse

import shtab

from simwasm.cli.words import parser

_FILES = {"plugin", "new", "traffic", "trace", "report", "output", "respond", "commands", "keymap"}


def command(words: argparse.Namespace) -> int:
    """Print the script."""
    top = parser()
    _complete_files(top)
    print(shtab.complete(top, shell=words.shell))
    return 0


def _complete_files(words: argparse.ArgumentParser) -> None:
    """Tell shtab which arguments are files: it completes nothing that it is not told of."""
    for action in words._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _complete_files(command)
        elif action.dest in _FILES:
            vars(action)["complete"] = shtab.FILE
