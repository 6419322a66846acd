"""The header maps that are kept for every callback of a recorded run."""

from __future__ import annotations

import pytest
from stops import Standing, visit
from switchboard import LOG, REQUEST_HEADERS, RESPONSE_HEADERS, Case, switchboard

from simwasm.abi.enums import MapType
from simwasm.debug.seen import Seen
from simwasm.debug.tape import Packed, unpacked
from simwasm.engines.engine import Engine
from simwasm.host.outcome import Outcome
from simwasm.plugin import Plugin

REQUEST, RESPONSE = MapType.HTTP_REQUEST_HEADERS, MapType.HTTP_RESPONSE_HEADERS
ADDS = Case("adds", {RESPONSE_HEADERS: [("proxy_add_header_map_value", 2, "x-new", "1")]})


def kept(engine: Engine, *names: str) -> list[Packed]:
    """What is seen at these events, each time with what was seen before."""
    found: list[Packed] = []
    seen = Seen()

    def look(at: Standing) -> None:
        found.append(seen.look(at.proxy.vms[0].context))

    visit(engine, Plugin("board", switchboard([ADDS])), [ADDS.exchange(0)], dict.fromkeys(names, look))
    return found


def test_what_did_not_change_is_the_same_tuple(engine: Engine) -> None:
    entered, left = kept(engine, REQUEST_HEADERS, f"-{REQUEST_HEADERS}")
    assert left is entered


def test_a_map_that_changed_is_seen_anew_and_the_other_is_shared(engine: Engine) -> None:
    before, after = kept(engine, RESPONSE_HEADERS, f"-{RESPONSE_HEADERS}")
    assert ("x-new", "1") not in dict(unpacked(before))[RESPONSE]
    assert ("x-new", "1") in dict(unpacked(after))[RESPONSE]
    assert after[0] is before[0]


def test_maps_that_the_plugin_cannot_reach_are_seen_too(engine: Engine) -> None:
    (found,) = kept(engine, RESPONSE_HEADERS)
    assert [kind for kind, _, _ in found] == [REQUEST, RESPONSE]


def test_at_the_log_everything_is_still_seen(engine: Engine) -> None:
    (found,) = kept(engine, LOG)
    assert (":status", "200") in dict(unpacked(found))[RESPONSE]


def test_a_plugin_that_acts_for_nobody_sees_nothing() -> None:
    assert Seen().look(None) == ()


class TestOutcomes:
    """What became of exchanges shares what is alike."""

    @pytest.fixture
    def outcomes(self, engine: Engine) -> list[Outcome]:
        plugin = Plugin("board", switchboard([ADDS]))
        return [visit(engine, plugin, [ADDS.exchange(0)], {LOG: lambda at: None})[0] for _ in range(2)]

    def test_an_outcome_says_what_it_said(self, outcomes: list[Outcome]) -> None:
        seen = Seen()
        assert [seen.outcome(each) for each in outcomes] == outcomes

    def test_two_that_are_alike_have_the_same_entries(self, outcomes: list[Outcome]) -> None:
        first, second = map(Seen().outcome, outcomes)
        assert first.response is not None
        assert second.response is not None
        pairs = zip(first.response.headers, second.response.headers, strict=True)
        assert all(one is other for one, other in pairs if one == other)
        assert second.actions is first.actions

    def test_a_request_that_nobody_changed_is_what_was_asked(self, outcomes: list[Outcome]) -> None:
        found = Seen().outcome(outcomes[0])
        assert found.request is not None
        assert found.request.headers is found.asked
