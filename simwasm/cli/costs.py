"""What a run cost, as a table: instructions by callback and by host function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simwasm.abi.table import Function, Side
from simwasm.costs import Cost, Costs

_TITLES = {
    Side.PLUGIN: "callbacks, all that they called included",
    Side.HOST: "host calls, 1,000 each, and what the plugin's allocator took for them",
}


def lines(costs: Costs) -> Iterator[str]:
    """The table, for people."""
    sides = {side: found for side, found in costs.sides().items() if found}
    if not sides:
        return
    width = max(len(function.name) for found in sides.values() for function, _ in found)
    yield f"{'instructions':<{width + 2}}{'calls':>9}{'total':>15}{'each':>13}{'least':>13}{'most':>13}"
    for side, found in sides.items():
        yield f"{_TITLES[side]}:"
        yield from (_line(function, cost, width) for function, cost in found)


def _line(function: Function, cost: Cost, width: int) -> str:
    figures = (
        f"{cost.calls:>9,}{cost.total:>15,}{cost.total // cost.calls:>13,}{cost.least:>13,}{cost.most:>13,}"
    )
    return f"  {function.name:<{width}}{figures}"


def costs_json(costs: Costs) -> dict[str, Any]:
    """The same as JSON, by the names of functions."""
    return {
        function.name: {"calls": cost.calls, "total": cost.total, "least": cost.least, "most": cost.most}
        for found in costs.sides().values()
        for function, cost in found
    }
