"""The rows of `traces/cases.json`: which recording goes with which sample, configuration and callouts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simwasm.answers import Clusters, Script, read_script
from simwasm.engines.engine import Engine
from simwasm.exchange import Exchange
from simwasm.host.profile import ENVOY
from simwasm.plugin import Plugin
from simwasm.recording import Recording
from simwasm.session import Session
from simwasm.traffic.importer import read_traffic

ROOT = Path(__file__).parents[2]
TRACES = ROOT / "traces"


@dataclass(frozen=True)
class Case:
    """One recording and all that it needs."""

    sample: str
    name: str
    plugin: Plugin
    exchanges: tuple[Exchange, ...]
    clusters: dict[str, Script]

    @property
    def id(self) -> str:
        return f"{self.sample}/{self.name}"

    @property
    def golden(self) -> Path:
        """Where its golden trace is."""
        return TRACES / "golden" / self.sample / f"{self.name}.jsonl"


def sample(name: str, config: str = "", vm_config: str = "") -> Plugin:
    """A sample plugin, configured."""
    wasm = (ROOT / "samples" / name / "plugin.wasm").read_bytes()
    return Plugin(name, wasm, config=config.encode(), vm_config=vm_config.encode())


def cases() -> tuple[Case, ...]:
    """All of them."""
    rows = json.loads((TRACES / "cases.json").read_text())
    return tuple(
        Case(
            row["sample"],
            row["case"],
            sample(row["sample"], row.get("config", ""), row.get("vm_config", "")),
            tuple(read_traffic(TRACES / row["traffic"])),
            {name: read_script(str(TRACES / script)) for name, script in row.get("callouts", {}).items()},
        )
        for row in rows
    )


def trace(case: Case, engine: Engine, look: Callable[[Session], object] = lambda session: None) -> str:
    """The trace file of a case; somebody may look at the session before it stops."""
    lines: list[str] = []
    now = case.exchanges[0].started_ns
    recording = Recording(lines.append, [case.plugin], profile=ENVOY, now_ns=now)
    clusters = Clusters(case.clusters)
    with Session(
        [case.plugin],
        engine=engine,
        observers=[recording],
        clusters=clusters.names,
        ask_cluster=clusters.ask,
        now_ns=now,
    ) as session:
        for outcome in session.replay(case.exchanges):
            recording.finished(outcome)
        look(session)
    return "".join(lines)
