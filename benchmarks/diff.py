"""How long it takes to compare two traces of 1,000,000 events, beside reading every line of both as JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.row import MEGABYTES, MILLISECONDS, Measure, Row, Target, in_turns
from simwasm.trace.compare import compare

_GOLDEN = Path(__file__).parent.parent / "traces/golden/http_auth/browser.jsonl"
_COUNTED = re.compile(r'"((?:parent_)?context(?:_id)?|call_id|at)": (\d+)')
_EVENTS = re.compile(r'"(?:call|result|trap)": ')
_LATER = 20_000_000
_PEAK = (
    "import resource, sys; from simwasm.trace.compare import compare; compare(*sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
)


def rows(*, rounds: int = 3, events: int = 1_000_000) -> Iterator[Row]:
    """Runs that are the same, that have one exchange more, and that differ in most exchanges."""
    with TemporaryDirectory(prefix="simwasm-bench-") as folder:
        names = ("same", "again", "more", "other", "header")
        same, again, more, other, headers = (Path(folder, f"{name}.jsonl") for name in names)
        _write(same, events)
        _write(again, events)
        _write(more, events, before=1)
        _write(
            other,
            events,
            change=lambda line, number: line.replace("auth answered 200", f"auth says {number}"),
        )
        _write(headers, events, change=lambda line, number: line.replace("let-me-in", "let-him-in"))
        equal, shifted, changed, header, peer = in_turns(
            rounds,
            _compared(same, again),
            _compared(same, more),
            _compared(same, other),
            _compared(same, headers),
            _parsed(same, again),
        )
        what = f"{events:,} events each"
        bound = Target(10_000, MILLISECONDS)
        yield Row("diff", f"{what}, the same / both as JSON", MILLISECONDS, equal, peer, bound)
        yield Row("diff", f"{what}, one exchange more in front / as JSON", MILLISECONDS, shifted, peer, bound)
        yield Row("diff", f"{what}, most exchanges differ / as JSON", MILLISECONDS, changed, peer, bound)
        yield Row("diff", f"{what}, a header changed in most / as JSON", MILLISECONDS, header, peer, bound)
        yield Row(
            "diff", f"{what}, most memory", MEGABYTES, (_peak(same, other),), (), Target(300, MEGABYTES)
        )


def _write(
    path: Path, events: int, *, before: int = 0, change: Callable[[str, int], str] = lambda line, number: line
) -> None:
    """The exchanges of a golden, over and over, counted on as the host would."""
    head, *lines = _GOLDEN.read_text(encoding="utf-8").splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if '"parent_context_id": 1}' in line)
    start, body = lines[:first], lines[first:]
    last = max(at for at, line in enumerate(body) if line.startswith('{"outcome"')) + 1
    size = sum(len(_EVENTS.findall(line)) for line in body[:last])
    with path.open("w", encoding="utf-8") as file:
        file.writelines((head, *start))
        for number in range(-before, 1 + events // size):
            file.writelines(change(_counted_on(line, number + before), number) for line in body[:last])
        file.writelines(body[last:])


def _counted_on(line: str, number: int) -> str:
    """A line of an exchange that comes later."""

    def later(found: re.Match[str]) -> str:
        value = int(found[2])
        step = _LATER if found[1] == "at" else 20
        return f'"{found[1]}": {value + number * step if value > 1 else value}'

    return _COUNTED.sub(later, line)


def _compared(left: Path, right: Path) -> Measure:
    def measure() -> float:
        started = perf_counter()
        compare(left, right).close()
        return (perf_counter() - started) * 1e3

    return measure


def _parsed(left: Path, right: Path) -> Measure:
    def measure() -> float:
        started = perf_counter()
        for path in (left, right):
            with path.open("rb") as file:
                assert all(json.loads(line) for line in file)
        return (perf_counter() - started) * 1e3

    return measure


def _peak(left: Path, right: Path) -> float:
    """The most memory that a process has when it compares."""
    found = subprocess.run(
        [sys.executable, "-c", _PEAK, str(left), str(right)], capture_output=True, check=True
    )
    return int(found.stdout) / 1024
