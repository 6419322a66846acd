"""`--coverage FILE`: what a command's plugin reached goes to a file, also if the command does not come to its end."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from simwasm.cli.output import has_room
from simwasm.plugin import Plugin

if TYPE_CHECKING:
    from simwasm.coverage.collector import Collector


@contextmanager
def collecting(words: Namespace, plugins: Iterable[Plugin]) -> Iterator[Collector | None]:
    """Collect, if it is wanted, and write it in the end."""
    if not words.coverage:
        yield None
        return
    has_room("--coverage", words.coverage)
    from simwasm.coverage.collector import Collector  # most runs collect nothing

    collector = Collector(plugins)
    try:
        yield collector
    finally:
        collector.save(words.coverage)
