"""What a run prints: the response, log lines, summaries; on a terminal in colour."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any, TextIO

from simwasm.abi.enums import LogLevel
from simwasm.answers import phrase
from simwasm.conversation import Conversation
from simwasm.errors import InputError
from simwasm.exchange import Message
from simwasm.host.access_log import timestamp
from simwasm.host.faults import Faults
from simwasm.host.outcome import LogLine, Outcome
from simwasm.recording import ending
from simwasm.trace.event import shown
from simwasm.trace.store import to_json
from simwasm.trace.text import paint, plain, printable
from simwasm.traffic.notes import Notes, telling

Ink = Callable[[str, str], str]


def ink(words: Namespace, stream: TextIO) -> Ink:
    """Colours, where the words and the terminal want them."""
    if words.color == "always":
        return paint
    dull = words.color == "never" or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return plain if dull or not stream.isatty() else paint


def log_text(line: LogLine) -> str:
    """A log line as Istio's proxy writes it."""
    level = "warning" if line.level.name == "WARN" else line.level.name.lower()
    return f"{timestamp(line.at)}\t{level}\tenvoy wasm\t{printable(line.text)}"


def log_printer(words: Namespace) -> Callable[[LogLine], None]:
    """Prints log lines to standard error; where little is wanted, only errors, or a failure had no reason."""
    least = LogLevel.ERROR if words.quiet or words.json else LogLevel.TRACE

    def log(line: LogLine) -> None:
        if line.level >= least:
            print(log_text(line), file=sys.stderr)

    return log


def tell(text: str) -> None:
    """Say something on standard error."""
    print(printable(f"simwasm: {text}"), file=sys.stderr)


def notes() -> Notes:
    """Tells on standard error what of the traffic was left out, lost or broken."""
    return telling(tell)


def in_vain(cluster: str) -> None:
    """Say that a cluster of a configuration was asked, though nobody is there to answer."""
    tell(f"{cluster} was asked, and nobody answers: say who does by --callout {quote(f'{cluster}=200')}")


def missed(faults: Faults | None) -> None:
    """Say which faults were asked for and never happened."""
    for fault in faults.missed if faults else ():
        print(f"simwasm: --fault {fault.text} never happened: the run did not come there", file=sys.stderr)


def write_response(response: Message | None, reset: str, stream: TextIO) -> None:
    """A response as `curl -i` shows it, its body byte for byte."""
    if response is None:
        print(printable(f"(the stream was reset: {reset})"), file=stream)
        return
    status = response.header(":status") or "?"
    print(f"HTTP/1.1 {status} {phrase(int(status)) if status.isdigit() else ''}".rstrip(), file=stream)
    for name, value in (*response.headers, *response.trailers):
        if name[:1] != ":":
            print(printable(f"{name}: {value}"), file=stream)
    print(file=stream, flush=True)
    stream.buffer.write(response.data)
    stream.flush()
    if response.data and not response.data.endswith(b"\n") and stream.isatty():
        print(file=stream)


def summary(
    number: int, outcome: Outcome, crossings: int, colour: Ink, instructions: int | None = None
) -> str:
    """One exchange in one line, and a second one if it hung."""
    counts = [
        _count(crossings, "crossing"),
        *([] if instructions is None else [f"{instructions:,} instructions"]),
        _count(len(outcome.logs), "log line"),
    ]
    if isinstance(outcome.exchange, Conversation):
        return _connection(number, outcome, counts, colour)
    asked = outcome.exchange.request
    line = printable(f"{asked.header(':method')} {asked.header(':path')}")
    before = outcome.exchange.response.header(":status") if outcome.exchange.response else None
    after = "reset" if outcome.response is None else str(outcome.status)
    change = f"{before} → {after}" if before and before != after else after
    source = "local reply" if outcome.local_reply else "from upstream"
    paused = sum(getattr(taken.action, "name", "") == "PAUSE" for taken in outcome.actions)
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
        to_upstream = f"client → upstream {len(outcome.request.data):,} of {_count(said, 'byte')}"
    else:
        to_upstream = "upstream not connected"
    heard = len(client.data) if client is not None else 0
    paused = sum(getattr(taken.action, "name", "") == "PAUSE" for taken in outcome.actions)
    parts = [
        to_upstream,
        f"upstream → client {heard:,} of {_count(answered, 'byte')}",
        *([f"{paused} Pause"] if paused else []),
        *counts,
    ]
    ended = colour("bad", "hung") if outcome.waiting else colour("ok", "closed")
    text = f"#{number} {printable(talk.label)}  {ended}  {' · '.join(parts)}"
    return f"{text}\n   {colour('trap', 'it hung: ' + outcome.waiting)}" if outcome.waiting else text


def _count(number: int, what: str) -> str:
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


def has_room(option: str, file: str) -> None:
    """Refuse, before anything is run, a file that could not be written behind it; no name is none."""
    folder = Path(file).absolute().parent
    if file and not folder.is_dir():
        raise InputError(f"{option} {file}: there is no folder {folder}; make it first")
    if file and Path(file).is_dir():
        raise InputError(f"{option} {file}: is a folder; name a file")


def teller(stream: TextIO) -> Callable[[str], bool]:
    """Prints lines and says whether somebody reads them: who checks things goes on without, for the exit status."""

    def tell(line: str) -> bool:
        try:
            print(line, file=stream)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            return False
        return True

    return tell


def stdout() -> TextIO:
    """Standard output that takes any text: what the terminal's encoding lacks is escaped, never an error."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # it is a TextIOWrapper
    return sys.stdout
