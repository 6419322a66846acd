"""What docs/traffic.md shows is read, and its commands can be typed."""

from __future__ import annotations

import io
import re
import shlex

import pytest
from cases import ROOT

from simwasm.cli.words import parse
from simwasm.exchange import Exchange
from simwasm.traffic.importer import IMPORTERS
from simwasm.traffic.notes import Notes
from simwasm.traffic.terms import TERMS
from simwasm.traffic.writer import WRITERS

PAGE = (ROOT / "docs/traffic.md").read_text()
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line
]


def _example(language: str) -> list[Exchange]:
    (text,) = re.findall(f"```{language}\n(.*?)```", PAGE, re.DOTALL)
    data = text.encode()
    (importer,) = [each for each in IMPORTERS if each.sniff(data)]
    return list(importer.read(io.BytesIO(data), "docs/traffic.md", Notes()))


def test_the_request_file_is_read() -> None:
    first, second, third = _example("http")
    assert (first.name, first.request.header(":path"), first.request.data) == (
        "login",
        "/login?from=here",
        b'{"user": "ann"}',
    )
    assert second.request.header("allow") == "true"
    assert third.response is not None
    assert third.response.data == b"gone"


def test_the_raw_text_is_read() -> None:
    (exchange,) = _example("raw")
    assert exchange.request.data == b'{"user": "ann"}'
    assert exchange.response is not None
    assert [chunk.data for chunk in exchange.response.body] == [b"hello ", b"world"]
    assert exchange.response.trailers == (("x-sum", "7"),)


def test_the_commands_of_curl_are_read() -> None:
    labels = [exchange.label for exchange in _example("bash")]
    assert labels == ["POST /login", "GET /search?q=socks&where=my+drawer", "POST /upload"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_can_be_typed(command: str) -> None:
    words = shlex.split(command.rpartition("| ")[2])
    assert words[0] == "simwasm"
    parse(words[1:])


def test_every_format_and_term_is_named() -> None:
    named = set(re.findall(r"`([^`]*)`", PAGE))
    assert {writer.formats[0] for writer in WRITERS} <= named
    assert {term.name for term in TERMS} <= named
