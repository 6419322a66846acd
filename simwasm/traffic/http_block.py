"""One request of an editor's request file: its lines taken apart, before anything is read or replaced.

    # @name login                      comments, and what is said in them
    @host = https://shop.example       variables
    POST {{host}}/login HTTP/1.1       the request line; an address that goes on has its lines indented
    Content-Type: application/json     headers, up to an empty line

    {"user": "ann"}                    the body; a line `< ./file.json` stands for a file
    > {% … %}                          scripts and responses for the editor

Rule: what only the editor can do (scripts, saved responses) is skipped and named in `skipped`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from simwasm.traffic.request_text import MOST_HEADERS, Wrong


class Line(NamedTuple):
    """A line of the file, with its number and its end."""

    number: int
    text: str
    end: str


@dataclass
class Block:
    """What stands between two separators."""

    title: str
    lines: list[Line]
    tagged: str = ""
    """What `# @name` says."""
    variables: list[tuple[Line, str, str]] = field(default_factory=list)
    request: Line | None = None
    """The request line, its address in one; a curl command over several lines, too."""
    headers: list[Line] = field(default_factory=list)
    body: list[Line] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    too_large: bool = False

    @property
    def name(self) -> str:
        """What the request is called."""
        return self.tagged or self.title


SEPARATOR = re.compile(r"#{3,}(?:\s+(.*))?")
VARIABLE = re.compile(r"@([\w.$-]+)\s*=\s*(.*)")
CURL = re.compile(r"(?:[$>%] )?curl(?:\.exe)?(?:\s|$)")
COMMENT = re.compile(r"\s*(?:#|//)")
_NAME = re.compile(r"\s*(?:#|//)\s*@name\s*[= ]\s*(\S.*?)\s*")
_PROMPT = re.compile(r"\s*(?:#|//)\s*@prompt\s+(\S+).*")
_SCRIPT = re.compile(r"\s*[<>]\s*\{%")
_SCRIPT_FILE = re.compile(r">\s+\S+\.(?:js|mjs|ts)\s*")
_SCRIPT_BEFORE = re.compile(r"<\s+\S.*")
_REFERENCE = re.compile(r"<>\s+\S.*|>>!?\s+\S.*")
_RUN = re.compile(r"(?:import|run)\s+\S.*")
_QUERY = re.compile(r"\s+\S|[?&]")


def taken_apart(block: Block) -> Block:
    """Sort the lines of a block into its parts."""
    lines = _without_scripts(block)
    for line in lines:
        if not _preamble(block, line):
            block.request = line
            break
    if block.request is None:
        return block
    if CURL.match(block.request.text):
        rest = [line.text for line in lines]
        block.request = block.request._replace(text="\n".join([block.request.text, *rest]))
        return block
    after = _address(block, lines)
    for line in after:
        if not line.text.strip():
            break
        if not COMMENT.match(line.text):
            block.headers.append(line)
            if len(block.headers) > MOST_HEADERS:
                raise Wrong(f"there are more than {MOST_HEADERS:,} headers")
    block.body = list(after)
    return block


def _preamble(block: Block, line: Line) -> bool:
    """Whether a line stands before the request."""
    text = line.text
    found = _NAME.fullmatch(text)
    if found:
        block.tagged = found[1]
    elif variable := VARIABLE.fullmatch(text):
        block.variables.append((line, variable[1], variable[2].strip()))
    elif prompt := _PROMPT.fullmatch(text):
        block.skipped.append(f"the question for {prompt[1]}")
    elif _RUN.fullmatch(text) or _SCRIPT_BEFORE.fullmatch(text):
        block.skipped.append(f"`{text.strip()}`")
    elif text.strip() and not COMMENT.match(text):
        return False
    return True


def _address(block: Block, lines: Iterator[Line]) -> Iterator[Line]:
    """Put an address that goes on into one line; the lines behind it."""
    request = block.request
    assert request is not None
    begun, version = without_version(request.text)
    parts = [begun]
    after: Iterator[Line] = iter(())
    for line in lines:
        if COMMENT.match(line.text) and len(parts) > 1:
            continue
        if not _QUERY.match(line.text):
            after = chain([line], lines)
            break
        parts.append(line.text.strip())
    block.request = request._replace(text="".join(parts) + (f" {version}" if version else ""))
    return after


def without_version(line: str) -> tuple[str, str]:
    """A request line without its version, and the version."""
    text = line.strip().removesuffix("(Prior Knowledge)").rstrip()
    words = text.rsplit(None, 1)
    if len(words) == 2 and words[1].startswith("HTTP/"):
        return words[0], words[1]
    return line.strip(), ""


def _without_scripts(block: Block) -> Iterator[Line]:
    """The lines of a block without what is for the editor alone."""
    inside = False
    scripts = False
    for line in block.lines:
        text = line.text
        if inside or _SCRIPT.match(text):
            scripts = True
            inside = "%}" not in text
        elif _SCRIPT_FILE.fullmatch(text):
            scripts = True
        elif _REFERENCE.fullmatch(text):
            block.skipped.append(f"`{text.strip()}`")
        else:
            yield line
    if scripts:
        block.skipped.append("a script")
