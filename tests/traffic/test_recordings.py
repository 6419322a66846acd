"""The recordings of traces/traffic are read as they are."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from simwasm.exchange import Exchange
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.jsonl import JsonLines, write
from simwasm.traffic.notes import telling

FOLDER = Path(__file__).parents[2] / "traces" / "traffic"
RECORDINGS = sorted([*FOLDER.glob("*.har"), *FOLDER.glob("*.jsonl")])


def by_name(name: str) -> Exchange:
    found = (exchange for path in RECORDINGS for exchange in read_traffic(path) if exchange.name == name)
    return next(found)


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
