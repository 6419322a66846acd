"""Two builds under the same traffic, beside two replays: when nothing differs, and when everything does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

from benchmarks.row import Measure, Row, Target, Unit, in_turns
from simwasm.answers import Clusters
from simwasm.comparing.part import Comparison, Part, Telling
from simwasm.engines.find import engine as find_engine
from simwasm.exchange import Exchange
from simwasm.plugin import Plugin, read_bytes
from simwasm.replay.job import Job, Style
from simwasm.replay.job import Telling as Told
from simwasm.replay.shard import play
from simwasm.traffic.importer import read_traffic

EXCHANGES = Unit("exch/s", more_is_better=True)
_ROOT = Path(__file__).parents[1]
_OLD, _NEW = (_ROOT / "samples" / name / "plugin.wasm" for name in ("allow_header", "allow_header_as"))


def rows(*, rounds: int = 3, size: int = 100_000) -> Iterator[Row]:
    """The same build twice, and two that differ in every exchange."""
    for new, what, target in ((_OLD, "nothing differs", Target(1.0)), (_NEW, "everything differs", None)):
        ours, peer = in_turns(rounds, _compare(new, size), _replay_both(new, size))
        yield Row("compare", f"{what}: {size:,} / two replays", EXCHANGES, ours, peer, target)


def _job(path: Path) -> Job:
    return Job(
        (Plugin("allow_header", read_bytes(path)),),
        Clusters({}),
        find_engine(None).name,
        telling=Told(Style.NOTHING),
    )


def _traffic(size: int) -> Iterator[tuple[int, Exchange]]:
    recorded = list(read_traffic(_ROOT / "traces/traffic/allow_header.har"))
    many = islice(cycle(recorded), size)
    return enumerate((replace(each, started_ns=at * 10**6) for at, each in enumerate(many)), 1)


def _compare(new: Path, size: int) -> Measure:
    def measure() -> float:
        part = Part(Comparison(_job(_OLD), _job(new), telling=Telling(most=0)))
        part.start()
        started = perf_counter()
        assert sum(1 for _ in part.play(_traffic(size))) == size
        taken = perf_counter() - started
        part.close()
        return size / taken

    return measure


def _replay_both(new: Path, size: int) -> Measure:
    def measure() -> float:
        started = perf_counter()
        for path in (_OLD, new):
            assert sum(1 for _ in play(_job(path), _traffic(size))) == size + 1
        return size / (perf_counter() - started)

    return measure
