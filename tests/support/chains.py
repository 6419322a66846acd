"""Chains of plugins under simwasm and under the running Envoy: they must not differ in anything one can see."""

from __future__ import annotations

import pytest

from simwasm.engines import find
from simwasm.exchange import Exchange, Message, request, response
from simwasm.parity.account import Scenario, Script
from simwasm.parity.compare import both
from simwasm.plugin import Plugin

GET = request("GET", "/")
ASKING = request("GET", "/", headers=[("ask", "1")])
OK = response(200, headers=[("content-type", "text/plain")], body=b"ok")


def alike(*plugins: Plugin, sent: tuple[Message, ...] = (GET,), **clusters: Script) -> None:
    """See that a chain does under simwasm what it does under Envoy, with a request after the other."""
    exchanges = tuple(Exchange(str(number), 0, each, OK) for number, each in enumerate(sent, 1))
    found = both(Scenario(plugins, exchanges, clusters), find.engine()).differences
    if found:
        pytest.fail("\n\n".join(map(str, found)), pytrace=False)
