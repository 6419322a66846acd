"""Exchanges as lines of simwasm's own traffic, in which nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from simwasm.exchange import Exchange
from simwasm.traffic.jsonl import write
from simwasm.traffic.notes import Notes


class JsonLinesWriter:
    """The writer of simwasm's own traffic files."""

    name = "simwasm JSON Lines (.jsonl)"
    formats = ("jsonl", "simwasm")
    suffixes = (".jsonl",)

    def write(self, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes) -> None:
        """Write a line for each exchange."""
        write(exchanges, stream)
