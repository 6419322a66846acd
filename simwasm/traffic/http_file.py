"""Request files (`.http`, `.rest`) as VS Code's REST Client and JetBrains' HTTP Client have them.

Rules that live here:
- `###` separates requests, and what follows it names the next. A request is what the file says: an editor's own
  headers (`user-agent`, `accept-encoding`) are not made up, only the length of a body.
- A block that is a response (`HTTP/1.1 200 OK`) answers the request before it; other requests have no response.
- A curl command may stand for a request.
- What only an editor can do is skipped and told: scripts, saved responses, prompts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange, Message, to_bytes, to_text
from simwasm.traffic.beside import reader_beside
from simwasm.traffic.curl import read_command
from simwasm.traffic.http1_message import STATUS_LINE
from simwasm.traffic.http_block import COMMENT, CURL, SEPARATOR, VARIABLE, Block, Line, taken_apart
from simwasm.traffic.http_request import read_block, read_saved_response
from simwasm.traffic.http_variables import Variables
from simwasm.traffic.notes import Notes
from simwasm.traffic.raw_http import RawHttp
from simwasm.traffic.request_text import LARGEST_BODY, Wrong
from simwasm.traffic.text_stream import TextStream, TooLong, bare

_MOST_LINES = 500_000
_URL = r"(?:https?://|wss?://|/|\{\{|localhost\b|[\w-]+(?:\.[\w-]+)+[:/?]?|\[)"
_REQUEST = re.compile(rf"(?:[A-Z]{{3,20}}\s+{_URL}\S*|https?://\S+).*", re.DOTALL)
_SCRIPT = re.compile(r"<\s*\{%")
_OTHERS = re.compile(r"(GRAPHQL|GRPC|WEBSOCKET|RSOCKET)\s+\S")


class HttpFile:
    """The importer of editors' request files."""

    name = "editors' request files (.http, .rest)"

    def sniff(self, head: bytes) -> bool:
        """Say yes if the first line that is no comment is a request's, or what only these files have comes first."""
        if RawHttp().sniff(head):
            return False
        sure = script = False
        lines = to_text(head).lstrip("\r\n\f ").split("\n")
        for number, text in enumerate(line.rstrip("\r") for line in lines):
            cut = number == len(lines) - 1
            if script or _SCRIPT.match(text):
                sure, script = True, "%}" not in text
            elif SEPARATOR.fullmatch(text) or VARIABLE.fullmatch(text):
                sure = True
            elif sure and (CURL.match(text) or STATUS_LINE.fullmatch(to_bytes(text))):
                return True
            elif text.strip() and not COMMENT.match(text):
                return (
                    _REQUEST.fullmatch(text) is not None or _OTHERS.match(text) is not None or (sure and cut)
                )
        return sure

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Go through the blocks in the order of the file."""
        return _Reading(TextStream(stream), where, notes).exchanges()


class _Reading:
    """One file, block by block; an exchange waits for the block behind it, which may be its response."""

    def __init__(self, text: TextStream, where: str, notes: Notes) -> None:
        self._text = text
        self._where = where
        self._notes = notes
        self._variables = Variables()
        self._number = 0

    def exchanges(self) -> Iterator[Exchange]:
        waiting: Exchange | None = None
        for block in self._blocks():
            try:
                answer, found = self._read(block)
            except Wrong as wrong:
                self._broken(block, wrong)
                yield from [waiting] if waiting is not None else []
                waiting = None  # a response that follows belongs to what is left out
                continue
            if answer is not None and waiting is not None:
                yield replace(waiting, response=answer)
                waiting = None
            elif answer is not None:
                self._broken(block, Wrong("a response to no request before it"))
            elif found is not None:
                if waiting is not None:
                    yield waiting
                waiting = found
        if waiting is not None:
            yield waiting

    def _read(self, block: Block) -> tuple[Message | None, Exchange | None]:
        """The response that a block is, or the request."""
        if block.too_large:
            raise Wrong(f"it has more than {_MOST_LINES:,} lines or {LARGEST_BODY:,} bytes")
        taken_apart(block)
        first = block.request
        if first is not None and STATUS_LINE.fullmatch(to_bytes(first.text)):
            return read_saved_response(block), None
        for line, name, text in block.variables:
            self._variables_of(line, name, text)
        if first is None:
            return None, None
        self._number += 1
        if block.skipped:
            told = ", ".join(dict.fromkeys(block.skipped))
            self._notes.left_out(f"{self._place(block)}: skipped, since only an editor can do it: {told}")
        if CURL.match(first.text):
            told_of = self._variables.expand(first.text)
            note = self._note(block)
            found = read_command(told_of, str(self._number), reader_beside(self._where, note), note)
            return None, replace(found, name=block.name)
        return None, read_block(block, str(self._number), self._variables, self._where, self._note(block))

    def _variables_of(self, line: Line, name: str, text: str) -> None:
        try:
            self._variables.define(name, text)
        except Wrong as wrong:
            self._notes.broken(TrafficError(f"{self._where}, line {line.number}: {wrong}"))

    def _note(self, block: Block) -> Callable[[str], None]:
        """Tells what is lost of one request."""
        place = self._place(block)
        return lambda text: self._notes.left_out(f"{place}: {text}")

    def _place(self, block: Block) -> str:
        line = (
            block.request.number
            if block.request
            else block.lines[0].number
            if block.lines
            else self._text.line
        )
        return f"{self._where}, request {self._number}, line {line}"

    def _broken(self, block: Block, wrong: Wrong) -> None:
        self._notes.broken(TrafficError(f"{self._place(block)}: {wrong}"))

    def _blocks(self) -> Iterator[Block]:
        block = Block("", [])
        while True:
            block, after = self._block(block)
            yield block
            if after is None:
                return
            block = Block(after, [])

    def _block(self, block: Block) -> tuple[Block, str | None]:
        """Read up to the next separator; its title, None at the end."""
        size = 0
        while True:
            number = self._text.line
            try:
                line = self._text.raw_line()
            except TooLong as error:
                self._notes.broken(TrafficError(f"{self._where}, line {number}: {error}"))
                continue
            text = to_text(bare(line))
            if not line:
                return block, None
            if line.startswith(b"###") and (found := SEPARATOR.fullmatch(text)):
                return block, (found[1] or "").strip()
            size += len(line)
            block.lines.append(Line(number, text, to_text(line[len(bare(line)) :])))
            if size > LARGEST_BODY or len(block.lines) > _MOST_LINES:
                block.too_large = True
                block.lines.clear()
