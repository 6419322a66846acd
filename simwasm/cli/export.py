"""`simwasm export`: a trace for another tool."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TextIO

from simwasm.errors import InputError
from simwasm.exports.otlp import write_otlp
from simwasm.exports.perfetto import write_perfetto
from simwasm.exports.prometheus import write_prometheus
from simwasm.trace.scan import everything
from simwasm.trace.text import printable


def command(words: Namespace) -> int:
    """Write it."""
    told = everything(words.trace, _note)
    header = next(told)  # what is no trace is told before a file is made

    with _opened(words.output) as stream:
        _WRITERS[words.to](chain([header], told), stream.write)
    return 0


_WRITERS: dict[str, Callable[..., None]] = {
    "perfetto": write_perfetto,
    "otlp": write_otlp,
    "prometheus": lambda told, write: write_prometheus(told, write, _note),
}


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if path == "-":
        yield sys.stdout
        return
    try:
        file = open(path, "w", encoding="utf-8", newline="\n")  # noqa: SIM115  # it is closed below
    except OSError as error:
        raise InputError(f"-o {path}: cannot be written: {error.strerror}") from None
    with file:
        yield file


def _note(text: str) -> None:
    print(printable(f"simwasm: {text}"), file=sys.stderr)
