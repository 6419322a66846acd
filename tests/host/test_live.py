"""Streams that are said piece by piece while they are under way, and time that passes on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from scripted import ANSWER, CONFIGURE, REQUEST, REQUEST_BODY, TICK, Call, scripted

from simwasm.engines import find
from simwasm.exchange import Exchange, request
from simwasm.host.clock import Clock
from simwasm.host.profile import Profile
from simwasm.host.stream import Stream
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event

STOP_ALL_AND_WATERMARK = 4
SECOND = 1_000_000_000


class Bodies:
    """An observer that notes the sizes of body callbacks, and whether each was the last."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, bool]] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered) and event.function.name == REQUEST_BODY:
            self.seen.append(event.args[1:])


def begun(
    calls: Mapping[str, Sequence[Call]], results: Mapping[str, int], bodies: Bodies, limit: int = 1 << 20
) -> tuple[Session, Stream]:
    """A session in which a live request has begun."""
    plugin = Plugin("live", scripted({REQUEST: [], REQUEST_BODY: [], **calls}, results))
    session = Session([plugin], engine=find.engine(), observers=[bodies], profile=Profile(buffer_limit=limit))
    session.start()
    stream = session.proxy.open(Exchange("1", 0, request("POST", "/")), live=True)
    settle(session)
    return session, stream


def settle(session: Session, seconds: float = 0) -> None:
    """Let time pass."""
    at = session.proxy.clock.now + round(seconds * SECOND)
    while session.proxy.step_until(at):
        pass


def say(session: Session, stream: Stream, *pieces: bytes) -> None:
    assert stream.feed is not None
    for piece in pieces:
        stream.feed.say(piece)
        settle(session, 1)


def test_each_piece_that_is_said_comes_at_once() -> None:
    bodies = Bodies()
    session, stream = begun({}, {}, bodies)
    say(session, stream, b"ab", b"c")
    assert bodies.seen == [(2, False), (1, False)]
    session.close()


def test_pieces_that_are_said_before_anything_is_done_all_come() -> None:
    bodies = Bodies()
    session, stream = begun({}, {}, bodies)
    assert stream.feed is not None
    stream.feed.say(b"ab")
    stream.feed.say(b"c")
    stream.feed.end()
    settle(session)
    assert bodies.seen == [(2, False), (1, False), (0, True)]
    assert stream.ended
    session.close()


def test_what_finds_no_room_waits_and_comes_in_one_piece_when_there_is_some() -> None:
    bodies = Bodies()
    resume: list[Call] = [("from", 5), ("proxy_set_effective_context", 2), ("proxy_continue_stream", 0)]
    ticking: list[Call] = [("proxy_set_tick_period_milliseconds", 1000)]
    session, stream = begun(
        {CONFIGURE: ticking, TICK: resume}, {REQUEST: STOP_ALL_AND_WATERMARK}, bodies, limit=3
    )
    say(session, stream, b"aaaa", b"bbb", b"cc")
    assert bodies.seen == []
    settle(session, 2.5)
    assert bodies.seen == [(4, False), (5, False)]
    assert stream.feed is not None
    stream.feed.end((("x-end", "1"),))
    settle(session)
    assert stream.ended
    assert stream.sent_by_client.data == b"aaaabbbcc"
    assert stream.sent_by_client.trailers == (("x-end", "1"),)
    session.close()


def test_a_live_stream_that_says_nothing_is_idle_for_too_long() -> None:
    session, stream = begun({ANSWER: []}, {}, Bodies())
    settle(session, 299)
    assert stream.code == 0
    settle(session, 1)
    assert stream.code == 408
    session.close()


@pytest.mark.parametrize("seconds", [0, 0.5, 100])
def test_time_is_left_where_it_was_to_pass_to(seconds: float) -> None:
    session, _ = begun({}, {}, Bodies())
    before = session.proxy.clock.now
    settle(session, seconds)
    assert session.proxy.clock.now == before + round(seconds * SECOND)
    session.close()


def test_what_was_called_off_is_not_due() -> None:
    clock = Clock(5)
    clock.after(1, print).cancel()
    assert clock.due() is None
    clock.after(7, print)
    assert clock.due() == 12
    clock.soon(print)
    assert clock.due() == 5
