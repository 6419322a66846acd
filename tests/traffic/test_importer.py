"""The importer that recognises a file reads it; what nobody recognises is described."""

from __future__ import annotations

from pathlib import Path

import pytest

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange, request
from simwasm.traffic.importer import IMPORTERS, read_traffic
from simwasm.traffic.jsonl import write
from simwasm.traffic.notes import telling

UNANSWERED = b'{"request": {"method": "GET", "url": "http://a/"}, "response": {"status": 0}}'


def test_the_importer_that_says_yes_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "login"
    with path.open("wb") as stream:
        write([Exchange("1", 0, request("GET", "/"))], stream)
    assert [exchange.label for exchange in read_traffic(path)] == ["GET /"]


def test_what_an_importer_leaves_out_is_told(tmp_path: Path) -> None:
    path = tmp_path / "login.har"
    path.write_bytes(b'{"log": {"entries": [' + UNANSWERED + b"]}}")
    notes: list[str] = []
    assert list(read_traffic(path, telling(notes.append))) == []
    assert notes == [f"{path}, entry 1: a/ got no answer; skipped"]


UNKNOWN = {
    b"": "is empty",
    b" \r\n\n": "is empty",
    b"\xef\xbb\xbf": "is empty",
    b"\0asm\1\0\0\0": "is a WebAssembly module, which is a plugin and not traffic",
    b"PK\x03\x04": "is compressed in a way that is not read here: unpack it first",
    b"\xff\xfe{\0": "is UTF-16 text: save it as UTF-8",
    b"\xd4\xc3\xb2\xa1\2\0": "is a packet capture",
    b"\n<!DOCTYPE html>": "is an HTML page, perhaps an error page that was saved",
    b"<?xml version='1.0'?>": "is XML",
    b"\x89PNG\r\n\x1a\n": "is binary",
    b'{"name": "login"}': "is JSON, but of no kind that is known here",
    b"[package]\nname = 'login'": "is of no format known here",
    b"# ours\napiVersion: v1\n": "is a configuration, which is no traffic",
    b"hello": "is of no format known here",
}


@pytest.mark.parametrize(("data", "looks"), UNKNOWN.items(), ids=list(map(str, UNKNOWN)))
def test_a_file_nobody_recognises_is_described(tmp_path: Path, data: bytes, looks: str) -> None:
    path = tmp_path / "login.har"
    path.write_bytes(data)
    with pytest.raises(TrafficError) as caught:
        list(read_traffic(path))
    names = ", ".join(importer.name for importer in IMPORTERS)
    assert str(caught.value) == f"{path}: {looks}; what can be read: {names}"


@pytest.mark.parametrize(
    ("name", "why"), [("missing.har", "No such file or directory"), ("a\0b", "embedded null byte")]
)
def test_a_path_that_cannot_be_opened_is_told(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(TrafficError, match=f"cannot be read: {why}; is the path right"):
        list(read_traffic(f"{tmp_path}/{name}"))
