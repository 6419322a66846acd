"""Where the instructions of a callback went: counts by function, the tree of calls, and speedscope's format."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from computing import computing
from debugging import WAIT, debugging, inputs_for, requests

from simwasm.debug.debugger import Debugger
from simwasm.debug.instants import Instants
from simwasm.debug.profile import flame, profile, speedscope


@pytest.fixture(scope="module")
def instants() -> Iterator[Instants]:
    with debugging(inputs_for(computing(), requests(1))) as debugger:
        yield of_headers(debugger)


def of_headers(debugger: Debugger) -> Instants:
    debugger.run_to("proxy_on_request_headers").result(WAIT)
    return debugger.inside.instants().result(WAIT)


def test_functions_have_what_is_their_own_and_what_they_call(instants: Instants) -> None:
    found = {each.name: each for each in profile(instants).functions}
    callback, twice, count = (found[name] for name in ("proxy_on_request_headers", "twice", "count"))
    assert twice.calls == 1 and twice.own == twice.all >= 3
    assert (count.calls, count.own) == (4, count.all)
    assert callback.all == instants.total == callback.own + twice.own + count.own


def test_what_was_not_run_is_not_covered(instants: Instants) -> None:
    found = profile(instants)
    twice = next(each for each in found.functions if each.name == "twice")
    assert (twice.run, twice.size) == (3, 3)
    assert found.counts[instants.offset(1)] == 1
    assert found.covered == 1


def test_the_tree_of_calls_has_a_function_under_itself(instants: Instants) -> None:
    names = [(depth, instants.code.name(node.function)) for depth, node, _ in flame(profile(instants))]
    assert names[0] == (0, "proxy_on_request_headers")
    assert [depth for depth, name in names if name == "count"] == [1, 2, 3, 4]


def test_speedscope_is_given_calls_that_open_and_close(instants: Instants) -> None:
    content = json.loads(speedscope(instants, "headers"))
    run = content["profiles"][0]
    names = [content["shared"]["frames"][each["frame"]]["name"] for each in run["events"]]
    kinds = [each["type"] for each in run["events"]]
    assert names[0] == names[-1] == "proxy_on_request_headers"
    assert kinds.count("O") == kinds.count("C") == 6
    assert run["endValue"] == instants.total
    assert [each["at"] for each in run["events"]] == sorted(each["at"] for each in run["events"])
