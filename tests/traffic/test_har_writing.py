"""A HAR that is written can be read again; what it has no place for is told."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from simwasm.exchange import Chunk, Connection, Exchange, Tls, request, response, to_text
from simwasm.traffic.har import Har
from simwasm.traffic.har_writing import HarWriter
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.notes import telling
from tests.traffic.test_jsonl import exchanges

RECORDINGS = sorted((Path(__file__).parents[2] / "traces" / "traffic").glob("*.har"))


def written(*given: Exchange, notes: list[str] | None = None) -> bytes:
    stream = io.BytesIO()
    heard: list[str] = [] if notes is None else notes
    HarWriter().write(given, stream, telling(heard.append))
    return stream.getvalue()


def read(data: bytes) -> list[Exchange]:
    return list(Har().read(io.BytesIO(data), "a.har", telling(print)))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_a_recording_comes_back_and_loses_nothing(path: Path) -> None:
    notes: list[str] = []
    recorded = list(read_traffic(path))
    assert read(written(*recorded, notes=notes)) == recorded
    assert notes == []


def test_a_request_that_nobody_answered_comes_back_without_an_answer() -> None:
    asked = Exchange("1", 0, request("POST", "/login", body=b"{}"))
    notes: list[str] = []
    (found,) = read(written(asked, notes=notes))
    assert (found.request, found.response) == (asked.request, None)
    assert notes == []


def test_no_exchange_makes_a_har_without_entries() -> None:
    assert json.loads(written())["log"]["entries"] == []


def test_an_encoded_body_is_written_decoded() -> None:
    body = gzip.compress(b"hello")
    answer = response(200, headers=[("content-encoding", "gzip")], body=body)
    notes: list[str] = []
    entry: dict[str, Any] = json.loads(written(Exchange("1", 0, request("GET", "/"), answer), notes=notes))
    assert entry["log"]["entries"][0]["response"]["content"]["text"] == "hello"
    assert notes == ["1 exchange: how bodies of responses were encoded (HAR has no place for it), #1"]


def test_a_body_that_is_not_what_its_encoding_says_is_written_as_it_is() -> None:
    answer = response(200, headers=[("content-encoding", "gzip")], body=b"hello")
    (found,) = read(written(Exchange("1", 0, request("GET", "/"), answer)))
    assert found.response is not None
    assert found.response.data == b"hello"


LOST = {
    "trailers": Exchange("1", 0, request("GET", "/", trailers=[("a", "b")])),
    "how bodies were cut into pieces": Exchange("1", 0, request("POST", "/", body=[b"a", b"b"])),
    "times of pieces of bodies": Exchange("1", 0, request("GET", "/")._replace(body=(Chunk(b"a", 5),))),
    "addresses of client and server": Exchange(
        "1", 0, request("GET", "/"), connection=Connection(source="10.0.0.1:5")
    ),
    "details of TLS": Exchange(
        "1", 0, request("GET", "/"), connection=Connection(tls=Tls(mtls=True), destination="127.0.0.1:80")
    ),
    "bytes of headers that are not UTF-8": Exchange(
        "1", 0, request("GET", "/", headers=[("a", to_text(b"\xff"))])
    ),
    "when they began": Exchange("1", 10**30, request("GET", "/")),
}


@pytest.mark.parametrize(("what", "exchange"), LOST.items(), ids=list(LOST))
def test_what_har_has_no_place_for_is_told(what: str, exchange: Exchange) -> None:
    notes: list[str] = []
    written(exchange, notes=notes)
    assert f"1 exchange: {what} (HAR has no place for it), #1" in notes


@given(exchanges)
def test_whatever_an_exchange_holds_is_written_as_json(exchange: Exchange) -> None:
    assert len(json.loads(written(exchange))["log"]["entries"]) == 1
