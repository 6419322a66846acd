"""Writes traffic in the format that a user asks for: by its name, or by what the file is called.

Rules that live here: a format is a row of WRITERS; `--to` goes before the file's name; the suffix of a compression is
not looked at; where neither tells a format, the message lists what is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import PurePath
from typing import BinaryIO, Protocol

from simwasm.errors import InputError
from simwasm.exchange import Exchange
from simwasm.traffic.access_log_writing import AccessLogWriter
from simwasm.traffic.curl_writing import CurlWriter
from simwasm.traffic.envoy_tap_writing import TAP_WRITERS
from simwasm.traffic.har_writing import HarWriter
from simwasm.traffic.http_file_writing import HttpFileWriter
from simwasm.traffic.jsonl_writing import JsonLinesWriter
from simwasm.traffic.mitmproxy_writing import MitmproxyFlowsWriter
from simwasm.traffic.notes import Notes
from simwasm.traffic.raw_http_writing import RawHttpWriter
from simwasm.traffic.saving import COMPRESSED


class Writer(Protocol):
    """A format that can be written; `formats` is what `--to` says, `suffixes` is how its files end."""

    @property
    def name(self) -> str: ...
    @property
    def formats(self) -> tuple[str, ...]: ...
    @property
    def suffixes(self) -> tuple[str, ...]: ...
    def write(self, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes) -> None: ...


WRITERS: tuple[Writer, ...] = (
    JsonLinesWriter(),
    HarWriter(),
    MitmproxyFlowsWriter(),
    *TAP_WRITERS,
    AccessLogWriter(),
    HttpFileWriter(),
    RawHttpWriter(),
    CurlWriter(),
)


def chosen_writer(to: str, output: str, writers: tuple[Writer, ...] = WRITERS) -> Writer:
    """The writer of the format that `--to` names, otherwise of the output's suffix; `-` is standard output."""
    return _named(to, writers) if to else _by_suffix(output, writers)


def known_formats(writers: tuple[Writer, ...] = WRITERS) -> str:
    """What `--to` may say, for a message."""
    return ", ".join(writer.formats[0] for writer in writers)


def _named(to: str, writers: tuple[Writer, ...]) -> Writer:
    asked = to.lower().lstrip(".")
    for writer in writers:
        if asked in writer.formats or f".{asked}" in writer.suffixes:
            return writer
    words = [word for writer in writers for word in writer.formats]
    near = get_close_matches(asked, words, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"--to {to}: there is no such format; {meant}known: {known_formats(writers)}")


def _by_suffix(output: str, writers: tuple[Writer, ...]) -> Writer:
    name = PurePath(output).name.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    fitting = [
        (len(suffix), writer) for writer in writers for suffix in writer.suffixes if name.endswith(suffix)
    ]
    if fitting:
        return max(fitting, key=lambda found: found[0])[1]
    what = "standard output has no name that tells" if output == "-" else f"{output}: its name does not tell"
    raise InputError(f"{what} the format; say it by --to: {known_formats(writers)}")
