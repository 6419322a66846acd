"""Which route a request takes, when it is looked up again, and what the plugins of a chain know of each other."""

from __future__ import annotations

from functools import lru_cache

import pytest
from switchboard import (
    LOG,
    OUT,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    Call,
    Case,
    Read,
    switchboard,
)

from simwasm.engines import find
from simwasm.exchange import request
from simwasm.host.routes import Route
from simwasm.parity.account import Scenario
from simwasm.parity.bootstrap import UPSTREAM
from simwasm.parity.compare import Difference, verify
from simwasm.plugin import Plugin

ROUTES = (Route("/a", "first", UPSTREAM), Route("/b", "second", UPSTREAM), Route("/ab", "never", UPSTREAM))


def every(*paths: str) -> list[Call]:
    """Ask for properties and log them."""
    asked = [path.replace(".", "\0") for path in paths]
    return [
        call
        for path in asked
        for call in (("proxy_get_property", path, OUT, OUT), ("proxy_log", 2, Read(1), Read(2)))
    ]


def go(path: str) -> Call:
    """Rewrite the path."""
    return "proxy_replace_header_map_value", 0, ":path", path


def put(path: str, value: str) -> Call:
    return "proxy_set_property", path, value


CLEAR: Call = ("proxy_call_foreign_function", "clear_route_cache", b"", OUT, OUT)
HERE = every("xds.route_name", "xds.cluster_name", "upstream.num_endpoints")
THERE = [*HERE, *every("xds.virtual_host_name", "response.code", "response.flags", "request.path")]


def case(name: str, path: str, *first: Call, items: tuple[int, ...] = (105, 126)) -> Case:
    """What the first plugin does to a request of this path; it asks before and after."""
    calls = {REQUEST_HEADERS: [*HERE, *first, *HERE], RESPONSE_HEADERS: THERE, LOG: THERE}
    return Case(name, calls, sent=request("GET", path), items=items)


CASES = (
    case("the first route", "/a/x?y=z"),
    case("the second route", "/b"),
    case("the first that fits", "/ab"),
    case("no route", "/c"),
    case("rewritten to another route", "/a", go("/b")),
    case("rewritten to no route", "/a", go("/none")),
    case("rewritten from no route", "/c", go("/a")),
    case("the query is no part of it", "/c?/a"),
    case("cleared by hand", "/a", CLEAR, items=(190,)),
    case("rewritten and cleared", "/a", go("/b"), CLEAR, items=(105, 190)),
    case("another host", "/a", ("proxy_replace_header_map_value", 0, ":authority", "other.example")),
    case("a property for the next plugin", "/a", put("my", "val"), items=(130, 132)),
)
NEXT = tuple(
    Case(
        each.name,
        {
            REQUEST_HEADERS: [*HERE, *every("my", "filter_state.wasm.my"), put("your", "1")],
            RESPONSE_HEADERS: HERE,
            LOG: [*HERE, *every("my", "your")],
        },
    )
    for each in CASES
)


@lru_cache
def differences() -> tuple[Difference, ...]:
    plugins = tuple(
        Plugin(name, switchboard(cases), config=b"{}", root_id=name, vm_id=name)
        for name, cases in (("one", CASES), ("two", NEXT))
    )
    exchanges = tuple(each.exchange(number) for number, each in enumerate(CASES))
    return verify(Scenario(plugins, exchanges, routes=ROUTES), find.engine())


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.parametrize(
    "name", [pytest.param(each.name, id=each.name, marks=pytest.mark.envoy(*each.items)) for each in CASES]
)
def test_a_request_takes_the_route_it_takes_in_envoy(name: str) -> None:
    found = [difference for difference in differences() if difference.where == name]
    if found:
        pytest.fail("\n\n".join(map(str, found)), pytrace=False)
