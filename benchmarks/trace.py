"""How long it takes to open a trace of 1,000,000 rows, beside reading every line of it as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.row import MILLISECONDS, Measure, Row, Target, in_turns
from simwasm.abi.enums import HeadersAction, MapType, Status
from simwasm.abi.table import LAST, callbacks, host_functions
from simwasm.trace.file import open_trace
from simwasm.trace.store import FORMAT, Recorder

_HEAD = {"format": FORMAT, "plugins": [{"name": "p", "sha256": "00", "abi": LAST.value}], "profile": "envoy",
         "seed": 0, "started_ns": 0}  # fmt: skip
_HEADERS = callbacks(LAST)["proxy_on_request_headers"]
_GET = host_functions(LAST)["env", "proxy_get_header_map_value"]
_CALLS = 18


def rows(*, rounds: int = 5, size: int = 1_000_000) -> Iterator[Row]:
    """To the first row, and to the last."""
    with TemporaryDirectory(prefix="simwasm-bench-") as folder:
        path = Path(folder, "long.jsonl")
        _write(path, size)
        first, whole, peer = in_turns(rounds, _opened(path, 0), _opened(path, size - 1), _parsed(path))
    yield Row(
        "trace",
        f"{size:,} rows to the first / all as JSON",
        MILLISECONDS,
        first,
        peer,
        Target(300, MILLISECONDS),
    )
    yield Row("trace", f"{size:,} rows to the last / all as JSON", MILLISECONDS, whole, peer, Target(1.5))


def _write(path: Path, size: int) -> None:
    """Callbacks with host calls in them, until there are so many rows."""
    with path.open("w", encoding="utf-8") as file:
        record = Recorder(file.write, _HEAD)
        for context in range(2, 3 + size // (_CALLS + 2)):
            record.enter(context, "p", context, _HEADERS, (context, 8, True))
            for _ in range(_CALLS):
                record.enter(context, "p", context, _GET, (MapType.HTTP_REQUEST_HEADERS, "x-user"))
                record.leave(0, Status.OK, ("alice",))
            record.leave(0, HeadersAction.CONTINUE)


def _opened(path: Path, row: int) -> Measure:
    def measure() -> float:
        started = perf_counter()
        trace = open_trace(path)
        assert trace.rows[row].index == row
        taken = perf_counter() - started
        trace.close()
        return taken * 1e3

    return measure


def _parsed(path: Path) -> Measure:
    def measure() -> float:
        started = perf_counter()
        with path.open("rb") as file:
            assert all(json.loads(line) for line in file)
        return (perf_counter() - started) * 1e3

    return measure
