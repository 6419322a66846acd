"""Timers, shared data, queues, metrics, logs and clocks of one and of several plugins are as in the running Envoy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chains import GET, OK, alike, answered_after
from scripted import (
    ANSWER,
    CONFIGURE,
    LOG,
    OUT,
    QUEUE_READY,
    REQUEST,
    REQUEST_BODY,
    TICK,
    Call,
    Long,
    Read,
    scripted,
)

from simwasm.abi.enums import LogLevel
from simwasm.engines import find
from simwasm.exchange import Chunk, Exchange, Message, request
from simwasm.host.outcome import LogLine
from simwasm.host.profile import ENVOY
from simwasm.parity.client import fetch
from simwasm.parity.envoy import Envoy
from simwasm.parity.log import Record, plugin_logs
from simwasm.parity.upstream import Upstream
from simwasm.plugin import Plugin
from simwasm.session import Session

pytestmark = pytest.mark.usefixtures("envoy_binary")

MS = 1_000_000


def tick_every(ms: int) -> Call:
    return "proxy_set_tick_period_milliseconds", ms


def seen(place: int) -> Call:
    """Show what the host wrote: as an argument of a call that changes nothing."""
    return "proxy_grpc_cancel", Read(place)


def share(key: str, value: str, cas: int | Read = 0) -> Call:
    return "proxy_set_shared_data", key, value, cas


def shared(key: str) -> list[Call]:
    """Look, and show value and number."""
    return [
        ("proxy_get_shared_data", key, OUT, OUT, OUT),
        seen(3),
        seen(4),
        ("proxy_log", 2, Read(2), Read(3)),
    ]


# Ticks. A period is long enough beside what a busy machine adds to it.


@pytest.mark.envoy(167)
def test_a_tick_that_a_stream_asks_for_is_the_roots_until_it_is_stopped() -> None:
    wasm = scripted({REQUEST: [tick_every(100)], TICK: [], LOG: [tick_every(0)]})
    alike(Plugin("a", wasm), sent=(answered_after(250), answered_after(150)))


@pytest.mark.envoy(167)
def test_another_period_takes_the_place_of_the_one_before() -> None:
    wasm = scripted(
        {REQUEST: [tick_every(5000), tick_every(100)], TICK: [tick_every(70)], LOG: [tick_every(0)]}
    )
    alike(Plugin("a", wasm), sent=(answered_after(270),))


@pytest.mark.envoy(167)
def test_the_same_period_again_starts_the_timer_again() -> None:
    body = Message(GET.headers, (Chunk(b"a", 0), Chunk(b"b", 150 * MS)))
    wasm = scripted(
        {REQUEST: [tick_every(200)], REQUEST_BODY: [tick_every(200)], TICK: [], LOG: [tick_every(0)]}
    )
    alike(Plugin("a", wasm), sent=(answered_after(280, _post(body)),))


def _post(message: Message) -> Message:
    return message._replace(headers=request("POST", "/", body=b"ab").headers)


@pytest.mark.envoy(168)
def test_the_next_tick_is_counted_from_the_end_of_the_one_before() -> None:
    clock = '(import "env" "proxy_get_current_time_nanoseconds" (func $now (param i32) (result i32)))'
    busy = """(func $time (result i64) (drop (call $now (i32.const 5000))) (i64.load (i32.const 5000)))
      (func (export "proxy_on_tick") (param i32) (local $until i64)
        (local.set $until (i64.add (call $time) (i64.const 80000000)))
        (loop $again (br_if $again (i64.lt_u (call $time) (local.get $until)))))"""
    wasm = scripted({REQUEST: [tick_every(100)], LOG: [tick_every(0)]}, None, busy, imports=clock)
    alike(Plugin("a", wasm), sent=(answered_after(320),))


@pytest.mark.envoy(2, 167)
def test_each_plugin_of_a_vm_has_a_timer_of_its_own() -> None:
    wasm = scripted({REQUEST: [tick_every(100)], TICK: [], LOG: [tick_every(0)]})
    alike(Plugin("a", wasm), Plugin("b", wasm), sent=(answered_after(150),))


# Shared data and queues.


@pytest.mark.envoy(170, 171, 172)
def test_shared_data_is_written_by_its_number_and_numbered_anew() -> None:
    calls = [
        *shared("k"), share("k", "first", 7), *shared("k"), share("k", "wrong number", 77), *shared("k"),
        share("k", "right number", Read(4)), *shared("k"), share("k", "any number"), share("other", "", 0),
        *shared("k"), *shared("other"), share("", "no key"), *shared(""),
    ]  # fmt: skip
    alike(Plugin("a", scripted({REQUEST: calls}), vm_id="vm"), sent=(GET, GET))


@pytest.mark.envoy(3, 170)
@pytest.mark.parametrize("vm_id", ["vm", "another"])
def test_shared_data_is_shared_by_all_vms_of_a_vm_id(vm_id: str) -> None:
    writer = scripted({REQUEST: [share("k", "from the first")], LOG: shared("k")})
    reader = scripted({REQUEST: shared("k"), ANSWER: [share("k", "from the second")]})
    alike(Plugin("a", writer, vm_id="vm"), Plugin("b", reader, vm_id=vm_id))


@pytest.mark.envoy(174, 175, 176)
def test_a_queues_notices_go_to_the_vm_that_registered_it() -> None:
    work: list[Call] = [
        ("proxy_dequeue_shared_queue", 1, OUT, OUT), ("proxy_log", 2, Read(2), Read(3)),
        ("proxy_dequeue_shared_queue", 1, OUT, OUT),
    ]  # fmt: skip
    consumer = scripted({CONFIGURE: [("proxy_register_shared_queue", "work", OUT)], QUEUE_READY: work})
    produce: list[Call] = [
        ("proxy_resolve_shared_queue", "", "work", OUT), ("proxy_resolve_shared_queue", "far", "work", OUT),
        ("proxy_enqueue_shared_queue", Read(4), "item"), ("proxy_enqueue_shared_queue", 9, "lost"),
        ("proxy_resolve_shared_queue", "far", "play", OUT), ("proxy_dequeue_shared_queue", 9, OUT, OUT),
    ]  # fmt: skip
    producer = scripted({REQUEST: produce, ANSWER: [], QUEUE_READY: []})
    alike(
        Plugin("consumer", consumer, vm_id="far"),
        Plugin("producer", producer, vm_id="near"),
        sent=(answered_after(50), answered_after(50)),
    )


@pytest.mark.envoy(174, 175)
def test_a_queue_is_the_same_when_it_is_registered_again_and_its_notices_move() -> None:
    take: list[Call] = [("proxy_dequeue_shared_queue", 1, OUT, OUT), ("proxy_log", 2, Read(2), Read(3))]
    register: Call = ("proxy_register_shared_queue", "work", OUT)
    first = scripted(
        {CONFIGURE: [register], QUEUE_READY: take, ANSWER: [("proxy_enqueue_shared_queue", 1, "two")]}
    )
    second = scripted({
        REQUEST: [("proxy_enqueue_shared_queue", 1, "one"), register, seen(2)], QUEUE_READY: take,
    })  # fmt: skip
    alike(Plugin("a", first, vm_id="v"), Plugin("b", second, vm_id="v"), sent=(answered_after(50), GET))


@pytest.mark.envoy(2, 174, 175)
def test_in_a_shared_vm_the_root_that_registered_a_queue_is_told() -> None:
    """Both register in configure; the second one was the last. A stream of the first then takes the notices over."""
    register: Call = ("proxy_register_shared_queue", "work", OUT)
    fill: Call = ("proxy_enqueue_shared_queue", Read(2), "item")
    wasm = scripted({CONFIGURE: [register], ANSWER: [register, fill], LOG: [fill], QUEUE_READY: []})
    alike(Plugin("a", wasm), Plugin("b", wasm), sent=(GET, GET))


@pytest.mark.envoy(175)
def test_each_item_is_a_notice_of_its_own() -> None:
    fill: Call = ("proxy_enqueue_shared_queue", 1, "item")
    wasm = scripted({REQUEST: [("proxy_register_shared_queue", "q", OUT), fill, fill, fill], QUEUE_READY: []})
    alike(Plugin("a", wasm), sent=(answered_after(50),))


# Metrics, under the names that Envoy's statistics have.

COUNTER, GAUGE, HISTOGRAM = 0, 1, 2


def define(kind: int, name: str) -> Call:
    return "proxy_define_metric", kind, name, OUT


def increment(id: int | Read, by: int) -> Call:
    return "proxy_increment_metric", id, Long(by)


def record(id: int, value: int) -> Call:
    return "proxy_record_metric", id, Long(value)


def value(id: int | Read) -> list[Call]:
    return [("proxy_get_metric", id, OUT), seen(1)]


@pytest.mark.envoy(177, 178, 179, 180, 181)
def test_metrics_are_counted_where_envoy_counts_them() -> None:
    calls = [
        define(COUNTER, "c"), seen(3), define(GAUGE, "g"), seen(3), define(HISTOGRAM, "h"), seen(3),
        define(COUNTER, "d"), seen(3), define(GAUGE, "f"), seen(3), define(HISTOGRAM, "i"), seen(3), define(3, "x"),
        define(COUNTER, "c"), seen(3), define(COUNTER, ""), define(GAUGE, "c"), seen(3),
        *(increment(id, by) for id in (4, 5, 6, 12, 13, 96, 97, 98, 99) for by in (3, 0, -2)),
        *(record(id, number) for id in (4, 5, 6, 12, 13, 96, 97, 98, 99) for number in (7, 0)),
        *(call for id in (4, 5, 6, 8, 9, 10, 12, 13, 96, 97, 98, 99) for call in value(id)),
        record(5, -1), *value(5), increment(5, 2), *value(5), increment(8, 1 << 40), *value(8),
    ]  # fmt: skip
    alike(Plugin("a", scripted({REQUEST: calls})), sent=(GET, GET))


@pytest.mark.envoy(177, 178, 179)
def test_a_metric_of_the_same_name_is_the_same_statistic_in_every_vm() -> None:
    count = [
        define(COUNTER, "other"),
        define(COUNTER, "requests.all"),
        increment(Read(3), 1),
        *value(Read(3)),
    ]
    ours = Plugin("a", scripted({REQUEST: count}), vm_id="v")
    alike(ours, replace(ours, name="b"), replace(ours, name="c", vm_id="w"), sent=(GET, GET))


# Logs.


@pytest.mark.envoy(182)
@pytest.mark.parametrize("ids", [("", ""), ("root", ""), ("", "vm"), ("root", "vm")], ids=str)
def test_log_lines_say_who_wrote_them(ids: tuple[str, str]) -> None:
    words: list[Call] = [("proxy_log", level, f"level {level}") for level in range(-1, 8)]
    root_id, vm_id = ids
    texts: list[Call] = [("proxy_log", 2, ""), ("proxy_log", 2, "two\nlines"), ("proxy_log", 2, -5, 3)]
    wasm = scripted({CONFIGURE: words, REQUEST: [*words, *texts], LOG: words})
    alike(Plugin("a name", wasm, root_id=root_id, vm_id=vm_id))


@pytest.mark.envoy(182, 183)
@pytest.mark.parametrize("level", list(LogLevel), ids=lambda level: level.name)
def test_what_is_logged_and_what_a_plugin_is_told_depends_on_the_level(level: LogLevel) -> None:
    """The plugin logs the byte where the host wrote the level."""
    words: list[Call] = [("proxy_log", each, f"level {each}") for each in range(6)]
    wasm = scripted({REQUEST: [*words, ("proxy_get_log_level", OUT), ("proxy_log", 5, 2000, 1)]})
    plugin = Plugin("a", wasm)
    with (
        Upstream.start() as upstream,
        Envoy.start(plugin, upstream=upstream.address, wasm_log_level=_ENVOYS[level]) as envoy,
    ):
        fetch(envoy.port, GET)
        envoy.settle()
        theirs = [(line.level, line.text) for line in envoy.plugin_logs()]
    lines: list[LogLine] = []
    profile = replace(ENVOY, log_level=level)
    with Session([plugin], engine=find.engine(), on_log=lines.append, profile=profile) as session:
        list(session.replay([Exchange("1", 0, GET, OK)]))
    records = [Record(0, _ENVOYS[line.level], "wasm", line.text) for line in lines]
    assert [(line.level, line.text) for line in plugin_logs(records)] == theirs


_ENVOYS = {level: level.name.lower() for level in LogLevel} | {LogLevel.WARN: "warning"}


@pytest.mark.envoy(184)
def test_what_is_written_to_stdout_and_stderr_is_logged() -> None:
    text = '(data (i32.const 4000) "one\\0atwo\\0a\\0a")'
    vectors = '(data (i32.const 4100) "\\a0\\0f\\00\\00\\04\\00\\00\\00\\a4\\0f\\00\\00\\05\\00\\00\\00")'
    calls: list[Call] = [("fd_write", fd, 4100, count, OUT) for fd in (0, 1, 2, 3) for count in (0, 1, 2)]
    alike(Plugin("a", scripted({CONFIGURE: calls, REQUEST: calls}, None, text, vectors)))


@pytest.mark.envoy(185)
def test_the_hosts_clock_and_the_real_time_clock_of_wasi_are_the_same() -> None:
    """The plugin subtracts one from the other, in seconds; the monotonic clock only goes on."""
    imports = """
      (import "env" "proxy_get_current_time_nanoseconds" (func $now (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
      (import "env" "proxy_grpc_cancel" (func $show (param i32) (result i32)))"""
    begin = """(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $now (i32.const 5000)))
      (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 5008)))
      (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 5016)))
      (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 5024)))
      (drop (call $clock (i32.const 2) (i64.const 0) (i32.const 5032)))
      (drop (call $show (i32.wrap_i64 (i64.div_s
        (i64.sub (i64.load (i32.const 5008)) (i64.load (i32.const 5000))) (i64.const 1000000000)))))
      (drop (call $show (i64.lt_u (i64.load (i32.const 5024)) (i64.load (i32.const 5016)))))
      (i32.const 0))"""
    alike(Plugin("a", scripted({LOG: []}, None, begin, imports=imports)))
