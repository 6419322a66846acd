"""Exchanges shared by several processes: each is an Envoy worker with plugins, shared data and queues of its own.

Rules:

- runs of consecutive exchanges (blocks) go to the processes in turn, whatever is in them and however fast each is, so
  the same command always plays the same exchanges in the same process;
- results are given in the order of the traffic; only so many blocks are under way, so memory does not grow;
- a process that dies takes its unfinished blocks with it; they are told, and a new process goes on in its place.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from time import monotonic

from simwasm.errors import InputError, SimwasmError
from simwasm.replay.channel import Channel, Gone
from simwasm.replay.packing import packed
from simwasm.replay.shard import Ended
from simwasm.replay.stopping import PATIENCE, Stopped, Stopping
from simwasm.replay.summary import Summary
from simwasm.replay.work import Work
from simwasm.replay.worker import Block, Failed, NoMore, Parcel, RoundEnd, Told

BLOCK = 64
"""How many exchanges a process is given at once."""
MOST = 256
"""How many processes there may be."""
AHEAD = 3
"""How many blocks a process may have that it has not played."""
DEATHS = 3
"""How many processes may die before the run is given up."""
_BEGIN = "import sys; sys.path[:] = {path}; from simwasm.replay.worker import main; main({end})"
_DYING = 5.0
"""Seconds until a process that has hung up must have ended."""


def check_size(wanted: int) -> None:
    """Refuse a number of processes that cannot be."""
    if not 1 <= wanted <= MOST:
        raise InputError(f"--workers: {wanted} is not a number from 1 to {MOST}")


class Hand:
    """One of the processes."""

    def __init__(self, job: Work, number: int) -> None:
        self.number = number
        here, there = socket.socketpair()
        with there, _deaf():
            self.process = subprocess.Popen(
                [sys.executable, "-c", _BEGIN.format(path=sys.path, end=there.fileno())],
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.channel = Channel(here)
        self.channel.send(job.of_worker(number))
        self.under_way: deque[tuple[int, Block]] = deque()
        """Blocks that it has, with their places in the traffic."""
        self.ended: Ended | None = None

    @property
    def has_room(self) -> bool:
        """Whether it can be given another block."""
        return len(self.under_way) < AHEAD

    def give(self, place: int, block: Block) -> None:
        """Have it play a block."""
        self.under_way.append((place, block))
        self.channel.send(Parcel(block.first, packed(block.exchanges)))

    def end(self) -> str:
        """See that it is gone; how it ended, in words."""
        self.channel.close()
        try:
            code = self.process.wait(_DYING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        return f"was ended by {_name(-code)}" if code < 0 else f"ended with status {code}"


def _name(number: int) -> str:
    found = next((each.name for each in signal.Signals if each == number), f"signal {number}")
    return f"{found} (out of memory?)" if number == signal.SIGKILL else found


class _deaf:
    """While a process is started: it is not to hear of Ctrl-C, and this one hears of it afterwards."""

    def __enter__(self) -> None:
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})

    def __exit__(self, *_: object) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)


class Crew:
    """The processes of a run."""

    def __init__(self, job: Work, size: int, stopping: Stopping, tell: Callable[[str], object]) -> None:
        self._job = job.portable()
        self._size = size
        self._stopping = stopping
        self._tell = tell
        self._hands: dict[int, Hand] = {}
        """By turn."""
        self._selector = DefaultSelector()
        self._done: dict[int, Told | Failed | None] = {}
        """What became of blocks, by their places; nothing of one that is lost."""
        self._next = 0
        """The place of the block whose results are given next."""
        self.deaths = 0
        """How many processes have ended before they were to."""
        self._closing = False
        self.lost = 0
        """How many exchanges have died with their process."""

    def play(self, items: Iterable[Block | RoundEnd]) -> Iterator[Told]:
        """Have blocks played; what became of each, in their order."""
        place = 0
        try:
            for item in self._stopping.until(items):
                if isinstance(item, RoundEnd):
                    for hand in self._hands.values():
                        hand.channel.send(item)
                    continue
                turn = place % self._size
                while not self._hand(turn).has_room:
                    self.pump(None)
                    yield from self._ready()
                self._hand(turn).give(place, item)
                place += 1
                self.pump(0)
                yield from self._ready()
            self._closing = True
            yield from self._finished()
        except Stopped:
            pass
        if self._stopping.asked:
            yield from self._stopped()

    def _hand(self, turn: int) -> Hand:
        """The process whose turn it is; started when it is first given something."""
        found = self._hands.get(turn)
        if found is None:
            found = self._hands[turn] = Hand(self._job, turn + 1)
            self._selector.register(found.channel, EVENT_READ, found)
        return found

    def _finished(self) -> Iterator[Told]:
        """Nothing more is given: wait for what is under way."""
        for hand in self._hands.values():
            hand.channel.send(NoMore())
        while self._is_busy():
            self.pump(None)
            yield from self._ready()

    def _stopped(self) -> Iterator[Told]:
        """Ask all to end, and wait a while; what they have not played stays so."""
        self._closing = True
        for hand in self._hands.values():
            if hand.ended is None:
                hand.process.terminate()
        due = monotonic() + 3 * PATIENCE
        while self._is_busy() and (left := due - monotonic()) > 0:
            self._look(left)
        for place in sorted(self._done):
            told = self._done.pop(place)
            if isinstance(told, Told):
                yield told

    def _is_busy(self) -> bool:
        return any(hand.ended is None for hand in self._hands.values())

    def pump(self, seconds: float | None) -> None:
        """Read and write what can be; wait for something so long, None for as long as it takes."""
        self._stopping.waited(lambda: self._look(seconds)) if seconds != 0 else self._look(0)

    def _look(self, seconds: float | None) -> None:
        for hand in self._hands.values():
            if hand.ended is None:
                wanted = EVENT_READ | EVENT_WRITE if hand.channel.has_more else EVENT_READ
                if self._selector.get_key(hand.channel).events != wanted:
                    self._selector.modify(hand.channel, wanted, hand)
        for key, ready in self._selector.select(seconds):
            if ready & EVENT_WRITE:
                key.data.channel.write()
            if ready & EVENT_READ:
                self._read(key.data)

    def _read(self, hand: Hand) -> None:
        try:
            for message in hand.channel.messages():
                self._heard(hand, message)
        except Gone:
            self._gone(hand)

    def _heard(self, hand: Hand, message: Told | Ended | Failed) -> None:
        if isinstance(message, Ended):
            hand.ended = message
            self._selector.unregister(hand.channel)
        elif hand.under_way:
            place, _ = hand.under_way.popleft()
            self._done[place] = message
        elif isinstance(message, Failed):
            raise message.error

    def _gone(self, hand: Hand) -> None:
        """A process has hung up."""
        if hand.ended is not None:
            return
        self._selector.unregister(hand.channel)
        how = hand.end()
        if any(isinstance(told, Failed) for told in self._done.values()) or self._stopping.asked:
            hand.ended = _NOTHING  # it has said why, or was asked to
            return
        self.deaths += 1
        lost = [block for _, block in hand.under_way]
        for place, _ in hand.under_way:
            self._done[place] = None
        self.lost += sum(len(block.exchanges) for block in lost)
        self._tell(f"worker {hand.number} {how}{_told_lost(lost)}")
        if self.deaths >= DEATHS:
            raise SimwasmError(f"{DEATHS} workers have ended so: the run is given up")
        if self._closing:
            hand.ended = _NOTHING
        else:
            del self._hands[hand.number - 1]

    def _ready(self) -> Iterator[Told]:
        """What became of the blocks that come next."""
        while self._next in self._done:
            told = self._done.pop(self._next)
            self._next += 1
            if isinstance(told, Failed):
                yield Told(0, 0, told.out, told.err, (), False, Summary())
                raise told.error
            if told is not None:
                yield told

    def ended(self) -> list[Ended]:
        """What every process told when it ended, in their order."""
        hands = sorted(self._hands.values(), key=lambda hand: hand.number)
        return [hand.ended for hand in hands if hand.ended is not None]

    def close(self) -> None:
        """See that no process is left."""
        for hand in self._hands.values():
            if hand.process.poll() is None and hand.ended is None:
                hand.process.kill()
            hand.end()
        self._selector.close()


_NOTHING = Ended("", "", Summary(), [], {}, frozenset(), (), ())
"""What is told by a process that tells nothing any more."""


def _told_lost(blocks: list[Block]) -> str:
    """Which exchanges are lost, in words."""
    spans = [f"{block.first:,} to {block.first + len(block.exchanges) - 1:,}" for block in blocks]
    return f"; lost with it: exchanges {' and '.join(spans)}" if spans else ""
