"""Buffers, shared data, queues, metrics and the clock."""

from __future__ import annotations

import pytest

from simwasm.abi.enums import MetricType, Status
from simwasm.abi.status import Refusal
from simwasm.host.buffers import Buffer
from simwasm.host.clock import READ_COST, Clock
from simwasm.host.metrics import MetricIds, Metrics
from simwasm.host.shared import Queues, SharedData


@pytest.mark.parametrize(
    ("start", "size", "after"),
    [
        (0, 0, b"NEWabcdef"),
        (0, 6, b"NEW"),
        (0, 99, b"NEW"),
        (0, 2, b"NEWcdef"),
        (6, 0, b"abcdefNEW"),
        (99, 5, b"abcdefNEW"),
    ],
)
def test_a_buffer_is_edited_at_its_beginning_and_end(start: int, size: int, after: bytes) -> None:
    buffer = Buffer(b"abcdef")
    assert buffer.write(start, size, b"NEW") is None
    assert buffer.data == after


def test_the_middle_of_a_buffer_cannot_be_edited() -> None:
    refusal = Buffer(b"abcdef").write(2, 1, b"NEW")
    assert isinstance(refusal, Refusal)
    assert (refusal.status, "inside the buffer of 6 bytes" in refusal.reason) == (Status.BAD_ARGUMENT, True)


def test_reading_a_buffer_clamps() -> None:
    assert Buffer(b"abc").read(1, 99) == b"bc"
    assert Buffer(b"abc").read(9, 1) == b""


def test_a_read_only_buffer_says_why() -> None:
    refusal = Buffer(b"", writable=False, why="because").write(0, 0, b"x")
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "because"


def test_shared_data_is_written_against_its_number() -> None:
    data = SharedData()
    assert data.set("vm", "k", b"1", 0) is None
    found = data.get("vm", "k")
    assert found is not None
    assert data.set("vm", "k", b"2", found[1]) is None
    refusal = data.set("vm", "k", b"3", found[1])
    assert isinstance(refusal, Refusal)
    assert refusal.status is Status.CAS_MISMATCH


def test_shared_data_belongs_to_a_vm_id() -> None:
    data = SharedData()
    data.set("one", "k", b"1", 0)
    assert data.get("two", "k") is None


def test_a_queue_gives_items_in_order_and_is_then_empty() -> None:
    queues = Queues()
    told: list[int] = []
    id = queues.register("vm", "q", told.append)
    queues.enqueue(id, b"a")
    queues.enqueue(id, b"b")
    assert [queues.dequeue(id), queues.dequeue(id)] == [b"a", b"b"]
    refusal = queues.dequeue(id)
    assert isinstance(refusal, Refusal)
    assert refusal.status is Status.EMPTY
    assert told == [id, id]


def test_registering_again_keeps_the_queue_and_moves_its_notices() -> None:
    queues = Queues()
    first: list[int] = []
    second: list[int] = []
    id = queues.register("vm", "q", first.append)
    assert queues.register("vm", "q", second.append) == id
    queues.enqueue(id, b"a")
    assert (first, second) == ([], [id])


def test_an_unknown_queue_is_not_found() -> None:
    queues = Queues()
    for answer in (queues.enqueue(7, b""), queues.dequeue(7), queues.resolve("vm", "q")):
        assert isinstance(answer, Refusal)
        assert answer.status is Status.NOT_FOUND


def test_metric_numbers_tell_their_type() -> None:
    ids = MetricIds(Metrics())
    assert [ids.define(type, "m") for type in MetricType for _ in range(2)] == [4, 8, 5, 9, 6, 10]


def test_the_same_name_is_the_same_statistic() -> None:
    metrics = Metrics()
    one, two = MetricIds(metrics), MetricIds(metrics)
    one.increment(one.define(MetricType.COUNTER, "m"), 2)
    assert two.get(two.define(MetricType.COUNTER, "m")) == 2


@pytest.mark.parametrize("delta", [0, -1])
def test_a_counter_only_grows(delta: int) -> None:
    ids = MetricIds(Metrics())
    with pytest.raises(Refusal, match="counter"):
        ids.increment(ids.define(MetricType.COUNTER, "m"), delta)


def test_a_gauge_goes_both_ways_and_a_histogram_collects() -> None:
    metrics = Metrics()
    ids = MetricIds(metrics)
    gauge, histogram = ids.define(MetricType.GAUGE, "g"), ids.define(MetricType.HISTOGRAM, "h")
    ids.record(gauge, 10)
    ids.increment(gauge, -3)
    ids.record(histogram, 5)
    assert ids.get(gauge) == 7
    assert metrics.by_name[MetricType.HISTOGRAM, "h"].samples == [5]
    with pytest.raises(Refusal, match="histogram"):
        ids.get(histogram)


def _nothing() -> None:
    """A job."""


def test_what_is_due_at_once_happens_in_the_order_asked() -> None:
    clock = Clock()
    jobs = [lambda: _nothing() for _ in range(3)]
    late = clock.after(5, jobs[2])
    clock.after(0, jobs[0])
    clock.after(0, jobs[1])
    assert [clock.next(), clock.next(), clock.now] == [jobs[0], jobs[1], 0]
    assert (clock.next(), clock.now, late.job) == (jobs[2], 5, None)
    assert clock.next() is None


def test_a_cancelled_timer_does_not_happen_and_does_not_pile_up() -> None:
    clock = Clock()
    for _ in range(10_000):
        clock.after(10**12, _nothing).cancel()
    assert clock.next() is None
    assert clock.busy == 0
    assert len(clock._due) < 200


def test_an_idle_timer_does_not_keep_a_run_alive() -> None:
    clock = Clock()
    clock.after(1, _nothing, idle=True)
    assert clock.busy == 0


def test_reading_the_clock_moves_it() -> None:
    clock = Clock(100)
    assert clock.read() == 100 + READ_COST
    assert clock.monotonic() == 2 * READ_COST
