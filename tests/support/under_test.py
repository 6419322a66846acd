"""Plugins for tests of `simwasm.testing`: the samples, and scripted ones in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripted import Call, scripted

from simwasm.engines.engine import Engine
from simwasm.testing import PluginUnderTest, load_plugin

ROOT = Path(__file__).parent.parent.parent
NEW_CONNECTION, DOWNSTREAM, UPSTREAM = (
    "proxy_on_new_connection",
    "proxy_on_downstream_data",
    "proxy_on_upstream_data",
)
Calls = Mapping[str, Sequence[Call]]
PASSES = {NEW_CONNECTION: 0, DOWNSTREAM: 0, UPSTREAM: 0}
"""A network plugin that lets everything pass."""


def sample(sample: str, engine: Engine | None = None, **options: Any) -> PluginUnderTest:
    """A sample plugin."""
    path = ROOT / "samples" / sample / "plugin.wasm"
    return load_plugin(path, engine=engine.name if engine is not None else None, **options)


def written(
    folder: Path,
    calls: Calls,
    results: Mapping[str, int] | None = None,
    **options: Any,
) -> PluginUnderTest:
    """A scripted plugin."""
    path = folder / "scripted.wasm"
    path.write_bytes(scripted(calls, results))
    return load_plugin(path, **options)


def network(folder: Path, calls: Calls | None = None) -> PluginUnderTest:
    """A network plugin that lets everything pass, and makes these calls."""
    named: dict[str, Sequence[Call]] = dict.fromkeys(PASSES, ())
    return written(folder, named | dict(calls or {}), PASSES, network=True)
