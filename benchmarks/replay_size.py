"""`simwasm run` at size: two workers beside one, and the memory of a long run beside that of a short one.

Whole commands are measured, as a user has them: each is a process of its own that reads JSON Lines from a file. Rules:
both sides of a row play the same plugin on the same kind of exchange; starting is part of the time, so the traffic is
long enough for it not to matter.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.row import MEGABYTES, REQUESTS, Measure, Row, Target, in_turns
from simwasm.exchange import Exchange
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.jsonl import write

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "samples" / "allow_header" / "plugin.wasm"
RECORDED = ROOT / "traces" / "traffic" / "allow_header.har"
SHARED, SHORT, LONG = 50_000, 10_000, 1_000_000
_COMMAND = """
import resource, sys
from simwasm.cli import main
status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
raise SystemExit(status)
"""


def rows(*, rounds: int = 3, long: int = LONG) -> Iterator[Row]:
    """Speed, then memory."""
    with TemporaryDirectory() as folder:
        shared = _traffic(Path(folder, "shared.jsonl"), SHARED)
        two, one = in_turns(rounds, _speed(shared, SHARED, 2), _speed(shared, SHARED, 1))
        what = "exchanges replayed by 2 workers / by 1"
        yield Row("replay-size", what, REQUESTS, two, one, Target(1.7))
        files = (_traffic(Path(folder, f"{count}.jsonl"), count) for count in (long, SHORT))
        much, little = ((_peak(file),) for file in files)
        what = f"peak memory of {long:,} exchanges / of {SHORT:,}"
        yield Row("replay-size", what, MEGABYTES, much, little, Target(1.2))


def _traffic(path: Path, count: int) -> Path:
    with open(path, "wb") as file:
        write(_exchanges(count), file)
    return path


def _exchanges(count: int) -> Iterator[Exchange]:
    recorded = list(read_traffic(RECORDED))
    for number in range(count):
        yield replace(recorded[number % len(recorded)], id=str(number + 1))


def _run(*words: str) -> str:
    """Run a command to its end; the last line of what it says."""
    command = [sys.executable, "-c", _COMMAND, "run", str(PLUGIN), *words, "--quiet", "--summary", "never"]
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True, cwd=ROOT
    )
    return done.stderr.splitlines()[-1]


def _speed(file: Path, count: int, workers: int) -> Measure:
    def measure() -> float:
        begun = perf_counter()
        _run(str(file), "--workers", str(workers))
        return count / (perf_counter() - begun)

    return measure


def _peak(file: Path) -> float:
    return int(_run(str(file))) / (1 << 20 if sys.platform == "darwin" else 1 << 10)
