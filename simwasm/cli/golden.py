"""`--golden`: the golden trace of a run, written when the run is over."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from simwasm.cli import setup
from simwasm.errors import InputError
from simwasm.host.outcome import Outcome
from simwasm.plugin import Plugin
from simwasm.trace.event import Observer
from simwasm.trace.text import printable


def check(words: Namespace) -> None:
    """Refuse what no golden can be made of, before anything is read."""
    path = words.golden
    if not path:
        if words.redact:
            raise InputError("--redact: only a golden is redacted: add --golden FILE")
        return
    if words.repeat is not None:
        raise InputError("--golden: a golden is of one round: leave out --repeat")
    if path == "-":
        raise InputError("--golden: a golden is a file, whose recipe names others from where it is")
    if os.path.lexists(path):
        raise InputError(f"--golden {path}: is there already; `simwasm check --update {path}` writes it anew")
    from simwasm.goldens.recipes import recipe_to_json
    from simwasm.goldens.redactions import redactions

    recipe_to_json(setup.recipe(words), path)
    redactions(tuple(words.redact))


class Golden:
    """The golden of a run, if one is wanted."""

    observers: Sequence[Observer] = ()

    def __init__(self, words: Namespace, plugins: Sequence[Plugin], now_ns: int) -> None:
        self._path: str = words.golden
        if not self._path:
            return
        from simwasm.goldens.recipes import recipe_to_json
        from simwasm.goldens.writing import GoldenWriter, header_of

        recipe = recipe_to_json(setup.recipe(words), self._path)
        header = header_of(plugins, profile=setup.profile(words), now_ns=now_ns, recipe=recipe)
        self._writer = GoldenWriter(header, tuple(words.redact))
        self.observers = (self._writer,)

    def finished(self, outcome: Outcome) -> None:
        """Note what became of an exchange."""
        if self._path:
            self._writer.finished(outcome)

    def write(self) -> None:
        """Write it."""
        if not self._path:
            return
        from simwasm.goldens.writing import write_golden

        text = self._writer.text()
        write_golden(self._path, text)
        print(printable(f"simwasm: {self._path}: {text.count(chr(10))} lines"), file=sys.stderr)
