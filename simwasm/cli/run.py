"""`simwasm run`: recorded exchanges through a plugin, every crossing printed, a line for each exchange at the end.

Exit status: 0 all went well; 1 a plugin trapped, or what was expected did not hold; 2 what was given cannot be used;
130 it was interrupted, and what had run until then was told.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable
from shlex import quote
from typing import TextIO

from simwasm.cli import golden as goldens
from simwasm.cli import output, problems, setup
from simwasm.cli.noticed import Noticed
from simwasm.cli.progress import Progress
from simwasm.cli.replaying import Done, Reading, Screen, alone, shared
from simwasm.coverage.file import write as save
from simwasm.coverage.merge import merge
from simwasm.errors import InputError, SimwasmError
from simwasm.plugin import Plugin
from simwasm.replay.crew import BLOCK, Crew, check_size
from simwasm.replay.elsewhere import elsewhere
from simwasm.replay.job import Job, Style, Telling, job_of
from simwasm.replay.stopping import Stopped, Stopping
from simwasm.replay.summary import Summary
from simwasm.replay.told import summary_lines
from simwasm.replay.traffic import Traffic
from simwasm.trace.text import paint, printable
from simwasm.traffic.selection import selection

UNUSABLE, INTERRUPTED = 2, 130
MANY = 20
"""How many exchanges there are, at least, if a summary is printed though little is wanted."""
_OF_ONE_PROCESS = {
    "trace": ("a trace is of one process", bool),
    "timing": ("what is noted in a trace is of one process", bool),
    "golden": ("a golden is of one process", bool),
    "together": ("what goes on at the same time is of one process", bool),
}
_OF_NO_CLUSTER = {
    "workers": ("a cluster has workers of its own", lambda wanted: wanted > 1),
    "repeat": ("it tells how one worker's memory grows, and a cluster starts each shard anew", bool),
    "pace": ("a cluster keeps no time", lambda wanted: wanted == "recorded"),
}
"""What does not go together with other processes or machines, why, and whether it is wanted."""


def command(words: Namespace) -> int:
    """Replay."""
    _check(words)
    goldens.check(words)
    chosen = selection(words.filter, words.limit)
    plugins = setup.plugins(words)
    notes = Noticed()
    stopping = Stopping()
    with stopping.heard():
        try:
            wanted = setup.recipe(words)
            traffic = stopping.waited(lambda: Traffic(wanted, chosen, notes.notes, words.repeat or 1))
            done = _replayed(words, _job(words, plugins, traffic), traffic, stopping)
        except (SimwasmError, Stopped) as error:
            if not stopping.asked:
                raise
            output.tell("interrupted" if isinstance(error, Stopped) else f"interrupted: {error}")
            return INTERRUPTED
    return _told(words, plugins, done, notes, stopping)


def _check(words: Namespace) -> None:
    """Refuse what does not go together, before anything is read."""
    if words.repeat is not None and words.repeat < 1:
        raise InputError(f"--repeat: {words.repeat} is no number of rounds")
    check_size(words.workers)
    if words.timing and words.trace is None:
        raise InputError("--timing: what calls took is noted in the trace: add --trace FILE")
    output.has_room("--report", words.report)
    for option in ("report", "trace", "coverage"):
        output.is_no_input(f"--{option}", getattr(words, option), (words.plugin, *words.traffic))
    others = "--cluster" if words.cluster else "--workers" if words.workers > 1 else ""
    refused = (_OF_ONE_PROCESS if others else {}) | (_OF_NO_CLUSTER if words.cluster else {})
    for name, (what, wanted) in refused.items():
        if wanted(getattr(words, name)):
            raise InputError(f"--{name}: {what}: leave out {others}")


def _job(words: Namespace, plugins: tuple[Plugin, ...], traffic: Traffic) -> Job:
    """What is to be done with the traffic."""
    wanted = setup.recipe(words)
    style = Style.JSON if words.json else Style.QUIET if words.quiet else Style(words.format)
    now = traffic.first.started_ns if traffic.first is not None else 0
    return job_of(
        wanted,
        plugins,
        now,
        output.in_vain,
        together=words.together,
        in_time=words.pace == "recorded",
        telling=Telling(
            style, output.ink(words, output.stdout()) is paint, words.access_log, words.expect, words.cost
        ),
        coverage=bool(words.coverage),
        rounds=words.repeat is not None,
    )


def _replayed(words: Namespace, job: Job, traffic: Traffic, stopping: Stopping) -> Done:
    """Replay as the words want it."""
    in_time = words.pace == "recorded"
    reading = Reading(traffic, in_time=in_time)
    there = elsewhere(setup.recipe(words), words.filter, words.limit) if words.cluster else None
    most = (words.limit or 0) * (words.repeat or 1)
    size = traffic.size if there is None else _nobody_knows
    progress = Progress(lambda: reading.position, size, most=most)
    screen = Screen(
        _writer(output.stdout(), progress, at_once=job.telling.style.has_crossings),
        _writer(sys.stderr, progress),
        progress,
    )
    if words.workers == 1 and not words.cluster:
        golden = goldens.Golden(words, job.plugins, job.now_ns)
        done = alone(words, job, reading, stopping, screen, golden)
        _once_more(words, done, interrupted=stopping.asked)
        golden.write()
        return done
    if words.coverage:
        output.has_room("--coverage", words.coverage)
    if words.cluster:
        from simwasm.replay.cluster import BLOCK as SHARD  # few have one
        from simwasm.replay.cluster import Cluster

        cluster = Cluster(job, words.cluster, stopping, there)
        done = shared(words, cluster, reading, screen, block=SHARD)
        done.summary.workers = cluster.most_threads
        return _kept(words, done, stopping)
    crew = Crew(job, words.workers, stopping, lambda text: screen.err(printable(f"simwasm: {text}") + "\n"))
    done = shared(words, crew, reading, screen, block=1 if in_time else BLOCK)
    done.summary.lost = crew.lost
    done.died = crew.deaths > 0
    return _kept(words, done, stopping)


def _nobody_knows() -> None:
    """How much there is of files that are read where they are played."""


def _kept(words: Namespace, done: Done, stopping: Stopping) -> Done:
    """What others have played, told and kept."""
    _once_more(words, done, interrupted=stopping.asked)
    if words.coverage:
        save(words.coverage, merge(*done.covered))
    return done


def _writer(stream: TextIO, progress: Progress, *, at_once: bool = False) -> Callable[[str], object]:
    """Write where the bar is not; at once where somebody looks, so that a callback which hangs is on the screen."""
    if not stream.isatty():
        return stream.write

    def write(text: str) -> None:
        progress.hide()
        stream.write(text)
        if at_once:
            stream.flush()

    return write


def _once_more(words: Namespace, done: Done, *, interrupted: bool) -> None:
    """Say the lines of all exchanges together."""
    count = done.summary.exchanges
    if not count and not interrupted:
        fits = f" that --filter {quote(words.filter)} fits" if words.filter.strip() else ""
        output.tell(f"there was no exchange in the traffic{fits}")
    elif done.lines and count > 1:
        print()
        if count > len(done.lines):
            print(f"(the last {len(done.lines):,} of {count:,})")
        print("\n".join(done.lines))


def _told(
    words: Namespace, plugins: tuple[Plugin, ...], done: Done, notes: Noticed, stopping: Stopping
) -> int:
    """Tell what came of it; the exit status."""
    summary = done.summary
    notes.counted()
    summary.left_out.merge(notes.left_out)
    summary.broken.merge(notes.broken)
    _report(words, plugins, summary, stopping)
    for fault in sorted(done.missed):
        output.tell(f"--fault {fault} never happened: the run did not come there")
    if words.json:
        rest = problems.rest_json(done.problems, done.costs, done.left)
        if words.summary == "always":
            rest["summary"] = summary.json()
        if rest:
            print(json.dumps(rest))
    else:
        problems.tell(words, summary.problems, done.costs, summary.exchanges, done.left)
    if _is_summed_up(words, summary, stopping.asked):
        sys.stdout.flush()
        for line in summary_lines(summary, problems=not words.json):
            print(line, file=sys.stderr)
    if stopping.asked:
        output.tell("interrupted" + (", in the middle of an exchange" if stopping.late else ""))
        return INTERRUPTED
    if done.error is not None:
        raise done.error
    if not summary.exchanges:
        return UNUSABLE
    bad = len(summary.problems) + summary.broken.count
    return int(summary.traps > 0 or done.unexpected or done.died or (words.strict and bad > 0))


def _report(words: Namespace, plugins: tuple[Plugin, ...], summary: Summary, stopping: Stopping) -> None:
    """Write the page, if it is wanted."""
    if words.report:
        from simwasm.replay.report_page import Reported, write_report  # few want it

        why = ("The run was interrupted: this is what had run until then.",) if stopping.asked else ()
        write_report(words.report, Reported(summary, plugins, tuple(words.traffic), why))


def _is_summed_up(words: Namespace, summary: Summary, interrupted: bool) -> bool:
    """Whether people want to know what it all comes to."""
    if words.summary != "auto":
        return bool(words.summary == "always" and not words.json)
    little = words.quiet or words.json
    return interrupted or summary.exchanges > (MANY if little else 1) or summary.lost > 0
