"""A plugin with debug information, and what requests reached of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from simwasm.coverage.collector import Collector
from simwasm.coverage.values import Covered
from simwasm.engines import find
from simwasm.exchange import Exchange, request
from simwasm.plugin import Plugin
from simwasm.session import Session

FOLDER = Path(__file__).parents[2] / "samples" / "allow_header"


@pytest.fixture(scope="session")
def debug() -> Plugin:
    """The sample with DWARF."""
    return Plugin("allow_header", (FOLDER / "plugin.debug.wasm").read_bytes(), folder=FOLDER)


@pytest.fixture(scope="session")
def both(debug: Plugin) -> tuple[Covered, Covered]:
    """What a request reaches that is refused; and what that one and one that is let in reach."""
    collector = Collector([debug])
    found: list[Covered] = []
    for headers in ((), (("allow", "true"),)):
        exchange = Exchange("1", 0, request("GET", "/", headers=headers))
        with Session([debug], engine=collector.covering(find.engine("wasmtime"))) as session:
            list(session.replay([exchange]))
        found += collector.covered()
    refused, all = found
    return refused, all


@pytest.fixture(scope="session")
def refused(both: tuple[Covered, Covered]) -> Covered:
    """What a request reaches that is refused."""
    return both[0]
