"""The sample plugins of a checkout, each with the traffic that was recorded for it. An installed package has none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import simwasm
from simwasm.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Sample:
    """A plugin that one can look at without having one."""

    name: str
    recipe: Recipe


def samples(root: Path | None = None) -> tuple[Sample, ...]:
    """Those that are there; none if there is no checkout around the package."""
    above = root or Path(simwasm.__file__).parents[1]
    try:
        rows = json.loads((above / "traces" / "cases.json").read_bytes())
        found = [_sample(above, row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(each for each in found if Path(each.recipe.plugin).is_file())


def _sample(above: Path, row: dict[str, Any]) -> Sample:
    traces = above / "traces"
    callouts: dict[str, str] = dict(row.get("callouts", {}))
    recipe = Recipe(
        str(above / "samples" / row["sample"] / "plugin.wasm"),
        (str(traces / row["traffic"]),),
        config=row.get("config", ""),
        vm_config=row.get("vm_config", ""),
        callout=tuple(f"{cluster}={traces / script}" for cluster, script in callouts.items()),
    )
    return Sample(f"{row['sample']}/{row['case']}", recipe)
