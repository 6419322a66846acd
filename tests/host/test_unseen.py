"""What Envoy does and cannot show from outside."""

from __future__ import annotations

import pytest
from switchboard import CONFIGURE, OUT, REQUEST_HEADERS, Call, Case, switchboard

from simwasm.abi.enums import Status
from simwasm.engines.engine import Engine
from simwasm.errors import PluginError
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left

ASKING = ("proxy_get_shared_data", "proxy_resolve_shared_queue")


@pytest.mark.envoy(10)
def test_a_plugin_that_was_refused_is_refused_again(engine: Engine) -> None:
    plugin = Plugin("board", switchboard([Case("refuses", {}, {CONFIGURE: 0})]))
    for _ in range(2):
        with (
            pytest.raises(PluginError, match="Failed to configure base Wasm plugin"),
            Session([plugin], engine=engine),
        ):
            pass


@pytest.mark.envoy(173)
def test_shared_data_and_queues_end_with_the_last_vm_of_their_vm_id(engine: Engine) -> None:
    read: list[Call] = [
        ("proxy_get_shared_data", "k", OUT, OUT, OUT),
        ("proxy_resolve_shared_queue", "vm", "q", OUT),
    ]
    write: list[Call] = [("proxy_set_shared_data", "k", "v", 0), ("proxy_register_shared_queue", "q", OUT)]
    case = Case("reads, then writes", {REQUEST_HEADERS: [*read, *write, *read]})
    plugin = Plugin("board", switchboard([case]), vm_id="vm")
    for _ in range(2):
        events: list[Event] = []
        with Session([plugin], engine=engine, observers=[events.append]) as session:
            list(session.replay([case.exchange(0)]))
        asked = {
            event.seq for event in events if isinstance(event, Entered) and event.function.name in ASKING
        }
        statuses = [event.result for event in events if isinstance(event, Left) and event.opened in asked]
        assert statuses == [Status.NOT_FOUND, Status.NOT_FOUND, Status.OK, Status.OK]
