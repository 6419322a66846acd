"""Objects of the host, put back to what they were."""

from __future__ import annotations

from collections import deque
from functools import partial
from itertools import count
from random import Random
from typing import Any

import pytest
from debugging import CASES, inputs_of
from hypothesis import given
from hypothesis import strategies as st

from simwasm.debug.memento import Memento
from simwasm.engines.engine import Engine
from simwasm.host.buffers import Buffer
from simwasm.host.clock import Clock
from simwasm.host.headers import HeaderMap
from simwasm.session import Session

ENTRIES = st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=3)), max_size=5)


@given(ENTRIES, ENTRIES)
def test_a_header_map_is_what_it_was(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> None:
    headers = HeaderMap(before)
    memento = Memento([headers])
    for name, value in after:
        headers.replace(name, value)
    memento.restore()
    assert headers.entries == tuple(before)


def test_containers_stay_the_same_objects_with_what_was_in_them() -> None:
    held: list[Any] = [[1], {"a": Buffer(b"x")}, {1}, deque([1], maxlen=3), bytearray(b"ab")]
    memento = Memento([held])
    kept = tuple(held)
    held[0].append(2)
    held[1]["a"].data = b"y"
    held[1]["b"] = 1
    held[2].clear()
    held[3].append(2)
    held[4] += b"c"
    held.pop()
    memento.restore()
    assert all(now is then for now, then in zip(held, kept, strict=True))
    assert (held[0], held[2], list(held[3]), held[4]) == ([1], {1}, [1], b"ab")
    assert held[1].keys() == {"a"}
    assert held[1]["a"].data == b"x"


class Emptying:
    """Whoever has a job of the clock as a method."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer

    def empty(self) -> None:
        self._buffer.take()


Emptying.__module__ = "simwasm.host.emptying"


def test_jobs_of_the_clock_lead_to_what_they_will_change() -> None:
    clock = Clock()
    buffers = [Buffer(b"partial"), Buffer(b"closure"), Buffer(b"method")]

    def closed() -> None:
        buffers[1].data = b""

    closed.__module__ = "simwasm.host.closing"
    clock.soon(partial(setattr, buffers[0], "data", b""))
    clock.soon(closed)
    clock.after(5, Emptying(buffers[2]).empty)
    memento = Memento([clock])
    for _ in range(2):
        while job := clock.next():
            job()
        assert [buffer.data for buffer in buffers] == [b"", b"", b""]
        memento.restore()
        assert [buffer.data for buffer in buffers] == [b"partial", b"closure", b"method"]
        assert (clock.now, clock.busy) == (0, 3)


def test_counters_and_chance_go_on_from_where_they_were() -> None:
    clock = Clock()
    clock.soon(print)
    random = Random(1)
    memento = Memento([clock, [random]])
    first = random.random(), repr(clock._order)
    clock.soon(print)
    memento.restore()
    assert (random.random(), repr(clock._order)) == first
    assert type(clock._order) is count


def test_what_cannot_be_put_back_is_refused() -> None:
    with pytest.raises(TypeError, match="a list_iterator in the host cannot be put back"):
        Memento([[iter([1])]])


def test_every_recorded_run_can_be_put_down_between_any_two_jobs(engine: Engine) -> None:
    for case in CASES.values():
        inputs = inputs_of(case, engine.name)
        with Session(
            inputs.plugins, engine=engine, clusters=inputs.clusters, ask_cluster=inputs.ask_cluster
        ) as session:
            for exchange in inputs.exchanges:
                session.proxy.open(exchange)
            for _ in range(200):
                Memento([session.proxy])
                if not session.proxy.step():
                    break
