"""curl's command lines, as people keep them and as browsers copy them.

Rules that live here: what stands before `curl` on its line is a prompt or variables of the shell; what comes behind a
pipe is for the output; lines of other programs are left out and counted. A body that is fed by a pipe is known if
`echo`, `cat` or `base64 -d` does it with what stands there.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange, to_bytes
from simwasm.traffic.beside import Note, Read, reader_beside
from simwasm.traffic.curl_request import exchanges
from simwasm.traffic.notes import Notes
from simwasm.traffic.request_text import Wrong, shortened
from simwasm.traffic.shell_words import CommandLine, Stage, command_lines
from simwasm.traffic.text_stream import TextStream

_CURL = re.compile(r"(?:.*[/\\])?curl(?:\.exe)?", re.IGNORECASE)
_PROMPT = re.compile(r"[^\s'\"]*[$%#>❯]")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_BEGINS = re.compile(
    rb"(?:[ \t]*(?:#[^\r\n]*|\w+=\S*|set [^\r\n]*|export [^\r\n]*|@?echo off[^\r\n]*)?\r?\n)*"
    rb"[ \t]*(?:[^\s'\"<{]*[$%>] ?|PS [^\r\n>]*> ?)?(?:base64 -d <<'?\w+'? \| )?curl(?:\.exe)?[ \t]+[^\s=:,;]",
    re.IGNORECASE,
)


class Curl:
    """The importer of files with curl command lines."""

    name = "curl command lines"

    def sniff(self, head: bytes) -> bool:
        """Say yes if the first line that is no comment is a curl command."""
        return _BEGINS.match(head) is not None and not head.lstrip().startswith(b"###")

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Go through the commands in the order of the file."""
        number = 1
        others: list[str] = []
        other_lines = 0
        for line in command_lines(TextStream(stream)):
            place = f"{where}, line {line.line}"
            note = _telling(place, notes)
            try:
                if line.wrong:
                    raise Wrong(line.wrong)
                for exchange in _of_line(line, number, reader_beside(where, note), note, others):
                    yield exchange
                    number += 1
            except Wrong as wrong:
                notes.broken(TrafficError(f"{place}: {wrong}"))
            other_lines += len(others) > 0
            if others and other_lines == 1:
                notes.left_out(
                    f"{place}: `{shortened(others[0])}` is no curl command; left out, and more like it"
                )
            others.clear()


def _telling(place: str, notes: Notes) -> Note:
    return lambda text: notes.left_out(f"{place}: {text}")


def _of_line(line: CommandLine, number: int, read: Read, note: Note, others: list[str]) -> Iterator[Exchange]:
    for pipeline in line.pipelines:
        for at, stage in enumerate(pipeline):
            words = _curl_words(stage.words)
            if words is None:
                continue
            for exchange in exchanges(words, number, _with_standard_input(pipeline[: at + 1], read), note):
                yield exchange
                number += 1
            break
        else:
            others += [stage.words[0] for stage in pipeline[:1]]


def _curl_words(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words behind `curl`; None for another command."""
    at = 0
    if words[:1] == ("PS",) and words[1:2] and words[1].endswith(">"):
        at = 2
    elif _PROMPT.fullmatch(words[0]):
        at = 1
    while at < len(words) and _ASSIGNMENT.fullmatch(words[at]):
        at += 1
    if at < len(words) and words[at] == "&":
        at += 1
    return words[at + 1 :] if at < len(words) and _CURL.fullmatch(words[at]) else None


def _with_standard_input(stages: tuple[Stage, ...], read: Read) -> Read:
    """Reads `@-` from what is fed to the command."""

    def read_fed(name: str) -> bytes:
        if name not in ("-", "."):
            return read(name)
        fed = stages[-1].fed
        if fed is None and len(stages) == 2:
            fed = _printed(stages[0])
        if fed is None:
            raise Wrong("its body comes from standard input, of which nothing is known here")
        return fed

    return read_fed


def _printed(stage: Stage) -> bytes | None:
    """What a command prints, if that is known without running it."""
    name, *words = stage.words
    if name == "cat" and not words:
        return stage.fed
    if name == "base64" and words in (["-d"], ["--decode"], ["-D"]) and stage.fed is not None:
        try:
            return base64.b64decode(b"".join(stage.fed.split()), validate=True)
        except ValueError:
            raise Wrong("what is fed to base64 is not base64") from None
    if name == "echo":
        bare = words[:1] == ["-n"]
        return to_bytes(" ".join(words[1:] if bare else words) + ("" if bare else "\n"))
    return to_bytes(words[-1]) if name == "printf" and words[:-1] in ([], ["%s"]) and words else None


def read_commands(text: str, read: Read, note: Note) -> Iterator[Exchange]:
    """The requests of a text with curl commands."""
    number = 1
    for line in command_lines(TextStream(io.BytesIO(to_bytes(text)))):
        if line.wrong:
            raise Wrong(line.wrong)
        others: list[str] = []
        for exchange in _of_line(line, number, read, note, others):
            yield exchange
            number += 1
        if others:
            raise Wrong(f"`{shortened(others[0])}` is not a curl command")


def read_command(text: str, id: str, read: Read, note: Note) -> Exchange:
    """The one request of a text with a curl command."""
    found = list(read_commands(text, read, note))
    if len(found) != 1:
        raise Wrong(f"the curl command makes {len(found)} requests where one is wanted")
    (exchange,) = found
    return Exchange(id, exchange.started_ns, exchange.request, None, exchange.connection)
