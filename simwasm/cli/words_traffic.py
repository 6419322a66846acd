"""The words of the commands about traffic: one format into another, and two builds under the same traffic."""

from __future__ import annotations

import argparse

from simwasm.cli import options
from simwasm.cli.words_traces import Command

_CONVERT = """examples:
  simwasm convert login.har -o login.jsonl
  simwasm convert flows/ -o day.har --filter 'path:/api/*'
  zcat access.log.gz | simwasm convert - --to http"""

_COMPARE = """examples:
  simwasm compare before.wasm after.wasm day.jsonl
  simwasm compare plugin.wasm plugin.wasm day.jsonl --new-config @stricter.json
  simwasm compare now.yaml next.yaml captures/ --workers 4"""


def _convert(words: argparse.ArgumentParser) -> None:
    words.add_argument("traffic", metavar="TRAFFIC", nargs="*", help=options.TRAFFIC)
    words.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="where to (default: standard output)"
    )
    words.add_argument(
        "--to", metavar="FORMAT", default="", help="the format, where the file's name does not tell it"
    )
    words.add_argument("--formats", action="store_true", help="list what can be read and written")
    words.add_argument(
        "--filter",
        metavar="FILTER",
        default="",
        help="only exchanges that this text of the filter language fits",
    )
    words.add_argument("--limit", metavar="N", type=int, help="end after N exchanges")
    words.add_argument("--strict", action="store_true", help="exit with 1 if anything is left out or lost")


def _compare(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="OLD", help=f"{options.PLUGIN}, as it is")
    words.add_argument("new", metavar="NEW", help="the same as it will be")
    words.add_argument("traffic", metavar="TRAFFIC", nargs="+", help=options.TRAFFIC)


COMMANDS = (
    Command("convert", "turn recorded traffic of one format into another", _CONVERT, _convert),
    Command(
        "compare",
        "the same traffic through two builds or configurations, and what differs",
        _COMPARE,
        _compare,
    ),
)
