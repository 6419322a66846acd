"""Replay on a Dask cluster: exchanges are cut into shards, each of which is played by fresh plugins on some worker.

Rules that live here:
- A shard is played as by a worker of Envoy that has just started: no memory and no shared data go from one to the next.
  How the exchanges are cut depends on them alone, so the same command gives the same results on any number of machines.
- A file of this machine is read here, in blocks; one at an address (s3://bucket/day.jsonl) is read where it is played.
- Results come in the order of the exchanges. The shard of a worker that is lost is played again from its beginning, and
  a shard is told of once, when it has come to its end, so nothing is counted twice.
- So many shards are under way that every worker has something to do; what is behind them has not been read yet.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from simwasm.costs import Costs
from simwasm.coverage.merge import merge
from simwasm.errors import InputError, SimwasmError
from simwasm.replay.cluster_client import PATIENCE, SAME, connected, distributed_package, lost
from simwasm.replay.cluster_shard import Played, Shard, counted, played, unpacked
from simwasm.replay.elsewhere import Elsewhere
from simwasm.replay.job import Job
from simwasm.replay.shard import Ended
from simwasm.replay.stopping import Stopped, Stopping
from simwasm.replay.summary import Summary
from simwasm.replay.worker import Block, RoundEnd, Told

BLOCK = 1_000
"""How many exchanges of files that are read here a shard has."""
_AHEAD = 2
"""How many shards are under way for each thread of the cluster."""
_NAP = 0.25


class Cluster:
    """The cluster of a scheduler, while there is a run."""

    def __init__(self, job: Job, address: str, stopping: Stopping, there: Elsewhere | None = None) -> None:
        self._address = address
        self._stopping = stopping
        self._there = there
        self._connection = connected(address)
        self._client = self._connection.__enter__()
        self._job = self._client.submit(unpacked, pickle.dumps(job.portable()), pure=False)
        self._under_way: deque[Any] = deque()
        self.most_threads = 1
        """How many shards could be played at the same time."""
        self._missed: frozenset[str] | None = None
        self._costs = Costs()
        self._rest = Ended("", "", Summary(), [], {}, frozenset(), (), ())

    def play(self, items: Iterable[Block | RoundEnd]) -> Iterator[Told]:
        """Have everything played; what became of each shard, in their order."""
        under_way = self._under_way
        try:
            for shard in self._shards(items):
                while len(under_way) >= _AHEAD * self.threads:
                    yield self._gathered()
                under_way.append(self._client.submit(played, self._job, shard, pure=False))
            while under_way:
                yield self._gathered()
        except Stopped:
            return
        except OSError as error:
            raise lost(self._address, error) from None

    def _shards(self, items: Iterable[Block | RoundEnd]) -> Iterator[Shard]:
        if self._there is not None:
            yield from self._files(self._there)
            return
        for item in self._stopping.until(items):
            if isinstance(item, Block):
                yield Shard(item.first, item.exchanges)

    def _files(self, there: Elsewhere) -> Iterator[Shard]:
        """Each file at an address, counted first, so that its exchanges have their numbers."""
        first = 1
        files = there.files()
        sizes = [self._client.submit(counted, file, pure=False) for file in files]
        for file, future in zip(files, sizes, strict=True):
            size = self._answer(future)
            left = None if there.limit is None or first + size - 1 <= there.limit else there.limit - first + 1
            if left is None or left > 0:  # one without exchanges may have something to tell
                yield Shard(first, (), left, file)
            first += size

    def _gathered(self) -> Told:
        found = self._answer(self._under_way[0])
        self._under_way.popleft()
        assert isinstance(found, Played)
        self._add(found.ended)
        return found.told

    def _add(self, ended: Ended) -> None:
        """Keep what a shard has told in its end, as one with that of the others."""
        rest = self._rest
        self._costs.merge(ended.costs)
        self._missed = ended.missed if self._missed is None else self._missed & ended.missed
        covered = merge(rest.covered, ended.covered) if ended.covered else rest.covered
        self._rest = rest._replace(costs=self._costs.of, missed=self._missed, covered=covered)

    def _answer(self, future: Any) -> Any:
        """What a task has answered; the cluster's troubles in words."""
        distributed = distributed_package()
        try:
            found = self._stopping.waited(lambda: self._waited_for(future))
        except distributed.KilledWorker as error:
            raise InputError(
                f"--cluster {self._address}: a shard was given up because each worker that had it was lost, the last "
                f"one at {getattr(error.last_worker, 'address', '?')}; do the workers have enough memory?"
            ) from None
        except (ImportError, AttributeError, pickle.UnpicklingError) as error:
            raise InputError(f"--cluster {self._address}: a worker cannot play: {error}; {SAME}") from None
        except distributed.client.FutureCancelledError as error:
            raise OSError(str(error)) from None
        if isinstance(found, SimwasmError):
            raise found
        return found

    def _waited_for(self, future: Any) -> Any:
        """The answer, as long as there is somebody who could give it."""
        alone_since: float | None = None
        while True:
            try:
                return future.result(timeout=_NAP)
            except distributed_package().TimeoutError:
                if self._client.nthreads():
                    alone_since = None
                    continue
            alone_since = alone_since or monotonic()
            if monotonic() - alone_since > PATIENCE:
                raise OSError("it has no workers any more")

    def pump(self, seconds: float | None) -> None:
        """Wait for so long."""
        self._stopping.waited(lambda: sleep(_NAP if seconds is None else seconds))

    @property
    def threads(self) -> int:
        """How many shards can be played at the same time."""
        found: dict[str, int] = self._client.nthreads()
        now = max(1, sum(found.values()))
        self.most_threads = max(self.most_threads, now)
        return now

    def ended(self) -> list[Ended]:
        """What all shards told in their ends, in one."""
        return [self._rest]

    def close(self) -> None:
        """Leave the cluster as it was."""
        with self._connection_ended():
            self._client.cancel([*self._under_way, self._job], force=True)

    @contextmanager
    def _connection_ended(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            pass  # it is lost, which was told
        finally:
            self._connection.__exit__(None, None, None)
