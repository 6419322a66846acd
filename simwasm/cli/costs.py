"""What a run cost, as a table: instructions by callback and by host function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simwasm.abi.table import Function, Side
from simwasm.costs import Cost, Costs
from simwasm.trace.text import printable

_TITLES = {
    Side.PLUGIN: "callbacks, all that they called included",
    Side.HOST: "host calls, 1,000 each, and what the plugin's allocator took for them",
}


def lines(costs: Costs) -> Iterator[str]:
    """The table, for people."""
    if not costs.of:
        return
    width = max(len(function.name) for _, function in costs.of)
    yield f"{'instructions':<{width + 2}}{'calls':>9}{'total':>15}{'each':>13}{'least':>13}{'most':>13}"
    for vm in costs.vms:
        whose = f"{printable(vm)}: " if vm else ""
        for side, found in costs.sides(vm).items():
            if found:
                yield f"{whose}{_TITLES[side]}:"
                yield from (_line(function, cost, width) for function, cost in found)


def _line(function: Function, cost: Cost, width: int) -> str:
    figures = (
        f"{cost.calls:>9,}{cost.total:>15,}{cost.total // cost.calls:>13,}{cost.least:>13,}{cost.most:>13,}"
    )
    return f"  {function.name:<{width}}{figures}"


def costs_json(costs: Costs) -> dict[str, Any]:
    """The same as JSON, by the names of functions; where there are several plugins, of each."""
    found = {vm: _functions(costs, vm) for vm in costs.vms}
    return found.get("", found)


def _functions(costs: Costs, vm: str) -> dict[str, Any]:
    return {
        function.name: {"calls": cost.calls, "total": cost.total, "least": cost.least, "most": cost.most}
        for found in costs.sides(vm).values()
        for function, cost in found
    }
