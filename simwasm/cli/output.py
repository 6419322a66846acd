"""What a run prints: the response, log lines, summaries; on a terminal in colour."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from glob import iglob
from pathlib import Path
from shlex import quote
from typing import TextIO

from simwasm.abi.enums import LogLevel
from simwasm.answers import phrase
from simwasm.errors import InputError
from simwasm.exchange import Message
from simwasm.host.faults import Faults
from simwasm.host.outcome import LogLine
from simwasm.replay.lines import log_text
from simwasm.trace.text import paint, plain, printable
from simwasm.traffic.notes import Notes, telling

Ink = Callable[[str, str], str]


def ink(words: Namespace, stream: TextIO) -> Ink:
    """Colours, where the words and the terminal want them."""
    if words.color == "always":
        return paint
    dull = words.color == "never" or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return plain if dull or not stream.isatty() else paint


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


def has_room(option: str, file: str) -> None:
    """Refuse, before anything is run, a file that could not be written behind it; no name is none."""
    folder = Path(file).absolute().parent
    if file and not folder.is_dir():
        raise InputError(f"{option} {file}: there is no folder {folder}; make it first")
    if file and Path(file).is_dir():
        raise InputError(f"{option} {file}: is a folder; name a file")


def is_no_input(option: str, file: str | None, inputs: Iterable[str]) -> None:
    """Refuse to write over what is read: a plugin, traffic by its name or by a pattern."""
    if not file or not os.path.isfile(file):
        return
    for name in (found for text in inputs for found in (text, *iglob(text, recursive=True))):
        if os.path.isfile(name) and os.path.samefile(name, file):
            raise InputError(f"{option} {file}: is read here, and would be written over; name another file")


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
