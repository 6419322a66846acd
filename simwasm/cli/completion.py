"""`simwasm completion`: the shell script that completes the command line."""

from __future__ import annotations

from argparse import Namespace

import shtab

from simwasm.cli.words import parser


def command(words: Namespace) -> int:
    """Print the script."""
    print(shtab.complete(parser(), shell=words.shell))
    return 0
