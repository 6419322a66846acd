"""Chains of plugins under simwasm and under the running Envoy: they must not differ in anything one can see."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from simwasm.engines import find
from simwasm.exchange import Exchange, Message, request, response
from simwasm.parity.account import Scenario, Script
from simwasm.parity.compare import both
from simwasm.plugin import Plugin

GET = request("GET", "/")
ASKING = request("GET", "/", headers=[("ask", "1")])
OK = response(200, headers=[("content-type", "text/plain")], body=b"ok")


def answered_after(ms: int, sent: Message = GET) -> Exchange:
    """A request that the upstream takes a while for."""
    return Exchange("", 0, sent, OK._replace(after_ns=ms * 1_000_000))


def alike(*plugins: Plugin, sent: Sequence[Message | Exchange] = (GET,), **clusters: Script) -> None:
    """See that a chain does under simwasm what it does under Envoy, with a request after the other."""
    exchanges = tuple(
        each if isinstance(each, Exchange) else Exchange(str(number), 0, each, OK)
        for number, each in enumerate(sent, 1)
    )
    found = both(Scenario(plugins, exchanges, clusters), find.engine()).differences
    if found:
        pytest.fail("\n\n".join(map(str, found)), pytrace=False)
