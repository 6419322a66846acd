"""The module that PLUGIN names, for commands that look at its bytes alone."""

from __future__ import annotations

from argparse import Namespace

from simwasm import chain
from simwasm.cli import output
from simwasm.errors import InputError
from simwasm.plugin import read_bytes


def module(words: Namespace) -> chain.Wasm:
    """The module of a file, an image or an address, or of the only plugin of a configuration."""
    if chain.is_configuration(words.plugin):
        return _configured(words.plugin)
    return chain.module(words.plugin, read_bytes, output.tell)


def _configured(path: str) -> chain.Wasm:
    from simwasm.recipe import Recipe, plugins  # few look at a module by way of a configuration

    found = plugins(Recipe(path), told=output.tell)
    if len(found) != 1:
        names = ", ".join(each.name for each in found)
        raise InputError(
            f"{path}: has {len(found)} plugins, and this looks at one module: name its file ({names})"
        )
    return chain.Wasm(found[0].wasm, found[0].folder, found[0].name)
