"""Whom a plugin acts for while it is called."""

from __future__ import annotations

import pytest
from switchboard import Case, switchboard

from simwasm.engines.engine import Engine
from simwasm.exchange import Exchange, request
from simwasm.host.context import Context
from simwasm.plugin import Plugin
from simwasm.session import Session


@pytest.mark.envoy(163)
def test_when_the_effective_context_disappears_the_current_one_acts(engine: Engine) -> None:
    plugin = Plugin("board", switchboard([Case("", {})]))
    with Session([plugin], engine=engine) as session:
        stream = session.proxy.open(Exchange("1", 0, request("POST", "/", body=b"abc")))
        session.proxy.step()
        (vm,) = session.proxy.vms
        (effective,) = stream.filters
        root: Context = effective.root
        vm.current, vm.context = root, effective
        vm.forget(effective)
        assert vm.context is root
