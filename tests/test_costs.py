"""What calls cost, on every engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simwasm.abi.table import Side
from simwasm.costs import Costs
from simwasm.engines import find
from simwasm.engines.engine import Engine
from simwasm.plugin import Plugin
from simwasm.recipe import Recipe, exchanges
from simwasm.session import Session
from simwasm.wasm.fuel import HOST_CALL

TRAFFIC = Path(__file__).parent.parent / "traces" / "traffic"
Sample = Callable[..., Plugin]


def costs(plugin: Plugin, engine: Engine, traffic: str) -> Costs:
    """What a replay cost; the session has added up to as much."""
    found = Costs()
    session = Session([plugin], engine=engine, observers=[found])
    found.burnt = session.burnt
    with session:
        recorded = exchanges(Recipe(plugin="", traffic=(str(TRAFFIC / traffic),)))
        for _ in session.replay(recorded):
            pass
        assert session.started[0].burnt() == found.since() > 0
    return found


@pytest.fixture(
    scope="session", params=[("allow_header", "allow_header.har"), ("response_body", "response_body.har")]
)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


def test_engines_agree(sample: Sample, engine: Engine, case: tuple[str, str]) -> None:
    """Each engine's figures are compared with those of wasmtime, which is on every Python."""
    judge = costs(sample(case[0]), find.engine("wasmtime"), case[1])
    found = costs(sample(case[0]), engine, case[1])
    assert found.of == judge.of


def test_a_host_call_costs_its_charge_and_the_allocator(sample: Sample, engine: Engine) -> None:
    found = costs(sample("allow_header"), engine, "allow_header.har")
    calls = {function.name: cost for function, cost in found.sides()[Side.HOST]}
    allocated = {function.name: cost for (_, function), cost in found.of.items()}["proxy_on_memory_allocate"]
    assert calls["proxy_log"].total == calls["proxy_log"].calls * HOST_CALL
    reading = calls["proxy_get_header_map_value"]
    assert reading.total == reading.calls * HOST_CALL + allocated.total
    assert reading.least < reading.most == HOST_CALL + allocated.most


def test_the_dearest_come_first(sample: Sample, engine: Engine) -> None:
    found = costs(sample("allow_header"), engine, "allow_header.har")
    totals = [cost.total for _, cost in found.sides()[Side.PLUGIN]]
    assert totals == sorted(totals, reverse=True) and totals[0] > totals[-1]
