"""What one of several processes does: plays the blocks that it is given, and tells what became of each.

Rules: Ctrl-C is for the process that a person started, which then asks this one to end; when that one is gone, so is
this one.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from typing import NamedTuple

from simwasm.errors import SimwasmError
from simwasm.exchange import Exchange
from simwasm.replay.channel import Gone, Line
from simwasm.replay.packing import Packed, unpacked
from simwasm.replay.shard import Ended, Result
from simwasm.replay.stopping import Stopped, Stopping
from simwasm.replay.summary import Summary
from simwasm.replay.work import Work


class Block(NamedTuple):
    """Consecutive exchanges; the first has that number."""

    first: int
    exchanges: tuple[Exchange, ...]


class Parcel(NamedTuple):
    """A block on its way."""

    first: int
    exchanges: list[Packed]


class RoundEnd(NamedTuple):
    """All of the traffic was given once more."""


class NoMore(NamedTuple):
    """All of the traffic was given."""


class Told(NamedTuple):
    """What became of a block."""

    first: int
    played: int
    out: str
    err: str
    lines: tuple[str, ...]
    unexpected: bool
    summary: Summary


class Failed(NamedTuple):
    """The block that was under way cannot be played."""

    error: SimwasmError
    out: str = ""
    err: str = ""
    """What was printed before."""


Message = Parcel | RoundEnd | NoMore


def main(end: int) -> None:
    """Play what comes over the socket of that number, until there is nothing more to be played."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping = Stopping()
    with stopping.heard((signal.SIGTERM,)):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        line = Line(socket.socket(fileno=end))
        try:
            job: Work = stopping.waited(line.receive)
            worker = _Worker(job, line, stopping)
            line.send(worker.played_or_failed())
        except SimwasmError as error:  # it was not even made
            line.send(Failed(error))
        except (Gone, Stopped):
            pass


class _Worker:
    """Plays what comes."""

    def __init__(self, job: Work, line: Line, stopping: Stopping) -> None:
        self._line = line
        self._stopping = stopping
        self._part = job.part()
        self._block: Block | None = None
        self._results: list[Result] = []
        self._requests = 0
        self._more = True
        self._begun = "", ""

    def played_or_failed(self) -> Ended | Failed:
        """All that is to be told in the end."""
        try:
            return self._played()
        except SimwasmError as error:
            (out, err), (last_out, last_err) = self._begun, self._part.unheard()
            return Failed(
                error,
                "".join([out, *(result.out for result in self._results), last_out]),
                "".join([err, *(result.err for result in self._results), last_err]),
            )

    def _played(self) -> Ended:
        """Play all; what there is to tell in the end."""
        stopping, part = self._stopping, self._part
        stopping.session = part.session
        try:
            self._begun = part.start()
            while self._more:
                self._play_round()
                part.round_ended(self._requests)
                self._requests = 0
            self._tell()
            stopping.settled()
            ended = part.ended()
        except KeyboardInterrupt:  # it did not come to its end in time
            self._tell()
            ended = part.ended(stopped=False)
        finally:
            stopping.over()
        out, err = self._begun
        return ended._replace(out=out + ended.out, err=err + ended.err)

    def _play_round(self) -> None:
        for result in self._part.results(self._stopping.until(self._numbered())):
            self._results.append(result)
            self._requests += 1
            if self._block is not None and len(self._results) == len(self._block.exchanges):
                self._tell()

    def _numbered(self) -> Iterator[tuple[int, Exchange]]:
        while not self._stopping.asked:
            message: Message = self._stopping.waited(self._line.receive)
            if not isinstance(message, Parcel):
                self._more = isinstance(message, RoundEnd)
                return
            self._block = block = Block(message.first, tuple(unpacked(message.exchanges)))
            yield from enumerate(block.exchanges, block.first)
        self._more = False

    def _tell(self) -> None:
        """Tell of the block that was played, or of what was played of it."""
        block, results = self._block, self._results
        if block is None:
            return
        self._block, self._results = None, []
        (out, err), self._begun = self._begun, ("", "")
        self._line.send(
            Told(
                block.first,
                len(results),
                out + "".join([result.out for result in results]),
                err + "".join([result.err for result in results]),
                tuple([result.line for result in results if result.line]),
                any(result.unexpected for result in results),
                self._part.taken(),
            )
        )
