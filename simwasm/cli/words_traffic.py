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
        "--to",
        metavar="FORMAT",
        default="",
        help="the format, where the file's name does not tell it; --formats lists them",
    )
    words.add_argument("--formats", action="store_true", help="list what can be read and written")
    words.add_argument(
        "--filter",
        metavar="FILTER",
        default="",
        help="only exchanges that this text of the filter language fits",
    )
    words.add_argument("--limit", metavar="N", type=int, help="end after N exchanges")
    words.add_argument(
        "--strict", action="store_true", help="exit with 1 if anything is left out, lost or broken"
    )


def _compare(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="OLD", help=f"{options.PLUGIN}, as it is")
    words.add_argument("new", metavar="NEW", help="the same as it will be")
    words.add_argument("traffic", metavar="TRAFFIC", nargs="+", help=options.TRAFFIC)
    _comparison(words)
    options.plugin(words)
    _of_new(words)
    options.host(words)


def _comparison(words: argparse.ArgumentParser) -> None:
    group = words.add_argument_group("the comparison")
    group.add_argument(
        "--only", metavar="WHAT,…", default="",
        help="in which respects: response, upstream, reply, action, logs, trap, callout, shared, metric, property, "
        "other (default: all of these), and calls (every call, with what it was given and gave)",
    )  # fmt: skip
    group.add_argument(
        "--ignore", metavar="WHAT", action="append", default=[],
        help="what makes no difference: header:x-request-id, text:sid=\\w+, property:request.id",
    )  # fmt: skip
    group.add_argument(
        "--filter", metavar="FILTER", default="",
        help="only exchanges that this text of the filter language fits: path:/api/* status>=500",
    )  # fmt: skip
    group.add_argument("--limit", metavar="N", type=int, help="end after N exchanges")
    group.add_argument(
        "--workers", metavar="N", type=int, default=1,
        help="processes that share the exchanges, each with both plugins and shared data of its own (default: 1)",
    )  # fmt: skip
    group.add_argument(
        "--rows", action="store_true", help="show the calls around the first that differs side by side"
    )
    group.add_argument(
        "--max-shown", metavar="N", type=int, default=20,
        help="of how many exchanges it is shown what differs; all are counted (default: 20)",
    )  # fmt: skip
    group.add_argument(
        "--json", action="store_true", help="print an object a line: exchanges that differ, then a summary"
    )
    options.color(group)


def _of_new(words: argparse.ArgumentParser) -> None:
    group = words.add_argument_group("the new plugin", "What is said here is said of the new one alone.")
    for name, metavar in _OF_NEW:
        group.add_argument(f"--new-{name}", metavar=metavar, help=f"its --{name}")
    for name, metavar in _SEVERAL_OF_NEW:
        group.add_argument(
            f"--new-{name}", metavar=metavar, action="append", help=f"its --{name}, in place of the old one's"
        )


_OF_NEW = (
    ("config", "TEXT"), ("vm-config", "TEXT"), ("name", "NAME"), ("root-id", "ID"), ("vm-id", "ID"),
    ("fail-policy", "POLICY"), ("engine", "NAME"),
)  # fmt: skip
_SEVERAL_OF_NEW = (
    ("env", "K=V"),
    ("allow", "NAME"),
    ("module", "[NAME=]FILE"),
    ("callout", "CLUSTER=ANSWER"),
)

COMMANDS = (
    Command("convert", "turn recorded traffic of one format into another", _CONVERT, _convert),
    Command(
        "compare",
        "the same traffic through two builds or configurations, and what differs",
        _COMPARE,
        _compare,
    ),
)
