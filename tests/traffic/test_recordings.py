"""The recordings of traces/traffic are read as they are; damaged copies of them are told, never stumbled over."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange
from simwasm.traffic.har import Har
from simwasm.traffic.importer import Importer, read_traffic
from simwasm.traffic.jsonl import JsonLines, write
from simwasm.traffic.notes import telling

FOLDER = Path(__file__).parents[2] / "traces" / "traffic"
RECORDINGS = sorted([*FOLDER.glob("*.har"), *FOLDER.glob("*.jsonl")])
SMALL = {path.name: path.read_bytes() for path in RECORDINGS}
IMPORTERS: dict[str, Importer] = {".har": Har(), ".jsonl": JsonLines()}
JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    10**400,
    1e308,
    "",
    "\ud800",
    "a\r\nb\0",
    "é" * 9,
    [],
    [[]],
    {},
    {"a": 1},
]

hard = settings(max_examples=300)


def by_name(name: str) -> Exchange:
    found = (exchange for path in RECORDINGS for exchange in read_traffic(path) if exchange.name == name)
    return next(found)


def assert_read_or_told(name: str, data: bytes) -> None:
    """Read what may be damaged; what is read all the same is a whole exchange, which can be written."""
    notes: list[str] = []
    with suppress(TrafficError):
        exchanges = list(IMPORTERS[Path(name).suffix].read(io.BytesIO(data), name, telling(notes.append)))
        assert reread(exchanges) == exchanges


def reread(exchanges: Iterable[Exchange]) -> list[Exchange]:
    stream = io.BytesIO()
    write(exchanges, stream)
    stream.seek(0)
    return list(JsonLines().read(stream, "copy.jsonl", telling(print)))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_a_recording_is_read_whole(path: Path) -> None:
    """Nothing is left out or lost, and our own format can hold it."""
    notes: list[str] = []
    exchanges = list(read_traffic(path, telling(notes.append)))
    assert exchanges
    assert notes == []
    assert reread(exchanges) == exchanges


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_a_recording_is_small(path: Path) -> None:
    assert path.stat().st_size < 60_000


def test_a_browsers_teapot_comes_with_and_without_the_header() -> None:
    first, second, *_ = read_traffic(FOLDER / "allow_header.har")
    assert [exchange.label for exchange in (first, second)] == ["GET /status/418"] * 2
    assert [exchange.request.header("allow") for exchange in (first, second)] == [None, "true"]
    assert second.response is not None
    assert second.response.header(":status") == "418"
    assert b"-=[ teapot ]=-" in second.response.data


def test_an_http2_recording_keeps_the_pseudo_headers_of_the_browser() -> None:
    exchange = next(read_traffic(FOLDER / "allow_header_go.har"))
    assert [name for name, _ in exchange.request.headers][:4] == [":authority", ":method", ":path", ":scheme"]
    assert (exchange.connection.protocol, exchange.connection.requested_server_name) == ("HTTP/2", "httpbin")


def test_a_compressed_answer_is_replayed_as_text_with_its_own_length() -> None:
    *_, exchange = read_traffic(FOLDER / "allow_header_go.har")
    assert exchange.label == "GET /gzip"
    assert exchange.response is not None
    assert exchange.response.header("content-encoding") is None
    assert exchange.response.header("content-length") == str(len(exchange.response.data))
    assert json.loads(exchange.response.data)["gzipped"] is True


def test_pieces_keep_their_borders_their_times_and_their_trailers() -> None:
    response = by_name("a word broken in two, trailers").response
    assert response is not None
    assert [chunk.data for chunk in response.body] == [b"the sec", b"ret is out\n"]
    assert all(chunk.after_ns >= 20_000_000 for chunk in response.body)
    assert response.trailers == (("x-sum", "18"),)


@hard
@given(st.sampled_from(sorted(SMALL)), st.data())
def test_damaged_bytes_are_told(name: str, data: st.DataObject) -> None:
    damaged = bytearray(SMALL[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=8))
    assert_read_or_told(name, bytes(damaged))


@hard
@given(st.sampled_from(sorted(SMALL)), st.data())
def test_values_of_the_wrong_kind_are_told(name: str, data: st.DataObject) -> None:
    """Some values anywhere in the file become others, or go, or their names change."""
    lines = [json.loads(line) for line in SMALL[name].splitlines()]
    for _ in range(data.draw(st.integers(1, 3))):
        spoil(data.draw(st.sampled_from(lines)), data)
    assert_read_or_told(name, "\n".join(json.dumps(line) for line in lines).encode())


def spoil(holder: Any, data: st.DataObject) -> None:
    """Walk down by chance and spoil what is found at the end."""
    while holder:
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        place = data.draw(st.sampled_from(places))
        below = holder[place]
        if not isinstance(below, (dict, list)) or not below or data.draw(st.integers(0, 5)) == 0:
            if data.draw(st.booleans()):
                holder[place] = deepcopy(data.draw(st.sampled_from(JUNK)))
            else:
                del holder[place]
            return
        holder = below


@hard
@given(st.sampled_from(sorted(SMALL)), st.data())
def test_a_recording_cut_off_is_told(name: str, data: st.DataObject) -> None:
    assert_read_or_told(name, SMALL[name][: data.draw(st.integers(0, len(SMALL[name])))])
