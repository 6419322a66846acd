"""Plugins that share a VM, several workers, VMs that are made again: the debugger tells them apart and goes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from debugging import WAIT, debugging, inputs_for, moment
from scripted import ANSWER, ASKED, CREATE, LOG, OUT, REQUEST, TRAP, Read, scripted

from simwasm.abi.enums import MapType
from simwasm.debug import checkpoints, writers
from simwasm.debug.debugger import Debugger
from simwasm.debug.export_subject import Subject
from simwasm.debug.export_trace import trace
from simwasm.debug.expression_scope import scope_at
from simwasm.debug.expressions import evaluate
from simwasm.debug.inputs import Inputs
from simwasm.engines.engine import Engine
from simwasm.exchange import Exchange, request
from simwasm.plugin import FailPolicy, Plugin
from simwasm.trace.file import open_trace

SECOND = 1_000_000_000
GET, ASKING = request("GET", "/"), request("GET", "/", headers=[("ask", "1")])
COUNTING = scripted({
    CREATE: [], REQUEST: [ASKED, TRAP],
    ANSWER: [("proxy_define_metric", 0, "n", OUT), ("proxy_get_metric", Read(3), OUT)],
    LOG: [("proxy_log", 2, "end")],
})  # fmt: skip


def traffic(*traps: int, count: int = 30) -> tuple[Exchange, ...]:
    """A request a second, some of which trap."""
    return tuple(Exchange(str(n), n * SECOND, ASKING if n in traps else GET) for n in range(1, count + 1))


def back_and_forth(debugger: Debugger) -> None:
    """See that every place looks the same from wherever one comes."""
    last = len(debugger.tape)
    places = range(last, 0, -max(1, last // 25))
    first = {place: _moment(debugger, place) for place in places}
    assert {place: _moment(debugger, place) for place in reversed(places)} == first


def _moment(debugger: Debugger, place: int) -> object:
    debugger.goto(place).result(WAIT)
    return moment(debugger)


def test_going_back_over_a_reload_finds_the_vm_that_was_there(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "EVERY", 20)
    plugin = Plugin("a", COUNTING, fail_policy=FailPolicy.FAIL_RELOAD, reload_after_ms=1500)
    with debugging(inputs_for(plugin, traffic(5, 12, 13, 20), engine.name)) as debugger:
        debugger.record().result(WAIT)
        back_and_forth(debugger)
        debugger.goto(len(debugger.tape)).result(WAIT)
        assert [vm.name for vm in debugger.state().vms] == ["a#5"]
        debugger.goto(3).result(WAIT)
        assert [vm.name for vm in debugger.state().vms] == ["a"]


def test_plugins_that_share_a_vm_are_one_vm_with_two_contexts_an_exchange(engine: Engine) -> None:
    chain = Plugin("a", COUNTING, root_id="ra"), Plugin("b", COUNTING, root_id="rb")
    with debugging(Inputs(chain, traffic(count=3), engine.name)) as debugger:
        debugger.record().result(WAIT)
        state = debugger.state()
        assert [(vm.name, vm.root_id) for vm in state.vms] == [("a + b", "ra, rb")]
        assert state.stream is not None
        stations = state.stream.request.stations
        assert [(each.plugin, each.vm, each.context) for each in stations] == [
            ("a", "a + b", 3),
            ("b", "a + b", 4),
        ]
        back_and_forth(debugger)


def test_workers_have_vms_of_their_own(engine: Engine) -> None:
    with debugging(Inputs((Plugin("a", COUNTING),), traffic(count=4), engine.name, workers=2)) as debugger:
        debugger.record().result(WAIT)
        assert [vm.name for vm in debugger.state().vms] == ["a", "a@2"]
        assert {debugger.tape.entered(at).vm for at in range(1, len(debugger.tape) + 1)} == {"a", "a@2"}
        back_and_forth(debugger)


@pytest.mark.parametrize(
    ("vm", "name"), [("a", "a"), ("ab#2", "ab"), ("a@2", "a"), ("ab + a", "ab"), ("x", None)]
)
def test_a_vms_name_leads_to_its_plugin(vm: str, name: str | None) -> None:
    found = Inputs((Plugin("a", b"1"), Plugin("ab", b"2"))).plugin_in(vm)
    assert (found and found.name) == name


@pytest.fixture(scope="module")
def alike(engine: Engine) -> Iterator[Debugger]:
    """Two plugins that have nothing but their name in common, at the end of a run."""
    chain = tuple(
        Plugin("same", scripted({CREATE: [], REQUEST: [("proxy_log", 2, text), added], LOG: []}))
        for text in ("first", "second")
        for added in [("proxy_add_header_map_value", 0, "by", text)]
    )
    with debugging(Inputs(chain, traffic(count=2), engine.name)) as debugger:
        debugger.record().result(WAIT)
        yield debugger


class TestPluginsOfOneName:
    def test_each_vm_leads_to_its_own_plugin(self, alike: Debugger) -> None:
        first, second = alike.inputs.plugins
        assert [alike.inputs.plugin_in(vm.name) for vm in alike.state().vms] == [first, second]

    def test_each_has_its_own_memory(self, alike: Debugger) -> None:
        first, second = alike.memory("same"), alike.memory("same#2")
        assert b"second" in second.read(0, second.size())
        assert b"second" not in first.read(0, first.size())

    def test_a_breakpoint_stops_in_one_of_them(self, alike: Debugger) -> None:
        number = alike.breakpoints.add("on_request_headers vm:same#2").number
        alike.goto(1).result(WAIT)
        stops = [alike.proceed().result(WAIT).position for _ in range(2)]
        alike.breakpoints.remove(number)
        assert {alike.tape.entered(at).vm for at in stops} == {"same#2"}

    def test_who_wrote_a_header_tells_which(self, alike: Debugger) -> None:
        last = alike.tape.spans[0].last
        found = writers.header(alike.tape, last, MapType.HTTP_REQUEST_HEADERS, "by")
        assert [(each.by, each.new) for each in found if each.call] == [
            ("same#2", "first, second"),
            ("same", "first"),
        ]

    def test_a_stream_has_a_station_of_each(self, alike: Debugger) -> None:
        at = next(each for each in range(1, len(alike.tape) + 1) if alike.tape.entered(each).vm == "same#2"
                  and alike.tape.entered(each).function.name == "proxy_log")  # fmt: skip
        alike.goto(at).result(WAIT)
        stream = alike.state().stream
        assert stream is not None
        assert [each.vm for each in stream.request.stations] == ["same", "same#2"]
        assert evaluate("plugin", scope_at(alike.state(), alike.tape, at)) == "same#2"

    def test_its_trace_can_be_read(self, alike: Debugger, tmp_path: Path) -> None:
        path = tmp_path / "same.jsonl"
        path.write_text(trace(Subject(alike.inputs, alike.tape)))
        rows = open_trace(path).rows
        assert {rows[at].entered.vm for at in range(len(rows))} == {"same", "same#2"}
