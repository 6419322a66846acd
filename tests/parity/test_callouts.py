"""HTTP callouts are what they are in the running Envoy: what is refused, what is sent, each way to answer or to fail.

Missing is what a plugin could not tell: that a stream's end leaves its callouts alone while the root lives is told by
"a stream that is gone"; that the root's end cancels them by `test_the_end_of_the_root_cancels_callouts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

import pytest
from hostcalls import ASK, BECOME, MS, PAUSE_REQUEST, add, ask, every, get, read, reply, resume, say, told
from live import Live, report
from switchboard import (
    CALL_RESPONSE,
    CONFIGURE,
    DELETE,
    DONE,
    LOG,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    TICK,
    VM_START,
    Call,
    Case,
    Out,
    Read,
    nth,
    pairs,
    switchboard,
)

from simwasm.abi.table import ALLOCATORS, Side
from simwasm.engines import find
from simwasm.exchange import Chunk, Message, response
from simwasm.host.ports import Answer, Failure
from simwasm.parity.account import Scenario, Script, nobody_listens, nobody_there
from simwasm.parity.bootstrap import Cluster
from simwasm.parity.client import fetch
from simwasm.parity.compare import verify
from simwasm.parity.envoy import Envoy
from simwasm.parity.log import Direction
from simwasm.parity.upstream import Failure as Silence
from simwasm.parity.upstream import Upstream
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event

STATUS: tuple[Call, ...] = (
    ("proxy_get_status", Out(90), Out(91), Out(92)),
    ("proxy_log", 2, 2000 + 4 * 90, 4),
    ("proxy_log", 2, Read(91), Read(92)),
)
"""Ask how the last callout ended, and log the code and the text."""
NUMBER: Call = ("proxy_log", 2, 2000 + 4 * 6, 4)
"""Log the number of the call that `ask` made last."""
SHOW = [
    *STATUS, every(6), *told(read(4), get(6, ":status"), get(6, "set-cookie"), get(6, "content-length"), every(7)),
    BECOME, resume(0),
]  # fmt: skip
POST = pairs((":method", "POST"), *ASK[1:])


def trailed(body: str = "", timeout: int = 500) -> Call:
    trailers = pairs(("X-T", "1"), ("x-u", "2"))
    return "proxy_http_call", "auth", POST, body, trailers, timeout, Out(6)


def answered(name: str, call: Call, items: tuple[int, ...], shown: list[Call] = SHOW) -> Case:
    return Case(name, {REQUEST_HEADERS: [call, NUMBER], CALL_RESPONSE: shown}, PAUSE_REQUEST, items=items)


def auth(asked: Message) -> Answer:
    return response(200, headers=[("x-auth", "1"), ("Set-Cookie", "a"), ("set-cookie", "b")], body=b"fine")


def slow(asked: Message) -> Answer:
    return response(200, headers=[("x-slow", "1")], body=b"slow", after_ns=150 * MS)


def cut(asked: Message) -> Answer:
    return Failure("connection termination", begun=response(200, body=[b"par"]))


def reset(asked: Message) -> Answer:
    return Failure("connection termination")


def silent(asked: Message) -> Answer:
    return Failure("timeout", 3600_000 * MS)


def drips(asked: Message) -> Answer:
    return Message(response(200).headers, (Chunk(b"a"), Chunk(b"b", 300 * MS)))


def pieces(asked: Message) -> Answer:
    return response(200, body=[b"one", b"two"], trailers=[("x-end", "1"), ("x-end", "2")])


def large(asked: Message) -> Answer:
    return response(200, body=b"x" * 700_000)


def bare(asked: Message) -> Answer:
    return response(204)


def teapot(asked: Message) -> Answer:
    return response(418, headers=[("content-length", "0")])


CLUSTERS: Mapping[str, Script] = {
    "auth": auth, "slow": slow, "cut": cut, "reset": reset, "silent": silent, "drips": drips, "pieces": pieces,
    "large": large, "bare": bare, "teapot": teapot, "closed": nobody_listens, "empty": nobody_there,
}  # fmt: skip

CALLOUTS = Live(
    answered("an answer", ask(body="hello"), (144, 147, 149, 150, 153)),
    answered("an answer in pieces, with trailers", ask("pieces"), (150,)),
    answered("an answer without a body", ask("bare"), (150,)),
    answered("an answer that is an error", ask("teapot"), (150,)),
    answered("a large answer", ask("large"), (150,), [*STATUS, BECOME, resume(0)]),
    answered("an answer to HEAD", ask(headers=pairs((":method", "HEAD"), *ASK[1:])), (150,)),
    answered("a body by POST without a timeout", ask(headers=POST, body="body", timeout=0), (149,)),
    answered("no body by POST", ask(headers=POST), (149,)),
    answered("a content-length that is wrong", ask(headers=pairs(
        (":method", "POST"), *ASK[1:], ("content-length", "99"), ("X-Two", "1"), ("x-two", "2"), ("accept", "a"),
        ("Accept", "b")), body="body"), (149,)),
    answered("trailers without a body", trailed(), (149,)),
    answered("a body and trailers", trailed("body"), (149,)),
    answered("headers that the router writes", ask(headers=pairs(
        ("host", "b"), *ASK[:2], ("x-envoy-internal", "no"), ("x-envoy-expected-rq-timeout-ms", "1"),
        ("user-agent", "me"), ("x-forwarded-for", "1.2.3.4"))), (149, 145)),
    answered("a connection cut in the middle of an answer", ask("cut"), (151,)),
    Case("the status afterwards", {REQUEST_HEADERS: [*STATUS]}, items=(151,)),
    answered("an answer after one that was lost", ask(), (150,)),
    answered("a connection reset before the answer", ask("reset"), (151,)),
    answered("a closed port", ask("closed"), (151,)),
    answered("nobody answers in time", ask("silent", timeout=50), (152,)),
    answered("an answer that begins and is not whole in time", ask("drips", timeout=100), (152,)),
    Case("refused", {
        REQUEST_HEADERS: [
            ask(), NUMBER, ask(headers=pairs(ASK[0])), NUMBER, ask(headers=pairs(*ASK[:2])), ask(headers=b""),
            ask(headers=pairs(*ASK[1:])), ask("nope"), ask(""), ask(timeout=-1), ask(timeout=-2**31),
            ask("slow", headers=pairs((":method", ""), (":path", ""), (":authority", ""))), NUMBER,
        ],
        nth(CALL_RESPONSE, 2): [BECOME, resume(0)],
    }, PAUSE_REQUEST, items=(145, 148)),
    Case("refused at once, without a host", {
        REQUEST_HEADERS: [ask("empty"), NUMBER, ask(), NUMBER], CALL_RESPONSE: SHOW,
    }, PAUSE_REQUEST, items=(146, 147, 148, 155)),
    Case("two, answered in the other order", {
        REQUEST_HEADERS: [ask("slow"), NUMBER, ask("auth"), NUMBER],
        CALL_RESPONSE: [*STATUS, every(6), *told(read(4))], nth(CALL_RESPONSE, 2): [BECOME, resume(0)],
    }, PAUSE_REQUEST, items=(147, 150)),
    Case("one after the other, asked for in the answer", {
        REQUEST_HEADERS: [ask("auth"), NUMBER], CALL_RESPONSE: SHOW[:-2],
        nth(CALL_RESPONSE, 1): [ask("pieces"), NUMBER], nth(CALL_RESPONSE, 2): [BECOME, ask("bare")],
        nth(CALL_RESPONSE, 3): [BECOME, resume(0)],
    }, PAUSE_REQUEST, items=(144, 155)),
    Case("a stream that is gone", {
        REQUEST_HEADERS: [ask("slow"), reply(401, "no")], CALL_RESPONSE: [every(6), BECOME, *told(every(0)),
        resume(0)],
    }, PAUSE_REQUEST, items=(154, 156)),
    Case("in the log callback", {LOG: [ask(), NUMBER], CALL_RESPONSE: [every(6), BECOME]}, items=(144, 154)),
    Case("in response headers", {
        RESPONSE_HEADERS: [ask("slow")], CALL_RESPONSE: [BECOME, add(2, "x-called", "1"), every(6), resume(1)],
    }, {RESPONSE_HEADERS: 1}, items=(153,)),
    Case("the answer outside its callback", {
        REQUEST_HEADERS: [*told(every(6), every(7)), get(6, ":status"), read(4), add(6, "x", "y")],
    }, items=(153,)),
    Case("for a reply", {
        REQUEST_HEADERS: [ask()], CALL_RESPONSE: [reply(401, "root"), BECOME, reply(402, "stream"), say("done")],
    }, PAUSE_REQUEST, items=(153,)),
    clusters=CLUSTERS,
)  # fmt: skip


@CALLOUTS.each
def test_a_callout(name: str) -> None:
    CALLOUTS.check(name)


EVERY_MS: Call = ("proxy_set_tick_period_milliseconds", 1)
NEVER: Call = ("proxy_set_tick_period_milliseconds", 0)


def started(*cases: Case) -> Scenario:
    plugin = Plugin("parity.switchboard", switchboard(cases), config=b"{}", root_id="root", vm_id="vm")
    exchanges = tuple(case.exchange(number) for number, case in enumerate(cases))
    return Scenario((plugin,), exchanges, {"slow": slow, "silent": silent})


@pytest.mark.envoy(144)
@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.parametrize("callback", [VM_START, CONFIGURE, TICK])
def test_a_callout_made_by_the_root_is_answered_to_the_root(callback: str) -> None:
    """What the cluster was asked differs, since Envoy's main thread and its canary have the plugin, too; and it is
    chance whether a tick comes before the first exchange, so that there only the answer is compared."""
    calls = {CONFIGURE: [EVERY_MS], callback: [NEVER, ask("slow"), NUMBER], CALL_RESPONSE: SHOW[:-2]}
    found = verify(started(Case("", calls)), find.engine())
    by_chance = ("callouts", "crossings") if callback == TICK else ("callouts",)
    report([difference for difference in found if difference.what not in by_chance])


@pytest.mark.envoy(156)
@pytest.mark.usefixtures("envoy_binary")
def test_the_end_of_the_root_cancels_callouts() -> None:
    case = Case("", {REQUEST_HEADERS: [ask("silent", timeout=0)], CALL_RESPONSE: [say("answered")]})
    found = started(case)
    with Upstream.start() as upstream, Upstream.start(Silence.SILENCE) as silence:
        clusters = {"silent": Cluster(silence.address)}
        with Envoy.start(*found.plugins, upstream=upstream.address, clusters=clusters) as envoy:
            fetch(envoy.port, found.exchanges[0].request)
    theirs = [
        crossing.function for crossing in envoy.crossings() if crossing.direction is Direction.TO_PLUGIN
    ]
    ours: list[str] = []
    with Session(
        found.plugins, engine=find.engine(), clusters=["silent"], ask_cluster=lambda callout: silent(callout.request),
        observers=[lambda event: ours.append(event.function.name) if is_callback(event) else None],
    ) as session:  # fmt: skip
        next(iter(session.replay(found.exchanges)))
    assert ours == [name for name in theirs if name not in ALLOCATORS]
    assert ours[-2:] == [DONE, DELETE]


def is_callback(event: Event) -> TypeGuard[Entered]:
    return (
        isinstance(event, Entered)
        and event.function.side is Side.PLUGIN
        and event.function.name not in ALLOCATORS
    )
