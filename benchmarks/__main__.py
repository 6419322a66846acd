"""`python -m benchmarks [NAME]…`: measure, print the table; with `--check` a missed target is exit status 1."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from importlib import import_module

from benchmarks.row import Row
from benchmarks.table import line, table
from simwasm.errors import SimwasmError

NAMES = (
    "compare",
    "coverage",
    "debugger",
    "diff",
    "hostcall",
    "importers",
    "probes",
    "query",
    "replay",
    "replay-size",
    "screen",
    "start",
    "suites",
    "testing",
    "trace",
    "transpiler",
)


def main() -> int:
    """Run what was asked for, everything if nothing was."""
    words = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, as ratios in one run.")
    words.add_argument(
        "names", metavar="NAME", nargs="*", help=f"what to measure: {', '.join(NAMES)} (default: all)"
    )
    words.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    words.add_argument("--rounds", metavar="N", type=int, help="how often each side is measured")
    asked = words.parse_args()
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        words.error(f"there is no {unknown[0]}; there are {', '.join(NAMES)}")
    try:
        found = [_told(row) for name in asked.names or NAMES for row in measured(name, asked.rounds)]
    except SimwasmError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    print(table(found))
    return int(asked.check and any(row.verdict == "MISSED" for row in found))


def _told(row: Row) -> Row:
    """Some take minutes: tell each on standard error when it is done."""
    print(line(row), file=sys.stderr, flush=True)
    return row


def measured(name: str, rounds: int | None) -> Iterator[Row]:
    """The rows of one benchmark; its module is imported when it is wanted, since it may need what is not there."""
    try:
        rows: Callable[..., Iterator[Row]] = import_module(f"benchmarks.{name.replace('-', '_')}").rows
    except ImportError as error:
        raise SimwasmError(f"{name} cannot be measured here: {error}. wasmer needs CPython 3.10") from None
    return rows() if rounds is None else rows(rounds=rounds)


if __name__ == "__main__":
    raise SystemExit(main())
