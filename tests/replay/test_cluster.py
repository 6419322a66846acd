"""A real scheduler and real workers on this machine: the same results as here, also if one of them is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import pytest
from debugging import WAIT

from simwasm import recipe as recipes
from simwasm.answers import Clusters
from simwasm.errors import InputError, TrafficError
from simwasm.replay import cluster
from simwasm.replay.cluster import Shard, blocks, on_cluster
from simwasm.replay.job import Job
from simwasm.replay.shard import Ended, Result, play
from simwasm.traffic.importer import read_traffic

ROOT = Path(__file__).parents[2]
TRAFFIC = ROOT / "traces" / "traffic" / "allow_header.har"
EXCHANGES = tuple(read_traffic(TRAFFIC))


class Machines(NamedTuple):
    """A cluster."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """A scheduler and two workers, each a process."""
    folder = tmp_path_factory.mktemp("cluster")
    told = folder / "scheduler.json"
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    started = [_started("dask_scheduler", [*common, "--host", "127.0.0.1", "--port", "0"], folder)]
    try:
        end = monotonic() + WAIT
        while not told.exists():
            assert monotonic() < end and started[0].poll() is None, (folder / "log").read_text()
            sleep(0.05)
        started += [_started("dask_worker", [*common, "--no-nanny", "--nthreads", "1"], folder) for _ in "12"]
        yield Machines(json.loads(told.read_text())["address"], started[1:])
    finally:
        for process in started:
            process.kill()
            process.wait()


def _started(what: str, words: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.{what}", *words]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)


@pytest.fixture(scope="module")
def job() -> Job:
    plugins = recipes.plugins(recipes.Recipe(str(ROOT / "samples" / "allow_header" / "plugin.wasm")))
    return Job(plugins, Clusters({}), "wasmtime")


def test_files_at_addresses_are_read_where_they_are_played(machines: Machines, job: Job) -> None:
    shards = [Shard(address=TRAFFIC.as_uri())] * 2
    told = list(on_cluster(job, machines.address, shards, read_traffic, limit=7))
    assert [each.number for each in told if isinstance(each, Result)] == list(range(1, 8))
    assert [each.summary.exchanges for each in told if isinstance(each, Ended)] == [5, 2]


def test_what_cannot_be_read_there_is_told_here(machines: Machines, job: Job) -> None:
    with pytest.raises(TrafficError, match=r"gone\.har"):
        list(on_cluster(job, machines.address, [Shard(address="file:///gone.har")], read_traffic))


def test_a_worker_may_be_killed_and_nothing_is_lost_or_counted_twice(machines: Machines, job: Job) -> None:
    """The last test of these machines: one of them is gone then."""
    many = cycle(EXCHANGES)
    shards = [Shard(tuple(islice(many, 150))) for _ in range(8)]
    told: list[Result | Ended] = []
    for each in on_cluster(job, machines.address, shards, read_traffic):
        if not told:
            os.kill(machines.workers[0].pid, signal.SIGKILL)
        told.append(each)
    numbered = enumerate((exchange for shard in shards for exchange in shard.exchanges), 1)
    here = [each for _ in shards for each in play(job, islice(numbered, 150))]
    assert _lines(told) == _lines(here)
    assert sum(each.summary.exchanges for each in told if isinstance(each, Ended)) == 8 * 150


def _lines(told: Sequence[Result | Ended]) -> list[str]:
    return [each.out for each in told]


def test_where_nobody_listens_it_is_told_what_to_start(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_HURRY", 0.2)
    with pytest.raises(InputError, match=r"no scheduler answers there .*dask scheduler"):
        list(on_cluster(job, "tcp://127.0.0.1:1", blocks(EXCHANGES), read_traffic))


@pytest.mark.parametrize(("size", "found"), [(0, []), (1, [1]), (1000, [1000]), (1001, [1000, 1])])
def test_exchanges_are_cut_into_blocks(size: int, found: list[int]) -> None:
    assert [len(shard.exchanges) for shard in blocks(islice(cycle(EXCHANGES), size))] == found
