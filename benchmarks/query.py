"""How long a question about a trace of 1,000,000 events takes, beside reading every line of it as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.row import MILLISECONDS, Measure, Row, Target, in_turns
from simwasm.abi.enums import HeadersAction, LogLevel, MapType, Status
from simwasm.abi.table import LAST, callbacks, host_functions
from simwasm.database.database import Database
from simwasm.trace.query import compile
from simwasm.trace.scan import scan
from simwasm.trace.store import FORMAT, Recorder

_HEAD = {"format": FORMAT, "plugins": [{"name": "p", "abi": LAST.value}], "profile": "envoy", "seed": 0,
         "started_ns": 0}  # fmt: skip
_BACK, _HOST = callbacks(LAST), host_functions(LAST)
_ALLOCATE = _BACK["proxy_on_memory_allocate"]
_REQUEST, _RESPONSE = _BACK["proxy_on_request_headers"], _BACK["proxy_on_response_headers"]
_GET, _LOG = _HOST["env", "proxy_get_header_map_value"], _HOST["env", "proxy_log"]
_READS = 4
_EVENTS = 2 * (2 + 3 * _READS)
_ASKED = "select function, count(*), sum(duration) from calls group by 1"
_MARK = ', "result": "OK"'


def rows(*, rounds: int = 3, size: int = 1_000_000) -> Iterator[Row]:
    """In SQL, and in the filter language."""
    with TemporaryDirectory(prefix="simwasm-bench-") as folder:
        path = Path(folder, "long.jsonl")
        _write(path, size)
        asked, matched, peer = in_turns(rounds, _asked(path), _matched(path), _counted(path))
    target = Target(3_000, MILLISECONDS)
    yield Row("query", f"{size:,} events in SQL / counted in JSON", MILLISECONDS, asked, peer, target)
    yield Row(
        "query", f"{size:,} events by a filter / counted in JSON", MILLISECONDS, matched, peer, Target(2.5)
    )


def _write(path: Path, size: int) -> None:
    """Exchanges with headers that are read, so with allocations, and a log line; with what they took."""
    with path.open("w", encoding="utf-8") as file:

        def write(line: str) -> None:
            file.write(line.replace(_MARK, f'{_MARK}, "took_ns": 2100') if _MARK in line else _closing(line))

        record = Recorder(write, _HEAD)
        for context in range(2, 3 + size // _EVENTS):
            for function, args in ((_REQUEST, (context, 8, True)), (_RESPONSE, (context, 5, True))):
                record.enter(context, "p", context, function, args)
                for _ in range(_READS // 2):
                    record.enter(0, "p", context, _GET, (MapType.HTTP_REQUEST_HEADERS, "authorization"))
                    record.enter(context, "p", context, _ALLOCATE, (24,))
                    record.leave(0, 1079376)
                    record.leave(0, Status.OK, ("Bearer of a token that is not short",))
                record.enter(
                    0, "p", context, _LOG, (LogLevel.INFO, "the header `authorization` was looked at")
                )
                record.leave(0, Status.OK)
                record.leave(0, HeadersAction.CONTINUE)
            record.outcome({"exchange": str(context), "name": "GET /", "status": 200})


def _closing(line: str) -> str:
    return line.replace('{"result": "OK"', '{"result": "OK", "took_ns": 5100')


def _asked(path: Path) -> Measure:
    def measure() -> float:
        started = perf_counter()
        with Database([str(path)]) as database:
            assert len(list(database.ask(_ASKED).rows)) == 2
        return (perf_counter() - started) * 1e3

    return measure


def _matched(path: Path) -> Measure:
    query = compile('call:log log~"denied"')

    def measure() -> float:
        started = perf_counter()
        assert not list(scan(path, query))
        return (perf_counter() - started) * 1e3

    return measure


def _counted(path: Path) -> Measure:
    def measure() -> float:
        started = perf_counter()
        with path.open("rb") as file:
            assert len(Counter(json.loads(line).get("call") for line in file)) == 6
        return (perf_counter() - started) * 1e3

    return measure
