"""The module that PLUGIN names, for commands that look at its bytes alone."""

from __future__ import annotations

from argparse import Namespace

from simwasm import chain
from simwasm.cli import output
from simwasm.plugin import read_bytes


def module(words: Namespace) -> chain.Wasm:
    """The module of a file, an image or an address."""
    return chain.module(words.plugin, read_bytes, output.tell)
