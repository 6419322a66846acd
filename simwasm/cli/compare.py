"""`simwasm compare`: the same traffic through two builds or configurations, exchange by exchange, and what differs.

Exit status: 0 nothing differs; 1 something does; 2 what was given cannot be used, such as no traffic at all; 130 it was
interrupted, and what had been compared until then was told.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from simwasm import recipe as recipes
from simwasm.chain import is_configuration
from simwasm.cli import output, setup
from simwasm.cli.noticed import Noticed
from simwasm.cli.output import Ink
from simwasm.cli.progress import Progress
from simwasm.comparing.aspects import Aspect, aspects
from simwasm.comparing.part import Comparison, Part, Telling
from simwasm.comparing.share import differing
from simwasm.comparing.tally import Tally
from simwasm.comparing.telling import summary
from simwasm.errors import InputError, SimwasmError
from simwasm.exchange import Exchange
from simwasm.goldens.redactions import Redaction, redactions
from simwasm.plugin import Plugin
from simwasm.recipe import Recipe
from simwasm.replay.crew import BLOCK, Crew, check_size
from simwasm.replay.job import job_of
from simwasm.replay.stopping import Stopped, Stopping
from simwasm.replay.traffic import Traffic
from simwasm.replay.worker import Block
from simwasm.trace.text import paint
from simwasm.traffic.selection import Selection, selection

SAME, DIFFERENT, INTERRUPTED = 0, 1, 130
OF_NEW = (
    "config", "vm_config", "name", "root_id", "vm_id", "env", "fail_policy", "allow", "module", "callout", "engine",
)  # fmt: skip
"""What can be said of the new one alone; in everything else both are the same."""


def command(words: Namespace) -> int:
    """Compare and tell."""
    if words.max_shown < 0:
        raise InputError(f"--max-shown {words.max_shown}: say how many exchanges are shown, 0 or more")
    check_size(words.workers)
    wanted, ignored = aspects(words.only), _ignored(words.ignore)
    chosen = selection(words.filter, words.limit)
    stopping = Stopping()
    with stopping.heard():
        try:
            return _compared(words, wanted, ignored, chosen, stopping)
        except (Stopped, KeyboardInterrupt):
            if stopping.twice or not stopping.asked:
                raise KeyboardInterrupt from None
            output.tell("interrupted")
            return INTERRUPTED


def _ignored(texts: list[str]) -> tuple[Redaction, ...]:
    """What `--ignore` names, in the language in which goldens are redacted."""
    for text in texts:
        if text.startswith("keep:"):
            raise InputError(f"--ignore {text}: nothing is built in here that could be kept")
    try:
        built_in = len(redactions(()))
        return redactions(tuple(texts))[built_in:]
    except InputError as error:
        raise InputError(f"--ignore: {error}") from None


def recipe_of_new(words: Namespace, old: Recipe) -> Recipe:
    """The recipe of the new one: the old one's, with what is said of the new one alone."""
    said = {name: getattr(words, f"new_{name}") for name in OF_NEW}
    changed: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in said.items()
        if value is not None and value != []
    }
    return replace(old, plugin=words.new, **changed)


def plugins_of_both(old: Recipe, new: Recipe) -> tuple[tuple[Plugin, ...], tuple[Plugin, ...]]:
    """The plugins of both; two modules that nobody has named are called the same, for the log's sake."""
    before, after = (recipes.plugins(each, told=output.tell) for each in (old, new))
    plain = not is_configuration(old.plugin) and not is_configuration(new.plugin)
    if plain and old.name == new.name and len(before) == len(after) == 1:
        after = (replace(after[0], name=before[0].name),)
    return before, after


