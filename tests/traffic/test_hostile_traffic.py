"""Whatever a file holds, an importer reads exchanges or tells what is wrong: no traceback, no hang, nothing half.

Files that real tools wrote, and one of each writer, are damaged in many ways; any importer may have to read them.
`SIMWASM_EXAMPLES=100000 pytest tests/traffic/test_hostile_traffic.py` looks for longer.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.errors import TrafficError
from simwasm.exchange import Connection, Exchange, request, response
from simwasm.traffic.importer import IMPORTERS, Importer
from simwasm.traffic.jsonl import JsonLines, write
from simwasm.traffic.notes import Notes
from simwasm.traffic.writer import WRITERS

FOLDER = Path(__file__).parents[2] / "traces" / "traffic"
LARGEST = 20_000
POSTED = Exchange(
    "1",
    1_725_525_211_079_000_000,
    request("POST", "/é?a=1", headers=[("content-type", "text/plain"), ("cookie", "a=1")], body=b"caf\xc3\xa9 \xff"),
    response(201, headers=[("set-cookie", "a"), ("set-cookie", "b")], body=b"hello\n", after_ns=5_000_000),
    Connection(destination="127.0.0.1:80"),
)  # fmt: skip
CURL = b"curl -X POST 'https://shop.example/cart?a=1' -H 'Accept: */*' --data-raw $'a\\nb' --compressed -u ann:x\n"
HTTP = b'### a name\n@host = shop.example\nPOST https://{{host}}/cart?a=1\nAccept: */*\n\n{"a": 1}\n\n###\nGET http://a/\n'
RAW = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"
TOKENS = (b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\n", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"-1",
          b"9" * 30, b"1e999", b"NaN", b"null", b'"\\ud800"', b"4294967295:", b"\xff\xff\xff\xff\x0f", b"$(", b"'",
          b"[" * 3000, b"<html>", b"99999999999:")  # fmt: skip
JUNK: list[Any] = [
    None, True, -1, 0, 1.5, 10**400, 1e308, "", "\ud800", "a\r\nb\0", "é" * 9, "2024-13-45T99:99:99Z", [], [[]], {},
    {"a": 1}, "9" * 5000, [["a", "b"]] * 50,
]  # fmt: skip

often = settings(max_examples=int(os.environ.get("SIMWASM_EXAMPLES", "40")))


def _written() -> Iterable[tuple[str, bytes]]:
    for writer in WRITERS:
        stream = io.BytesIO()
        writer.write([POSTED, POSTED], stream, Notes())
        yield writer.formats[0], stream.getvalue()


FILES = {
    **{str(path.relative_to(FOLDER)): path.read_bytes() for path in sorted(FOLDER.rglob("*.*"))
       if path.stat().st_size < LARGEST and path.suffix not in (".md", ".py", ".mjs")},
    **dict(_written()),
    "curl": CURL,
    "http": HTTP,
    "raw": RAW,
}  # fmt: skip
OWN = {
    name: importer
    for name, data in FILES.items()
    for importer in [next((each for each in IMPORTERS if each.sniff(data[:4096])), None)]
    if importer
}
"""What reads a file as it is; those that nobody reads are answers to callouts and the like."""


def assert_read_or_told(importer: Importer, data: bytes) -> None:
    """What is read of a damaged file is a whole exchange, which every writer can write and ours gives back."""
    broken: list[TrafficError] = []
    importer.sniff(data[:4096])
    exchanges: list[Exchange] = []
    with suppress(TrafficError):
        exchanges.extend(importer.read(io.BytesIO(data), "x", Notes(broken=broken.append)))
    stream = io.BytesIO()
    write(exchanges, stream)
    stream.seek(0)
    assert list(JsonLines().read(stream, "copy", Notes())) == exchanges
    for writer in WRITERS:
        writer.write(exchanges, io.BytesIO(), Notes())


def test_every_importer_has_a_file_of_its_own() -> None:
    assert {importer.name for importer in OWN.values()} == {importer.name for importer in IMPORTERS}


@pytest.mark.parametrize("name", OWN)
def test_a_file_as_it_is_is_read_whole(name: str) -> None:
    assert list(OWN[name].read(io.BytesIO(FILES[name]), name, Notes()))


@often
@given(st.sampled_from(sorted(OWN)), st.data())
def test_damaged_bytes_are_told(name: str, data: st.DataObject) -> None:
    damaged = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged)))
        put = data.draw(st.binary(max_size=8) | st.sampled_from(TOKENS))
        damaged[at : at + data.draw(st.integers(0, 40))] = put
    assert_read_or_told(OWN[name], bytes(damaged))


@often
@given(st.sampled_from(sorted(OWN)), st.data())
def test_a_file_cut_off_is_told(name: str, data: st.DataObject) -> None:
    assert_read_or_told(OWN[name], FILES[name][: data.draw(st.integers(0, len(FILES[name])))])


@often
@given(st.sampled_from(sorted(OWN)), st.data())
def test_pieces_of_a_file_in_another_order_are_told(name: str, data: st.DataObject) -> None:
    whole = FILES[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=2, max_size=4)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert_read_or_told(OWN[name], b"".join(data.draw(st.permutations([*pieces, pieces[1]]))))


JSON = sorted(name for name, data in FILES.items() if name in OWN and data[:1] == b"{")


@often
@given(st.sampled_from(JSON), st.data())
def test_values_of_the_wrong_kind_are_told(name: str, data: st.DataObject) -> None:
    """Some values anywhere in the file become others, or go."""
    lines = list(values(FILES[name].decode()))
    for _ in range(data.draw(st.integers(1, 3))):
        spoil(data.draw(st.sampled_from(lines)), data)
    assert_read_or_told(OWN[name], "\n".join(json.dumps(line) for line in lines).encode())


def values(text: str) -> Iterable[Any]:
    """All JSON values of a text, one behind the other."""
    while text := text.lstrip():
        value, end = json.JSONDecoder().raw_decode(text)
        yield value
        text = text[end:]


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


@often
@given(st.sampled_from(IMPORTERS), st.sampled_from(sorted(FILES)) | st.binary(max_size=200))
def test_a_file_of_another_kind_is_told(importer: Importer, given: str | bytes) -> None:
    assert_read_or_told(importer, FILES[given] if isinstance(given, str) else given)


@pytest.mark.parametrize("importer", IMPORTERS, ids=lambda importer: importer.name)
def test_the_same_again_and_again_is_told(importer: Importer) -> None:
    for token in TOKENS:
        assert_read_or_told(importer, token * (10_000 // len(token)))
