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
from process import here

from simwasm import recipe as recipes
from simwasm.answers import Clusters
from simwasm.errors import InputError, TrafficError
from simwasm.replay import cluster_client
from simwasm.replay.cluster import Cluster
from simwasm.replay.elsewhere import Elsewhere
from simwasm.replay.job import Job
from simwasm.replay.shard import play
from simwasm.replay.stopping import Stopping
from simwasm.replay.worker import Block, Told
from simwasm.traffic.importer import read_traffic

ROOT = Path(__file__).parents[2]
TRAFFIC = ROOT / "traces" / "traffic" / "allow_header.har"
OTHER = TRAFFIC.with_name("rate_limit.har")
PLUGIN = str(ROOT / "samples" / "allow_header" / "plugin.wasm")
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
    plugins = recipes.plugins(recipes.Recipe(PLUGIN))
    return Job(plugins, Clusters({}), "wasmtime")


def played(
    job: Job, address: str, blocks: Sequence[Block] = (), there: Elsewhere | None = None
) -> list[Told]:
    """What a cluster has told."""
    cluster = Cluster(job, address, Stopping(), there)
    try:
        return list(cluster.play(blocks))
    finally:
        cluster.close()


def addresses(*names: str) -> Elsewhere:
    return Elsewhere(recipes.Recipe(PLUGIN, names))


def test_files_at_addresses_are_read_where_they_are_played(machines: Machines, job: Job) -> None:
    there = addresses(TRAFFIC.as_uri(), OTHER.as_uri())._replace(filter="method:GET", limit=5)
    told = played(job, machines.address, there=there)
    assert [(each.first, each.played) for each in told] == [(1, 4), (5, 1)]
    assert told[1].out.startswith("#5 GET /uuid ")


def test_what_cannot_be_read_there_is_told_here(machines: Machines, job: Job, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"simwasm": "traffic", "format": 1}\nnonsense\n')
    (told,) = played(job, machines.address, there=addresses(broken.as_uri()))
    assert told.summary.broken.count == 1 and "line 2" in told.summary.broken.first[0]
    with pytest.raises(TrafficError, match=r"gone\.har"):
        played(job, machines.address, there=addresses("file:///gone.har"))


def test_a_run_on_a_cluster_is_told_as_any_other(machines: Machines) -> None:
    words = ["run", PLUGIN, str(TRAFFIC), "--quiet", "--engine", "wasmtime", "--summary", "always"]
    alone, there = here(*words), here(*words, "--cluster", machines.address)
    assert there.stdout == alone.stdout
    assert "summary: 5 exchanges" in there.stderr and "2 workers" in there.stderr
    assert (alone.returncode, there.returncode) == (0, 0)


def test_what_a_cluster_cannot_do_is_refused() -> None:
    done = here("run", PLUGIN, str(TRAFFIC), "--cluster", "tcp://127.0.0.1:1", "--pace", "recorded")
    assert (done.returncode, done.stderr) == (
        2,
        "simwasm: --pace: a cluster keeps no time: leave out --cluster\n",
    )


def test_a_worker_may_be_killed_and_nothing_is_lost_or_counted_twice(machines: Machines, job: Job) -> None:
    """The last test of these machines: one of them is gone then."""
    many = cycle(EXCHANGES)
    blocks = [Block(number * 150 + 1, tuple(islice(many, 150))) for number in range(8)]
    cluster = Cluster(job, machines.address, Stopping())
    told: list[Told] = []
    for each in cluster.play(blocks):
        if not told:
            os.kill(machines.workers[0].pid, signal.SIGKILL)
        told.append(each)
    cluster.close()
    expected = [
        "".join(each.out for each in play(job, enumerate(block.exchanges, block.first))) for block in blocks
    ]
    assert [each.out for each in told] == expected
    assert sum(each.summary.exchanges for each in told) == 8 * 150


def test_where_nobody_listens_it_is_told_what_to_start(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_client, "HURRY", 0.2)
    with pytest.raises(InputError, match=r"no scheduler answers there .*dask scheduler"):
        played(job, "tcp://127.0.0.1:1")
