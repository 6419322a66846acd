"""Workers: who shares a VM, who gets an exchange, and what becomes of a plugin that has failed."""

from __future__ import annotations

from typing import Any

import pytest
from playbook import Guest, Play, returns

from simwasm.errors import Trap, TrapKind
from simwasm.exchange import Connection, Exchange, request
from simwasm.plugin import FailPolicy

GET = request("GET", "/")
SECOND = 1_000_000_000


def trapping(guest: Guest, *args: object) -> int:
    raise Trap(TrapKind.UNREACHABLE)


def at(second: float, connection: Connection = Connection()) -> Exchange:  # noqa: B008  # it is frozen
    return Exchange(str(second), int(second * SECOND), GET, connection=connection)


def test_vms_are_named_after_their_plugins_and_told_apart() -> None:
    play = Play(Guest("a"), Guest("b"), workers=2).start()
    assert [vm.name for vm in play.proxy.vms] == ["a", "b", "a@2", "b@2"]


def test_a_vm_that_is_made_again_has_a_name_of_its_own() -> None:
    failing = Guest("a", policy=FailPolicy.FAIL_RELOAD, on_request_headers=trapping)
    play = Play(failing)
    play.run(at(1), at(3))
    assert [vm.name for vm in play.proxy.vms] == ["a#2"]


def test_workers_take_turns() -> None:
    play = Play(Guest("a", on_request_headers=returns(0)), workers=2)
    play.run(at(1), at(2), at(3))
    assert play.seen == [
        "on_request_headers(2, 6, True)", "upstream", "on_request_headers(2, 6, True)", "upstream",
        "on_request_headers(3, 6, True)", "upstream",
    ]  # fmt: skip


def test_a_connection_stays_with_its_worker() -> None:
    mine, other = Connection(id=7, source="10.0.0.1:1"), Connection(id=8, source="10.0.0.1:2")
    play = Play(Guest("a", on_request_headers=returns(0)), workers=2)
    play.run(at(1, mine), at(2, other), at(3, mine), at(4, mine))
    contexts = [call for call in play.seen if call != "upstream"]
    assert [call[19] for call in contexts] == ["2", "2", "3", "4"]


def test_only_the_worker_that_met_the_trap_fails() -> None:
    first, second = Connection(id=1, source="a:1"), Connection(id=2, source="a:2")
    traps = iter([True])

    def once(guest: Guest, *args: object) -> int:
        if next(traps, False):
            raise Trap(TrapKind.UNREACHABLE)
        return 0

    play = Play(Guest("a", on_request_headers=once), workers=2)
    play.run(at(1, first), at(2, second), at(3, first))
    assert [outcome.status for outcome in play.outcomes] == [503, 200, 503]


def test_a_reload_waits_for_its_time_and_is_counted() -> None:
    plugin = Guest("a", policy=FailPolicy.FAIL_RELOAD, on_request_headers=trapping)
    play = Play(plugin)
    play.run(at(0.1), at(0.2), at(1.5), at(1.6))
    assert play.proxy.metrics.events == {"wasm.a.vm_reload_backoff": 2, "wasm.a.vm_reload_success": 1}
    assert play.proxy.traps == 2


def test_a_plugin_that_does_not_start_again_is_tried_again_later() -> None:
    answers = iter([True, False, True])

    def configure(guest: Guest, *args: object) -> bool:
        return next(answers)

    plugin = Guest("a", policy=FailPolicy.FAIL_RELOAD, on_configure=configure, on_request_headers=trapping)
    play = Play(plugin)
    play.run(at(0.1), at(1.5), at(1.6), at(3))
    assert play.proxy.metrics.events == {
        "wasm.a.vm_reload_failure": 1, "wasm.a.vm_reload_backoff": 1, "wasm.a.vm_reload_success": 1,
    }  # fmt: skip
    assert [vm.name for vm in play.proxy.vms] == ["a#3"]


@pytest.mark.parametrize("policy", [FailPolicy.FAIL_OPEN, FailPolicy.FAIL_OPEN_AT_ONCE])
def test_requests_go_round_a_plugin_that_fails_open(policy: FailPolicy) -> None:
    play = Play(Guest("a", policy=policy, on_request_headers=trapping, on_log=returns(None)))
    play.run(at(1), at(2))
    assert [outcome.status for outcome in play.outcomes][1] == 200
    assert [call for call in play.seen if call.startswith("on_")] == ["on_request_headers(2, 6, True)"]


def test_a_chain_is_stopped_from_its_end() -> None:
    order: list[str] = []

    def noting(name: str) -> Any:
        def note(guest: Guest, *args: object) -> bool:
            order.append(name)
            return True

        return note

    play = Play(*(Guest(name, on_done=noting(name)) for name in "abc")).start()
    play.stop()
    assert order == ["c", "b", "a"]