def _compared(
    words: Namespace,
    wanted: frozenset[Aspect],
    ignored: tuple[Redaction, ...],
    chosen: Selection,
    stopping: Stopping,
) -> int:
    old = setup.recipe(words)
    new = recipe_of_new(words, old)
    plugins = plugins_of_both(old, new)
    noticed = Noticed()
    traffic = stopping.waited(lambda: Traffic(old, chosen, noticed.notes))
    if traffic.first is None:
        raise InputError("there is no exchange in the traffic, so there is nothing to compare")
    now = traffic.first.started_ns
    ink = output.ink(words, output.stdout())
    telling = Telling(words.json, ink is paint, words.rows, None if words.json else words.max_shown)
    before, after = (
        job_of(recipe, those, now, output.in_vain) for recipe, those in zip((old, new), plugins, strict=True)
    )
    comparison = Comparison(before, after, wanted, ignored, telling)
    reading = _Reading(traffic, stopping)
    progress = Progress(lambda: traffic.position, traffic.size, most=words.limit)
    play = _alone if words.workers == 1 else _shared
    tally = Tally()
    try:
        play(words, comparison, reading, progress, stopping, tally)
    except BrokenPipeError:  # nobody reads what differs any more, but that something does is known
        return SAME if tally.same else DIFFERENT
    except KeyboardInterrupt:
        if stopping.twice or not stopping.asked:
            raise
    finally:
        stopping.over()
        progress.hide()
    noticed.counted()
    tally.broken = noticed.broken.count
    return _told(words, tally, ink, stopping, reading.error)


class _Reading:
    """The traffic with its numbers, up to where it cannot be read or the run is to end."""

    def __init__(self, traffic: Traffic, stopping: Stopping) -> None:
        self._traffic = traffic
        self._stopping = stopping
        self.error: SimwasmError | None = None

    def numbered(self) -> Iterator[tuple[int, Exchange]]:
        """Each exchange with its number."""
        number = 0
        try:
            for exchanges in self._traffic.each_round():
                for exchange in self._stopping.until(exchanges):
                    number += 1
                    yield number, exchange
        except SimwasmError as error:
            self.error = error


def _alone(
    words: Namespace,
    comparison: Comparison,
    reading: _Reading,
    progress: Progress,
    stopping: Stopping,
    tally: Tally,
) -> None:
    """Compare here, and print what differs as it is found."""
    part = Part(comparison, tally)
    try:
        begun, both = part.start()
        _print(begun.text, progress)
        if not both:
            return
        for told in part.play(reading.numbered()):
            _print(told.text, progress)
            progress.tick(part.tally.compared)
        stopping.settled()
        _print(part.end().text, progress)
    finally:
        part.close()


def _shared(
    words: Namespace,
    comparison: Comparison,
    reading: _Reading,
    progress: Progress,
    stopping: Stopping,
    tally: Tally,
) -> None:
    """Have several processes compare, and print what differs in the order of the traffic."""

    def hear(out: str) -> None:
        for found in differing(out):
            tally.differs(found.number, found.where, found.kinds)
            if words.json or tally.steps <= words.max_shown:
                _print(found.text, progress)

    if not _starts(comparison, progress, tally):
        return
    crew = Crew(comparison, words.workers, stopping, output.tell)
    try:
        for told in crew.play(_blocks(reading.numbered())):
            tally.compared += told.played
            hear(told.out)
            progress.tick(tally.compared)
        for ended in crew.ended():
            hear(ended.out)
    finally:
        crew.close()
    if crew.deaths:
        what = f"{crew.lost:,} exchanges" if crew.lost else "how its plugins end"
        reading.error = SimwasmError(f"not compared, as a process ended before it was to: {what}")


def _starts(comparison: Comparison, progress: Progress, tally: Tally) -> bool:
    """Compare how both start, once for all processes; whether both do."""
    part = Part(comparison, tally)
    try:
        begun, both = part.start()
        _print(begun.text, progress)
        return both
    finally:
        part.close()


def _blocks(numbered: Iterator[tuple[int, Exchange]]) -> Iterator[Block]:
    while taken := tuple(islice(numbered, BLOCK)):
        yield Block(taken[0][0], tuple(exchange for _, exchange in taken))


def _print(text: str, progress: Progress) -> None:
    if text:
        progress.hide()
        print(text, end="", flush=True)


def _told(words: Namespace, tally: Tally, ink: Ink, stopping: Stopping, error: SimwasmError | None) -> int:
    """Tell what it comes to; the exit status."""
    if words.json:
        print(json.dumps({"summary": tally.json()}))
    else:
        more = tally.steps - words.max_shown
        if more > 0 and words.max_shown:
            print(f"… and {more:,} more that differ; --max-shown N shows more of them")
        print("\n".join(summary(tally, ink)))
    if error is not None:
        raise error
    if stopping.asked:
        output.tell("interrupted" + (", in the middle of an exchange" if stopping.late else ""))
        return INTERRUPTED
    return SAME if tally.same else DIFFERENT
