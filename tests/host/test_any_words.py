"""Whatever a plugin calls, wherever, with whatever words: a status or a clean trap comes back, the engines agree, and
the next exchange is served as if nothing had been."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marionette import DATA, Fall, Give, Pull, Step, functions, marionette, phases, places

from simwasm.abi.enums import Status
from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import Abi, Function
from simwasm.engines import find
from simwasm.errors import Trap
from simwasm.exchange import Exchange, Message, request, response
from simwasm.host.clock import SECOND
from simwasm.host.outcome import Outcome
from simwasm.host.ports import Answer, Callout, Failure
from simwasm.host.profile import Profile
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left
from simwasm.wasm.rewrite import Limits

ENGINES = ("wasmer", "wasmtime") if sys.version_info[:2] == (3, 10) else ("wasmtime",)
EXAMPLES = int(os.environ.get("SIMWASM_EXAMPLES", "15"))
PROFILE = Profile(idle_timeout_ns=SECOND)
BODY, TRAILERS = [b"abc", b"defg"], [("x-t", "1")]
POST = request("POST", "/a?b=c", headers=[("x-a", "1")], body=BODY, trailers=TRAILERS)
PAGE = response(200, headers=[("x-b", "2")], body=BODY, trailers=TRAILERS)
EXCHANGES = [Exchange("1", 0, POST, PAGE), Exchange("2", 4 * SECOND, POST, PAGE)]

_NEVER = ("metadata", "connection", "data", "close", "configuration", "dns", "update", "foreign_function")
"""Ends of callbacks that these exchanges do not lead to."""
_WILD = st.sampled_from([0, 1, 4, 65535, 262143, 262144, 1 << 31, (1 << 32) - 1])
_SMALL = st.integers(-2, 12)
_ADDRESS = st.one_of(st.sampled_from([at for at, _ in places()]), st.integers(0, DATA), _WILD)
_SIZE = st.one_of(st.sampled_from([size for _, size in places()]), _SMALL, _WILD)
_TEXT = st.sampled_from(places())
_NUMBER = st.one_of(_SMALL, _SMALL, st.integers(0, (1 << 64) - 1))


def words_of(param: Param) -> st.SearchStrategy[tuple[int, ...]]:
    """What may be given for a parameter: mostly something that makes sense, now and then anything."""
    if param.out:
        return st.tuples(*[st.one_of(st.integers(16, 900), _ADDRESS)] * len(param.words))
    if param.form in (Form.TEXT, Form.DATA, Form.PATH, Form.PAIRS):
        return st.one_of(_TEXT, _TEXT, st.tuples(_ADDRESS, _SIZE))
    return st.tuples(*[_NUMBER] * len(param.words))


def calls_of(row: Function) -> st.SearchStrategy[tuple[int, ...]]:
    """All the words of a call."""
    return st.tuples(*map(words_of, row.params)).map(
        lambda found: tuple(word for part in found for word in part)
    )


@lru_cache
def scripts(version: Abi) -> st.SearchStrategy[list[Step]]:
    """A few calls and results, anywhere."""
    names = st.sampled_from([row.name for row in phases(version) if not row.name.endswith(_NEVER)])
    known = [row for _, row in functions(version)]
    host = [row for row in known if row.errors is Status]
    rows = st.one_of(*[st.sampled_from(host)] * 4, st.sampled_from(known))
    pull = rows.flatmap(lambda row: st.builds(Pull, names, st.just(row.name), calls_of(row)))
    give = st.builds(Give, names, st.integers(-1, 5))
    calls = st.lists(st.one_of(pull, pull, pull, give), min_size=8, max_size=24)
    trap = st.one_of(*[st.just([])] * 3, st.builds(Fall, names).map(lambda fall: [fall]))
    return st.builds(list.__add__, calls, trap)


def answer(callout: Callout) -> Answer:
    return Failure("connection termination") if callout.id % 8 else response(200, body=b"ok")


def told(event: Event) -> tuple[Any, ...]:
    """An event without its numbers."""
    if isinstance(event, Entered):
        return event.at, event.context, event.function.name, event.args, event.words
    if isinstance(event, Left):
        return event.result, event.values, event.reason
    return (event.trap.kind,)


def play(name: str, version: Abi, script: list[Step]) -> tuple[list[tuple[Any, ...]], list[Outcome], bool]:
    events: list[tuple[Any, ...]] = []
    session = Session(
        [marionette(version, script)],
        engine=find.engine(name),
        observers=[lambda event: events.append(told(event))],
        clusters=("auth",),
        ask_cluster=answer,
        profile=PROFILE,
        limits=Limits(slice=100_000, pages=64),
        fuel=2_000_000,
    )
    try:
        session.start()
    except Trap:
        return events, [], True
    outcomes = list(session.replay(EXCHANGES))
    failed = any(vm.failed is not None for vm in session.proxy.vms)
    session.stop()
    session.close()
    return events, outcomes, failed


def seen(message: Message | None) -> object:
    """A message without what is random."""
    assert message is not None
    return (
        [header for header in message.headers if header[0] != "x-request-id"],
        message.data,
        message.trailers,
    )


@lru_cache
def undisturbed(version: Abi) -> tuple[object, object]:
    """What upstream and client get of the second exchange where nothing is called."""
    outcome = play("wasmtime", version, [])[1][1]
    return seen(outcome.request), seen(outcome.response)


@pytest.mark.parametrize("version", Abi)
def test_any_call_anywhere_is_answered_alike_by_both_engines_and_harms_no_later_exchange(
    version: Abi,
) -> None:
    @settings(
        max_examples=EXAMPLES,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(scripts(version))
    def holds(script: list[Step]) -> None:
        runs = [play(name, version, script) for name in ENGINES]
        for other in runs[1:]:
            assert other[0] == runs[0][0]
        for _, outcomes, failed in runs:
            assert all(outcome.status == 503 for outcome in outcomes[1:]) or not failed
            if not failed:
                second = outcomes[1]
                assert (seen(second.request), seen(second.response)) == undisturbed(version)

    holds()
