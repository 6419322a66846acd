"""The words of the commands that check, compare, question and pass on what runs have left: goldens, suites, traces."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from simwasm.cli import options

_CHECK = """examples:
  simwasm run plugin.wasm login.har --golden golden/login.jsonl     makes one
  simwasm check golden/                                             plays all of them again and compares
  simwasm check golden/ --update                                    writes those anew that differ"""

_DIFF = """examples:
  simwasm diff before.trace.jsonl after.trace.jsonl
  simwasm diff before.trace.jsonl after.trace.jsonl --around 1 --summary"""

_TEST = """examples:
  simwasm test suite.yaml
  simwasm test suites/ --junit report.xml --engine all
  simwasm test tests.textpb --plugin plugin.wasm
  simwasm test --schema > simwasm-suite.schema.json"""

_QUERY = """examples:
  simwasm query 'select function, count(*) n from calls group by all order by n desc' login.trace.jsonl
  simwasm query 'call:get_header_map_value key:auth* status!=OK' login.trace.jsonl
  simwasm query 'from headers' *.trace.jsonl -o headers.parquet
  simwasm query --tables

SQL needs DuckDB: pip install 'simwasm[query]'"""

_COVERAGE = """examples:
  simwasm run plugin.wasm login.har --coverage login.cov
  simwasm test suite.yaml --coverage suite.cov
  simwasm coverage login.cov suite.cov --lcov plugin.info --html coverage/"""

_EXPORT = """examples:
  simwasm run plugin.wasm login.har --trace login.trace.jsonl --timing
  simwasm export login.trace.jsonl --to perfetto -o login.json
  simwasm export login.trace.jsonl --to otlp
  simwasm export login.trace.jsonl --to prometheus"""

_UPGRADE = """example:
  simwasm upgrade golden/*.jsonl"""


class Command(NamedTuple):
    """A command and its words."""

    name: str
    help: str
    examples: str
    add: Callable[[argparse.ArgumentParser], None]


def _check(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "golden", metavar="GOLDEN", nargs="+", help="golden traces, or folders with them (*.jsonl)"
    )
    words.add_argument("--update", action="store_true", help="write those anew that differ")
    _verdicts(words, "them")


def _diff(words: argparse.ArgumentParser) -> None:
    words.add_argument("left", metavar="A", help="a trace")
    words.add_argument("right", metavar="B", help="another one")
    words.add_argument(
        "--around", metavar="N", type=int, default=3, help="how many rows around what differs (default: 3)"
    )
    words.add_argument("--summary", action="store_true", help="only count what differs")
    words.add_argument("--json", action="store_true", help="print differences as JSON, one a line")
    options.color(words.add_argument_group("output"))


def _test(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "suite", metavar="SUITE", nargs="*",
        help="suites in YAML, or as Google's plugin tester has them (.textpb, .yaml), or folders with them",
    )  # fmt: skip
    words.add_argument("--plugin", metavar="FILE", default="", help="the module, whatever the suite names")
    words.add_argument(
        "--config", metavar="TEXT", default="",
        help="the plugin's configuration, whatever the suite says; @FILE reads a file",
    )  # fmt: skip
    words.add_argument("-k", dest="only", metavar="TEXT", default="", help="only cases whose name has this")
    words.add_argument("--list", action="store_true", help="list the cases and run none")
    words.add_argument("--schema", action="store_true", help="print the JSON Schema of suites, for editors")
    words.add_argument(
        "--traces", metavar="FOLDER", default="", help="where the traces of failed cases are kept"
    )
    words.add_argument(
        "--update-goldens", dest="update", action="store_true", help="write the goldens of cases anew"
    )
    words.add_argument("--coverage", metavar="FILE", default="", help="keep what the cases reached")
    _verdicts(words, "cases")


def _verdicts(words: argparse.ArgumentParser, what: str) -> None:
    group = words.add_argument_group("the report")
    group.add_argument(
        "--format", choices=("text", "tap", "github"), default="text",
        help="lines for people, TAP, or annotations of GitHub's (default: text)",
    )  # fmt: skip
    group.add_argument("--junit", metavar="FILE", default="", help="write a JUnit report, too")
    group.add_argument(
        "--engine", metavar="NAME", help=f"run {what} on wasmer, wasmtime, python or all (default: the first)"
    )
    options.color(group)


def _query(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "question", metavar="SQL|FILTER", nargs="?", help="SQL, or a text of the filter language"
    )
    words.add_argument("trace", metavar="TRACE", nargs="*", help="the trace files to ask")
    words.add_argument("--tables", action="store_true", help="list the tables with their columns")
    words.add_argument(
        "--format", choices=("table", "csv", "json"), default="table",
        help="how the answer is printed (default: table)",
    )  # fmt: skip
    words.add_argument(
        "-o", "--output", metavar="FILE", default="",
        help="write it to a file: .csv, .json, .jsonl or .parquet",
    )  # fmt: skip
    options.color(words.add_argument_group("output"))


def _coverage(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "file", metavar="FILE", nargs="+", help="what --coverage has kept; several are added up"
    )
    words.add_argument(
        "-o", "--output", metavar="FILE", default="", help="write the sum, to be added up again"
    )
    words.add_argument("--lcov", metavar="FILE", default="", help="write it as lcov reads it")
    words.add_argument("--html", metavar="FOLDER", default="", help="write pages with the source")
    words.add_argument("--json", action="store_true", help="print it as JSON")
    words.add_argument(
        "--all", action="store_true", help="show and count what toolchains and packages brought along, too"
    )
    words.add_argument(
        "--fail-under", metavar="PERCENT", type=float, help="exit with 1 if less of the code was run"
    )
    options.color(words.add_argument_group("output"))


def _export(words: argparse.ArgumentParser) -> None:
    words.add_argument("trace", metavar="TRACE", help="a trace file")
    words.add_argument(
        "--to", choices=("perfetto", "otlp", "prometheus"), required=True,
        help="Perfetto's and Chrome's viewers, OpenTelemetry, or Prometheus",
    )  # fmt: skip
    words.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="where to (default: standard output)"
    )


def _upgrade(words: argparse.ArgumentParser) -> None:
    words.add_argument("trace", metavar="TRACE", nargs="+", help="trace files, which are written anew")


COMMANDS = (
    Command("check", "play golden traces again and tell what differs", _CHECK, _check),
    Command("diff", "compare two traces, call by call", _DIFF, _diff),
    Command("test", "run a suite of cases that is written in YAML", _TEST, _test),
    Command("query", "ask traces, in SQL or in the filter language", _QUERY, _query),
    Command("coverage", "add up and show what of a plugin was run", _COVERAGE, _coverage),
    Command("export", "turn a trace into what other tools read", _EXPORT, _export),
    Command("upgrade", "bring trace files to the newest format", _UPGRADE, _upgrade),
)
