"""How fast recorded traffic is read, and in how much memory, each format beside a parse of its bytes by somebody else.

The peer reads the same file with `json` alone: a HAR at once, other JSON line by line. That of mitmproxy's flows is its
own reader, where there is one (SIMWASM_MITMDUMP). Other formats have no peer. How much memory a reader needs is asked
of a process of its own, which reads from a pipe. SIMWASM_EXCHANGES says for how many it is asked; a million take a
quarter of an hour.

Rule: a file is not written exchange by exchange, which would take longer than to read it: what a writer adds for a few
is repeated.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from benchmarks.row import MEGABYTES, Measure, Row, Target, Unit, in_turns
from simwasm.exchange import Connection, Exchange, request, response
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.notes import Notes
from simwasm.traffic.writer import WRITERS, Writer

EXCHANGES = Unit("exch/s", more_is_better=True)
_ASKED = [
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("accept-language", "en-US,en;q=0.9,pl;q=0.8"),
    ("accept-encoding", "gzip, deflate, br"),
    ("referer", "https://shop.example/cart?from=list&page=3"),
    ("cookie", "session=0123456789abcdef0123456789abcdef; theme=dark; consent=all"),
    ("sec-fetch-mode", "navigate"),
    ("x-request-id", "d5250d1a-54b3-406d-8bea-5a51b617b579"),
]  # fmt: skip
_ANSWERED = [
    ("content-type", "application/json"),
    ("cache-control", "no-cache"),
    ("date", "Thu, 05 Sep 2024 08:33:31 GMT"),
    ("server", "istio-envoy"),
    ("vary", "accept-encoding"),
]
_BODY = b'{"items": [%s]}' % b", ".join(b'{"id": %d, "name": "thing"}' % number for number in range(20))
_REMEMBERED = ("jsonl", "har", "flows", "tap", "access-log")
"""The formats of which memory is measured."""
_MITMDUMP = os.environ.get("SIMWASM_MITMDUMP", "")
_FLOW_READER = """
import sys
from mitmproxy.io import FlowReader
for _ in FlowReader(open(sys.argv[1], "rb")).stream(): pass
"""
_FEW, _MANY = 10_000, int(os.environ.get("SIMWASM_EXCHANGES", "100000"))
_WRITTEN = 1_000
"""How many exchanges are written; others repeat them."""
_READ = """
import re
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.notes import Notes
assert sum(1 for _ in read_traffic("-", Notes(print))) == {size}
print(re.search("VmHWM:\\\\s+(\\\\d+) kB", open("/proc/self/status").read())[1])
"""


def rows(*, rounds: int = 1, size: int = 100_000, many: int = _MANY) -> Iterator[Row]:
    """Speed of each format, then memory."""
    with TemporaryDirectory(prefix="simwasm-bench-") as folder:
        for writer in WRITERS:
            path = Path(folder, f"day.{writer.formats[0]}")
            with path.open("wb") as stream:
                _write(writer, size, stream)
            yield _speed(path, size, rounds)
            path.unlink()
    for writer in WRITERS:
        if writer.formats[0] in _REMEMBERED:
            few, more = _memory(writer, _FEW), _memory(writer, many)
            what = f"{writer.formats[0]}: peak for {many:,} / for {_FEW:,}"
            yield Row("importers", what, MEGABYTES, (more,), (few,), Target(1.2))


def _write(writer: Writer, size: int, stream: BinaryIO) -> None:
    """Write so many exchanges, of which the first come again and again."""
    kept = list(_exchanges(min(size, _WRITTEN)))
    once, twice = _written(writer, kept), _written(writer, [*kept, *kept])
    begun = len(os.path.commonprefix([once, twice]))  # noqa: RUF071  # of any bytes
    more = twice[begun : begun + len(twice) - len(once)]
    assert size % len(kept) == 0
    assert twice == once[:begun] + more + once[begun:]
    stream.write(once[:begun])
    for _ in range(size // len(kept) - 1):
        stream.write(more)
    stream.write(once[begun:])


def _written(writer: Writer, exchanges: list[Exchange]) -> bytes:
    stream = BytesIO()
    writer.write(exchanges, stream, Notes())
    return stream.getvalue()


def _speed(path: Path, size: int, rounds: int) -> Row:
    what = f"{path.suffix[1:]}: {size:,}"
    parse = _peer(path)
    name = "mitmproxy's FlowReader" if path.suffix == ".flows" else "json alone"
    if parse is None:
        (ours,) = in_turns(rounds, _read(path, size))
        return Row("importers", what, EXCHANGES, ours)
    ours, peer = in_turns(rounds, _read(path, size), _timed(parse, path, size))
    return Row("importers", f"{what} / {name}", EXCHANGES, ours, peer)


def _exchanges(size: int) -> Iterator[Exchange]:
    """A day of a shop: 40 clients, each of which asks again and again."""
    for number in range(size):
        client = number % 40
        yield Exchange(
            str(number + 1),
            1_725_525_211 * 10**9 + number * 10**6,
            request("GET", f"/items?page={number}", host="shop.example", headers=_ASKED),
            response(200, headers=_ANSWERED, body=_BODY, after_ns=5_000_000),
            Connection(client + 1, f"127.0.0.1:{50_001 + client}", "127.0.0.1:80"),
        )


def _peer(path: Path) -> Callable[[Path], None] | None:
    if path.suffix == ".har":
        return _at_once
    if path.suffix == ".flows":
        return _by_mitmproxy if _MITMDUMP else None
    with path.open("rb") as file:
        return _by_line if file.read(1) == b"{" else None


def _by_mitmproxy(path: Path) -> None:
    python = Path(_MITMDUMP).with_name("python")
    subprocess.run([python, "-c", _FLOW_READER, path], check=True)


def _at_once(path: Path) -> None:
    json.loads(path.read_bytes())


def _by_line(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


def _read(path: Path, size: int) -> Measure:
    def read(path: Path) -> None:
        assert sum(1 for _ in read_traffic(path)) == size

    return _timed(read, path, size)


def _timed(read: Callable[[Path], None], path: Path, size: int) -> Measure:
    def measure() -> float:
        started = _worked()
        read(path)
        return size / (_worked() - started)

    return measure


def _worked() -> float:
    """Seconds of the processor, with those of programs that were started."""
    return sum(os.times()[:4])


def _memory(writer: Writer, size: int) -> float:
    """The most memory that a process needs to read so many, in MB.

    `getrusage` will not do: what it tells of a child begins with the memory of its parent.
    """
    command = [sys.executable, "-c", _READ.format(size=size)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdin
        assert reader.stdout
        _write(writer, size, cast("BinaryIO", reader.stdin))
        reader.stdin.close()
        kilobytes = int(reader.stdout.read().split()[-1])
    return kilobytes / 1024
