"""`simwasm import-envoy-log`: a real Envoy's log turned into a trace, to be looked at and compared.

Rule: a thread of Envoy is a worker with VMs of its own, so one is chosen: that with most crossings, unless the words
say another.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simwasm.abi.table import Abi
from simwasm.cli import output
from simwasm.cli.module import module
from simwasm.cli.watch import opened
from simwasm.errors import InputError
from simwasm.plugin import Plugin
from simwasm.trace.align import align
from simwasm.trace.blurred import Blurred
from simwasm.trace.difftext import diff_text
from simwasm.trace.envoy_log import EnvoyLog, events, name_in, read_log, version_in
from simwasm.trace.event import Entered, Event, Left
from simwasm.trace.file import open_trace
from simwasm.trace.store import FORMAT, Recorder
from simwasm.trace.text import printable

_PROFILE = "a real Envoy"


def command(words: Namespace) -> int:
    """Write the trace; 0, or 1 if it was compared and differs."""
    log = read_log(words.log)
    thread = _thread(log, words.thread)
    out = words.output or f"{Path(words.log).name.removesuffix('.log')}.trace.jsonl"
    head, name, version = _head(log, thread, words)
    calls = _write(out, head, events(log, thread, name, version))
    if out == "-":
        return 0
    others = sorted(other for other in log.crossings if other != thread)
    more = f"; threads {', '.join(map(str, others))} are left out (--thread)" if others else ""
    print(printable(f"{calls:,} crossings of `{name}` on thread {thread} written to {out}{more}"))
    print(printable(f"look at them: simwasm debug {out}"))
    return _compared(words.compare, out, words) if words.compare else 0


def _thread(log: EnvoyLog, wanted: int | None) -> int:
    crossings = log.crossings
    if wanted is None:
        return max(crossings, key=lambda thread: crossings[thread])
    if wanted not in crossings:
        known = ", ".join(f"{thread} ({count:,} crossings)" for thread, count in sorted(crossings.items()))
        raise InputError(f"--thread {wanted}: has no crossings in {log.path}; threads with some: {known}")
    return wanted


def _head(log: EnvoyLog, thread: int, words: Namespace) -> tuple[dict[str, Any], str, Abi]:
    """The trace's first line: what the plugin's file tells, or else what the log lets one conclude."""
    records = log.threads[thread]
    if words.plugin:
        wasm = module(words)
        plugin = Plugin(words.name or wasm.name, wasm.bytes)
        name, digest, version = plugin.name, plugin.sha256, plugin.abi
    else:
        name, digest = words.name or name_in(records) or "plugin", ""
        version = version_in(records)
    made = {"name": name, "sha256": digest, "abi": version.value}
    started = records[0].at
    head = {"format": FORMAT, "plugins": [made], "profile": _PROFILE, "seed": 0, "started_ns": started}
    return head, name, version


def _write(out: str, head: dict[str, Any], told: Iterator[Event]) -> int:
    """Write a trace file; how many calls are in it."""
    file = sys.stdout if out == "-" else opened(out, "--output")
    calls = 0
    try:
        recorder = Recorder(file.write, head)
        streams = _Streams(recorder)
        for event in told:
            recorder(event)
            streams(event)
            calls += isinstance(event, Entered)
        recorder.flush()
    finally:
        if file is not sys.stdout:
            file.close()
    return calls


class _Streams:
    """Notes the end of each stream, and who answered it, as far as the crossings tell."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._open: list[Entered] = []
        self._replied: dict[int, int] = {}
        self._roots: set[int] = set()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            self._open.append(event)
            return
        entered = self._open.pop()
        name = entered.function.name
        if name == "proxy_on_context_create" and entered.args[1] == 0:
            self._roots.add(entered.context)
        elif name == "proxy_send_local_response" and isinstance(event, Left):
            self._replied.setdefault(entered.context, entered.args[0])
        elif name == "proxy_on_delete" and entered.context not in self._roots:
            self._ended(entered.context)

    def _ended(self, context: int) -> None:
        status = self._replied.pop(context, None)
        told: dict[str, Any] = {"exchange": str(context), "name": f"stream {context}"}
        told |= {"status": status, "local_reply": True} if status is not None else {"local_reply": False}
        self._recorder.outcome(told)


def _compared(path: str, out: str, words: Namespace) -> int:
    """Print where a trace of simwasm's and the one that was written differ; 1 if they do."""
    ours, theirs = open_trace(path), open_trace(out)
    ours.index()
    theirs.index()
    alignment = align(Blurred(ours.rows), Blurred(theirs.rows))
    colour = output.ink(words, output.stdout())
    lines = list(diff_text(alignment, ink=colour))
    print(printable(f"\n- {path}\n+ {out}"), *lines, sep="\n")
    said = "they differ" if lines else "no difference"
    print(f"\n{said}; what only a pointer leads to is not in a log, and not compared")
    return int(bool(lines))
