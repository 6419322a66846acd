"""Each kind of difference between two plugins is found, and what is none is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from acting import Step, acting

from simwasm.answers import Clusters
from simwasm.comparing.aspects import DEFAULT, Aspect
from simwasm.comparing.difference import Difference
from simwasm.comparing.part import Comparison, Part
from simwasm.engines.find import engine as find_engine
from simwasm.exchange import Chunk, Exchange, request, response
from simwasm.goldens.redactions import redactions
from simwasm.plugin import Plugin
from simwasm.replay.job import Job

STARTED = 1_700_000_000 * 10**9
EXCHANGE = Exchange(
    "1",
    STARTED,
    request("POST", "/a", headers=[("one", "1")], body=[b"asked"], trailers=[("t", "1")]),
    response(
        200,
        headers=[("two", "2"), ("date", "Tue, 14 Nov 2023 22:13:20 GMT")],
        body=[b"answered"],
        trailers=[("u", "1")],
    ),
)
SAME = acting()
REQUEST, RESPONSE = 0, 2
BODY = 1


def job(*plugins: Plugin) -> Job:
    answers: Any = {"auth": lambda request: response(200, after_ns=5_000_000)}
    return Job(plugins, Clusters(answers), find_engine(None).name, now_ns=STARTED)


def found(
    old: Plugin | tuple[Plugin, ...], new: Plugin | tuple[Plugin, ...], wanted: frozenset[Aspect] = DEFAULT,
    ignored: tuple[str, ...] = (), exchanges: tuple[Exchange, ...] = (EXCHANGE,),
) -> list[Difference]:  # fmt: skip
    jobs = (job(*each) if isinstance(each, tuple) else job(each) for each in (old, new))
    hidden = redactions(ignored)[len(redactions()) :]
    part = Part(Comparison(next(jobs), next(jobs), wanted, hidden))
    try:
        first, both = part.lockstep.start()
        steps = [first]
        if both:
            steps += [*part.lockstep.play(enumerate(exchanges, 1)), part.lockstep.end()]
        return [each for step in steps for each in step.differences.all]
    finally:
        part.close()


LOG: Step = ("proxy_log", (2, "hello"))
ADD_TO_REQUEST: Step = ("proxy_add_header_map_value", (REQUEST, "x", "1"))
ADD_TO_RESPONSE: Step = ("proxy_add_header_map_value", (RESPONSE, "x", "1"))


def refuse(status: int, why: str, body: str) -> Step:
    return "proxy_send_local_response", (status, why, body, 0, 0, -1)


REFUSE = refuse(403, "why", "no")
SHARE: Step = ("proxy_set_shared_data", ("key", "value", 0))
COUNT: Step = ("proxy_define_metric", (0, "counted", 64))
INCREMENT: Step = ("proxy_increment_metric", (4, 1))
ASKED = ((b":method", b"GET"), (b":path", b"/"), (b":authority", b"auth"))
SIZES = b"".join(len(part).to_bytes(4, "little") for pair in ASKED for part in pair)
HEADERS = len(ASKED).to_bytes(4, "little") + SIZES + b"".join(part + b"\0" for pair in ASKED for part in pair)
CALL: Step = ("proxy_http_call", ("auth", HEADERS, "", 0, 0, 1000, 64))
BODIES = "proxy_on_response_body"
CASES = {
    "status": (acting(REFUSE), {Aspect.RESPONSE, Aspect.UPSTREAM, Aspect.REPLY}),
    "response header": (acting(ADD_TO_RESPONSE, on="proxy_on_response_headers"), {Aspect.RESPONSE}),
    "response body": (
        acting(("proxy_set_buffer_bytes", (BODY, 0, 100, "other")), on=BODIES),
        {Aspect.RESPONSE},
    ),
    "response trailer": (
        acting(("proxy_add_header_map_value", (3, "x", "1")), on="proxy_on_response_trailers"),
        {Aspect.RESPONSE},
    ),
    "upstream header": (acting(ADD_TO_REQUEST), {Aspect.UPSTREAM}),
    "upstream body": (
        acting(("proxy_set_buffer_bytes", (0, 0, 100, "other")), on="proxy_on_request_body"),
        {Aspect.UPSTREAM},
    ),
    "upstream trailer": (
        acting(("proxy_add_header_map_value", (1, "x", "1")), on="proxy_on_request_trailers"),
        {Aspect.UPSTREAM},
    ),
    "pause": (acting(returns=1, on=BODIES), {Aspect.ACTION}),
    "pause for ever": (acting(returns=1, on="proxy_on_request_trailers"), {Aspect.ACTION, Aspect.RESPONSE}),
    "log": (acting(LOG), {Aspect.LOGS}),
    "log at the end": (acting(LOG, on="proxy_on_log"), {Aspect.LOGS}),
    "log at the start": (acting(LOG, on="proxy_on_vm_start", returns=1), {Aspect.LOGS}),
    "trap": (acting(("trap", ())), {Aspect.TRAP, Aspect.RESPONSE}),
    "trap where nobody sees it": (acting(("trap", ()), on="proxy_on_log"), {Aspect.TRAP}),
    "shared data": (acting(SHARE), {Aspect.SHARED}),
    "queue": (acting(("proxy_register_shared_queue", ("jobs", 64))), {Aspect.SHARED}),
    "metric": (acting(COUNT), {Aspect.METRIC}),
    "property": (acting(("proxy_set_property", ("mine", "1"))), {Aspect.PROPERTY}),
    "timer": (acting(("proxy_set_tick_period_milliseconds", (1000,))), {Aspect.OTHER}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_difference_of_this_kind_is_found(name: str) -> None:
    new, aspects = CASES[name]
    assert {each.aspect for each in found(SAME, new)} >= aspects


@pytest.mark.parametrize("name", CASES)
def test_a_difference_of_this_kind_is_found_the_other_way_round(name: str) -> None:
    old, aspects = CASES[name]
    assert {each.aspect for each in found(old, SAME)} >= aspects


@pytest.mark.parametrize("name", CASES)
def test_a_plugin_does_not_differ_from_itself(name: str) -> None:
    plugin, _ = CASES[name]
    assert found(plugin, plugin, wanted=frozenset(Aspect), exchanges=(EXCHANGE,) * 3) == []


@pytest.mark.parametrize(
    ("old", "new", "aspect", "text"),
    [
        (REFUSE, refuse(401, "why", "no"), Aspect.RESPONSE, "status 403 → 401"),
        (REFUSE, refuse(403, "else", "no"), Aspect.REPLY, "details"),
        (REFUSE, refuse(403, "why", "nope"), Aspect.RESPONSE, 'response body: "no" -> "nope"'),
        (ADD_TO_REQUEST, ("proxy_add_header_map_value", (REQUEST, "x", "2")), Aspect.UPSTREAM, 'header x: "1" → "2"'),
        (LOG, ("proxy_log", (2, "HELLO")), Aspect.LOGS, '"hello" -> "HELLO"'),
        (LOG, ("proxy_log", (3, "hello")), Aspect.LOGS, "WARN"),
        (SHARE, ("proxy_set_shared_data", ("key", "VALUE", 0)), Aspect.SHARED, '"value" -> "VALUE"'),
        (CALL, ("proxy_http_call", (*CALL[1][:5], 999, 64)), Aspect.CALLOUT, "timeout_ms: 1000 -> 999"),
    ],
)  # fmt: skip
def test_the_same_call_otherwise_is_told_in_words(old: Step, new: Step, aspect: Aspect, text: str) -> None:
    told = [each for each in found(acting(old), acting(new)) if each.aspect is aspect]
    assert text in " | ".join(each.text for each in told)


def test_a_callout_is_compared_and_what_it_takes_moves_nothing_else() -> None:
    """The second exchange begins late on one side; neither sees that."""
    told = found(SAME, acting(CALL), exchanges=(EXCHANGE, EXCHANGE, EXCHANGE))
    assert {each.aspect for each in told} == {Aspect.CALLOUT}
    assert len(told) == 3


def test_metrics_are_told_apart_by_name_not_by_number() -> None:
    other: Step = ("proxy_define_metric", (0, "other", 64))
    old = acting(COUNT, other, ("proxy_increment_metric", (4, 1)))
    new = acting(other, COUNT, ("proxy_increment_metric", (8, 1)))
    assert found(old, new) == []
    wrong = acting(COUNT, other, ("proxy_increment_metric", (8, 1)))
    assert [each.text for each in found(old, wrong)] == [
        'only before: proxy_increment_metric(metric_id: "COUNTER counted", delta: 1) = OK',
        'only now: proxy_increment_metric(metric_id: "COUNTER other", delta: 1) = OK',
    ]


def test_the_same_number_of_another_metric_is_seen() -> None:
    """The calls of the exchange are the same to the last bit; what was defined before them is not."""
    other: Step = ("proxy_define_metric", (0, "other", 64))
    increment = {"proxy_on_request_headers": [INCREMENT]}
    old = acting(COUNT, other, on="proxy_on_vm_start", returns=1, also=increment)
    new = acting(other, COUNT, on="proxy_on_vm_start", returns=1, also=increment)
    assert [each.text for each in found(old, new)] == [
        'proxy_increment_metric, metric_id: "COUNTER counted" -> "COUNTER other"'
    ]


def test_numbers_that_the_host_gives_make_no_difference() -> None:
    more = ("proxy_define_metric", (0, "more", 64))
    told = found(acting(COUNT), acting(more, COUNT))
    assert [each.text for each in told] == [
        'only now: proxy_define_metric(metric_type: COUNTER, name: "more") = OK metric_id: "COUNTER more"'
    ]
    stream: Step = ("proxy_grpc_stream", ("auth", "S", "M", 0, 0, 64))
    told = found(acting(stream), acting(CALL, stream))
    assert [each.kind for each in told] == ["proxy_http_call only now"]


def test_reading_makes_a_difference_only_for_those_who_ask() -> None:
    reads = acting(("proxy_get_header_map_value", (REQUEST, "one", 64, 68)))
    assert found(SAME, reads) == []
    (told,) = found(SAME, reads, frozenset(Aspect))
    assert told.aspect is Aspect.CALLS


def test_only_what_is_wanted_is_told() -> None:
    assert found(SAME, acting(REFUSE), frozenset({Aspect.LOGS})) == []


def test_what_is_ignored_makes_no_difference() -> None:
    assert found(SAME, acting(ADD_TO_REQUEST), ignored=("header:x",)) != []
    old, new = (acting(("proxy_add_header_map_value", (REQUEST, "x", value))) for value in ("1", "2"))
    assert found(old, new, ignored=("header:x",)) == []
    assert found(acting(LOG), acting(("proxy_log", (2, "hallo"))), ignored=("text:h.llo",)) == []


def test_random_draws_of_one_side_move_nothing_of_the_other() -> None:
    draws = acting(("random_get", (64, 8)))
    assert found(SAME, draws, exchanges=(EXCHANGE, EXCHANGE)) == []


def test_the_name_in_the_log_makes_no_difference() -> None:
    for name in ("another", "ns:another", "a: b", "two\nlines"):
        assert found(acting(LOG), replace(acting(LOG), name=name)) == []


@pytest.mark.parametrize(
    "line", ["{} Function: x failed: y", "Function: x failed: y\n{}", "wasm log {}: done"]
)
def test_what_a_plugin_writes_counts_even_if_it_looks_as_if_the_host_wrote_it(line: str) -> None:
    old, new = (acting(("proxy_log", (2, line.format(who)))) for who in ("alice", "bob"))
    assert {each.aspect for each in found(old, new)} == {Aspect.LOGS}


def test_a_longer_chain_that_does_the_same_is_the_same() -> None:
    assert found((acting(LOG),), (SAME, acting(LOG))) == []


def test_the_order_of_headers_counts() -> None:
    two: Step = ("proxy_add_header_map_value", (REQUEST, "y", "1"))
    assert [each.text for each in found(acting(ADD_TO_REQUEST, two), acting(two, ADD_TO_REQUEST))] == [
        "upstream's request headers: the order is another"
    ]


def test_a_date_that_a_plugin_changes_is_seen() -> None:
    changed = acting(
        ("proxy_replace_header_map_value", (RESPONSE, "date", "Wed, 15 Nov 2023 22:13:20 GMT")),
        on="proxy_on_response_headers",
    )
    assert {each.aspect for each in found(SAME, changed)} == {Aspect.RESPONSE}


def test_one_that_does_not_start_is_a_difference() -> None:
    broken = acting(("trap", ()), on="proxy_on_vm_start")
    (told,) = found(SAME, broken)
    assert told.text.startswith("the new one does not start, the old one does: ")
    (told,) = found(broken, SAME)
    assert told.text.startswith("the old one does not start, the new one does: ")


def test_what_differs_in_the_end_is_told() -> None:
    told = found(SAME, acting(LOG, on="proxy_on_done", returns=1))
    assert [each.aspect for each in told] == [Aspect.LOGS] * len(told)
    assert len(told) == 2  # the stream's end and the plugin's


def test_bodies_in_other_pieces_are_the_same() -> None:
    pieces = replace(EXCHANGE, request=EXCHANGE.request._replace(body=(Chunk(b"a"), Chunk(b"b"))))
    assert found(SAME, SAME, exchanges=(pieces,)) == []
