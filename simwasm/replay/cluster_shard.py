"""What a worker of a cluster does: it plays one shard to its end, and answers with all that is to be told.

Rule: an error of ours is an answer, which is not tried again; what else goes wrong is the cluster's business.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from typing import NamedTuple

from simwasm.errors import SimwasmError, TrafficError
from simwasm.exchange import Exchange
from simwasm.replay.elsewhere import Elsewhere
from simwasm.replay.job import Job
from simwasm.replay.shard import Ended, Result, play
from simwasm.replay.summary import Places, Summary
from simwasm.replay.worker import Told
from simwasm.traffic.notes import Notes


class Shard(NamedTuple):
    """A part of the traffic: the number of its first exchange, and exchanges, or how many there are and where."""

    first: int
    exchanges: tuple[Exchange, ...] = ()
    most: int | None = None
    there: Elsewhere | None = None


@dataclass
class Played:
    """What a worker answers: of a shard that has come to its end."""

    told: Told
    ended: Ended


def _ignored(text: str) -> None:
    """It is told when the file is played."""


def counted(there: Elsewhere) -> int | SimwasmError:
    """How many exchanges of a file are wanted."""
    try:
        return sum(1 for _ in there.exchanges(Notes(_ignored, lambda error: None)))
    except SimwasmError as error:
        return error


def played(job: Job, shard: Shard) -> Played | SimwasmError:
    """Play one shard, on a worker; an error of ours is an answer, which is not tried again."""
    left_out, broken = Places(), Places()
    try:
        exchanges: Iterable[Exchange] = shard.exchanges
        if shard.there is not None:
            notes = Notes(left_out.add, partial(_add_error, broken))
            exchanges = islice(shard.there.exchanges(notes), shard.most)
        *results, ended = play(job, zip(count(shard.first), exchanges, strict=False))
    except SimwasmError as error:
        return error
    assert isinstance(ended, Ended)
    ended.summary.left_out, ended.summary.broken = left_out, broken
    return Played(_told(shard.first, results, ended), ended._replace(out="", err="", summary=Summary()))


def _add_error(places: Places, error: TrafficError) -> None:
    places.add(str(error))


def _told(first: int, found: list[Result | Ended], ended: Ended) -> Told:
    results = [each for each in found if isinstance(each, Result)]
    return Told(
        first,
        len(results),
        "".join([*(result.out for result in results), ended.out]),
        "".join([*(result.err for result in results), ended.err]),
        tuple([result.line for result in results if result.line]),
        any(result.unexpected for result in results),
        ended.summary,
    )


def unpacked(data: bytes) -> Job:
    """The job, made where it is done: what a lost worker had of it can be made again."""
    found = pickle.loads(data)
    assert isinstance(found, Job)
    return found
