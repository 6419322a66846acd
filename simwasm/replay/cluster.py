"""Replay on a Dask cluster: exchanges are cut into shards, each of which is played by fresh plugins on some worker.

    for told in on_cluster(job, "tcp://10.0.0.1:8786", shards): ...

Rules that live here:
- A shard is played as by a worker of Envoy that has just started: no memory and no shared data go from one to the next.
  How the exchanges are cut depends on them alone, so the same command gives the same results on any number of machines.
- A file of this machine is read here, in blocks; one at an address (s3://bucket/day.jsonl) is read where it is played.
- Results come in the order of the exchanges. The shard of a worker that is lost is played again from its beginning, and
  a shard is told of once, when it has come to its end, so nothing is counted twice.
- So many shards are under way that every worker has something to do; what is behind them has not been read yet.
"""

from __future__ import annotations

import importlib
import logging
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count, islice
from typing import Any, NamedTuple

from simwasm import __version__
from simwasm.errors import InputError, SimwasmError
from simwasm.exchange import Exchange
from simwasm.replay.job import Job
from simwasm.replay.shard import Ended, Result, play

BLOCK = 1_000
"""How many exchanges of files that are read here a shard has."""
_AHEAD = 2
"""How many shards are under way for each thread of the cluster."""
_PATIENCE = 30
"""Seconds to wait for a worker where there is none."""
_HURRY = 10
"""Seconds to wait for a scheduler."""

Told = Result | Ended
Read = Callable[[str], Iterator[Exchange]]
"""Gives the exchanges that are at an address; another process can be sent it."""


class Shard(NamedTuple):
    """A part of the traffic: exchanges, or where they are to be read."""

    exchanges: tuple[Exchange, ...] = ()
    address: str = ""


def blocks(exchanges: Iterable[Exchange]) -> Iterator[Shard]:
    """Cut exchanges into shards."""
    rest = iter(exchanges)
    while block := tuple(islice(rest, BLOCK)):
        yield Shard(block)


def on_cluster(
    job: Job, address: str, shards: Iterable[Shard], read: Read, limit: int | None = None
) -> Iterator[Told]:
    """Play shards on that scheduler's cluster; what is told of each exchange, and of each shard when it has ended."""
    with _connected(address) as client:
        packed = client.submit(_unpacked, pickle.dumps(job.portable()), pure=False)
        under_way: deque[Any] = deque()
        try:
            for shard, first, most in _numbered(client, address, shards, read, limit):
                while len(under_way) >= _AHEAD * _threads(client):
                    yield from _gathered(client, under_way.popleft(), address)
                under_way.append(client.submit(_played, packed, shard, first, most, read, pure=False))
            while under_way:
                yield from _gathered(client, under_way.popleft(), address)
        finally:
            client.cancel(list(under_way), force=True)


def _numbered(
    client: Any, address: str, shards: Iterable[Shard], read: Read, limit: int | None
) -> Iterator[tuple[Shard, int, int]]:
    """Each shard with the number of its first exchange, and how many of its exchanges are wanted."""
    first = 1
    for shard in shards:
        left = limit - first + 1 if limit is not None else None
        if left is not None and left <= 0:
            return
        size = len(shard.exchanges)
        if shard.address:
            size = _result(client, client.submit(_counted, shard.address, read, pure=False), address)
        wanted = size if left is None else min(size, left)
        if wanted:
            yield shard, first, wanted
        first += wanted


def _counted(address: str, read: Read) -> int | SimwasmError:
    """How many exchanges there are at an address."""
    try:
        return sum(1 for _ in read(address))
    except SimwasmError as error:
        return error


def _played(job: Job, shard: Shard, first: int, most: int, read: Read) -> list[Told] | SimwasmError:
    """Play one shard, on a worker; an error of ours is an answer, which is not tried again."""
    try:
        exchanges = read(shard.address) if shard.address else iter(shard.exchanges)
        return list(play(job, zip(count(first), islice(exchanges, most), strict=False)))
    except SimwasmError as error:
        return error


def _unpacked(data: bytes) -> Job:
    """The job, made where it is done: what a lost worker had of it can be made again."""
    found = pickle.loads(data)
    assert isinstance(found, Job)
    return found


def _gathered(client: Any, future: Any, address: str) -> Iterator[Told]:
    found: list[Told] = _result(client, future, address)
    return iter(found)


def _result(client: Any, future: Any, address: str) -> Any:
    """What a task has answered; the cluster's troubles in words."""
    distributed = _distributed()
    try:
        found = _waited_for(client, future)
    except distributed.KilledWorker as error:
        raise InputError(
            f"--cluster {address}: a shard was given up because each worker that had it was lost, the last one at "
            f"{getattr(error.last_worker, 'address', '?')}; do the workers have enough memory?"
        ) from None
    except (ImportError, AttributeError, pickle.UnpicklingError) as error:
        raise InputError(f"--cluster {address}: a worker cannot play: {error}; {_SAME}") from None
    except distributed.client.FutureCancelledError as error:
        raise OSError(str(error)) from None
    if isinstance(found, SimwasmError):
        raise found
    return found


def _waited_for(client: Any, future: Any) -> Any:
    """The answer, as long as there is somebody who could give it."""
    while True:
        try:
            return future.result(timeout=_PATIENCE)
        except _distributed().TimeoutError:
            if not client.nthreads():
                raise OSError("it has no workers any more") from None


_SAME = f"all of them need simwasm {__version__} and the same packages as this machine"


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client of the scheduler, whose workers can play."""
    distributed = _distributed()
    for name in ("distributed", "distributed.client"):  # what matters is told in our words
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        client = distributed.Client(address, timeout=_HURRY, set_as_default=False)
    except (OSError, distributed.TimeoutError, ValueError) as error:
        raise InputError(
            f"--cluster {address}: no scheduler answers there ({error}); `dask scheduler` starts one"
        ) from None
    try:
        _wait_for_workers(client, address)
        yield client
    except OSError as error:
        raise InputError(f"--cluster {address}: the cluster is lost: {error}") from None
    finally:
        client.close(timeout=_HURRY)


def _wait_for_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except _distributed().TimeoutError:
        raise InputError(
            f"--cluster {address}: it has no workers; `dask worker {address}` starts one"
        ) from None
    for worker, found in client.run(_version, on_error="return").items():
        if found != __version__:
            raise InputError(f"--cluster {address}: the worker {worker} has {_seen(found)}; {_SAME}")


def _version() -> str:
    """Which simwasm a worker has."""
    return __version__


def _seen(found: object) -> str:
    return f"no simwasm that can be used ({found})" if isinstance(found, Exception) else f"simwasm {found}"


def _threads(client: Any) -> int:
    found: dict[str, int] = client.nthreads()
    return max(1, sum(found.values()))


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise InputError("--cluster needs Dask: pip install 'simwasm[dask]'") from None
