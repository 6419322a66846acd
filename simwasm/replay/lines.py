"""What is printed of one exchange: a line for people, or an object for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simwasm.conversation import Conversation
from simwasm.host.access_log import timestamp
from simwasm.host.outcome import LogLine, Outcome
from simwasm.recording import ending
from simwasm.replay.summary import pauses
from simwasm.trace.event import shown
from simwasm.trace.store import to_json
from simwasm.trace.text import printable

Ink = Callable[[str, str], str]


def log_text(line: LogLine) -> str:
    """A log line as Istio's proxy writes it."""
    level = "warning" if line.level.name == "WARN" else line.level.name.lower()
    return f"{timestamp(line.at)}\t{level}\tenvoy wasm\t{printable(line.text)}"


def exchange_line(
    number: int, outcome: Outcome, crossings: int, colour: Ink, instructions: int | None = None
) -> str:
    """One exchange in one line, and a second one if it hung."""
    counts = [
        count(crossings, "crossing"),
        *([] if instructions is None else [f"{instructions:,} instructions"]),
        count(len(outcome.logs), "log line"),
    ]
    if isinstance(outcome.exchange, Conversation):
        return _connection(number, outcome, counts, colour)
    asked = outcome.exchange.request
    line = printable(f"{asked.header(':method')} {asked.header(':path')}")
    before = outcome.exchange.response.header(":status") if outcome.exchange.response else None
    after = "reset" if outcome.response is None else str(outcome.status)
    change = f"{before} → {after}" if before and before != after else after
    source = "local reply" if outcome.local_reply else "from upstream"
    paused = pauses(outcome)
    parts = [
        source if outcome.response else outcome.reset,
        *counts,
    ]
    if paused:
        parts.insert(1, f"{paused} Pause")
    if outcome.response and outcome.reset:
        parts.insert(1, f"cut off: {outcome.reset}")
    if outcome.request is None:
        parts.insert(1, "upstream not asked")
    if outcome.details == "wasm_fail_stream":
        parts.insert(1, "the plugin has trapped")
    good = outcome.status is not None and outcome.status < 400
    text = f"#{number} {line}  {colour('ok' if good else 'bad', change)}  {' · '.join(parts)}"
    return f"{text}\n   {colour('trap', 'it hung: ' + outcome.waiting)}" if outcome.waiting else text


def _connection(number: int, outcome: Outcome, counts: list[str], colour: Ink) -> str:
    """One TCP connection in one line: how many bytes each side said, and how many of them the other heard."""
    talk, client = outcome.exchange, outcome.response
    said, answered = len(talk.request.data), len(talk.response.data) if talk.response else 0
    if outcome.request is not None:
        to_upstream = f"client → upstream {len(outcome.request.data):,} of {count(said, 'byte')}"
    else:
        to_upstream = "upstream not connected"
    heard = len(client.data) if client is not None else 0
    paused = pauses(outcome)
    parts = [
        to_upstream,
        f"upstream → client {heard:,} of {count(answered, 'byte')}",
        *([f"{paused} Pause"] if paused else []),
        *counts,
    ]
    ended = colour("bad", "hung") if outcome.waiting else colour("ok", "closed")
    text = f"#{number} {printable(talk.label)}  {ended}  {' · '.join(parts)}"
    return f"{text}\n   {colour('trap', 'it hung: ' + outcome.waiting)}" if outcome.waiting else text


def count(number: int, what: str) -> str:
    """So many of something."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def outcome_json(outcome: Outcome, instructions: int | None = None) -> dict[str, Any]:
    """An outcome as JSON."""
    cost = {} if instructions is None else {"instructions": instructions}
    return (
        ending(outcome)
        | cost
        | {
            "actions": [[taken.callback, to_json(shown(taken.action))] for taken in outcome.actions],
            "logs": [{"level": line.level.name, "text": to_json(line.text)} for line in outcome.logs],
            "bytes_received": outcome.bytes_received,
            "bytes_sent": outcome.bytes_sent,
            "took_ns": outcome.ended_ns - outcome.started_ns,
        }
    )
