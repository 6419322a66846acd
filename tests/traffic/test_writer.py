"""The format that is written is the one that was named; what it cannot carry is counted."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from simwasm.conversation import client, conversation
from simwasm.errors import InputError
from simwasm.exchange import Chunk, Connection, Exchange, Message, Tls, request, response
from simwasm.traffic.losses import Losses, Part, parts
from simwasm.traffic.notes import telling
from simwasm.traffic.writer import WRITERS, chosen_writer

PLAIN = Exchange("1", 0, request("GET", "/"), response(200))


@pytest.mark.parametrize(
    ("to", "output"),
    [
        ("jsonl", "x.har"),
        (".JSONL", "-"),
        ("simwasm", "-"),
        ("", "day.jsonl"),
        ("", "DAY.JSONL.gz"),
        ("", "a/b.jsonl.zst"),
    ],
)
def test_a_format_is_known_by_its_name_and_by_the_files(to: str, output: str) -> None:
    assert chosen_writer(to, output).formats[0] == "jsonl"


@pytest.mark.parametrize(
    ("to", "output", "message"),
    [
        ("jsnol", "-", "--to jsnol: there is no such format; did you mean jsonl? known: jsonl"),
        ("", "-", "standard output has no name that tells the format; say it by --to: jsonl"),
        ("", "day.gz", "day.gz: its name does not tell the format; say it by --to: jsonl"),
    ],
)
def test_a_format_nobody_knows_is_told_with_those_that_are_known(to: str, output: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        chosen_writer(to, output)
    assert str(caught.value).startswith(message)


def test_no_two_writers_say_the_same() -> None:
    words = [word for writer in WRITERS for word in (*writer.formats, *writer.suffixes)]
    assert sorted(words) == sorted(set(words))


PARTS = {
    Part.ID: replace(PLAIN, id="a7"),
    Part.NAME: replace(PLAIN, name="login"),
    Part.STARTED: replace(PLAIN, started_ns=1),
    Part.TRAILERS: replace(PLAIN, request=request("GET", "/", trailers=[("a", "1")])),
    Part.PIECES: replace(PLAIN, response=response(200, body=[b"a", b"b"])),
    Part.PIECE_TIMES: replace(PLAIN, request=PLAIN.request._replace(body=(Chunk(b"", 5),))),
    Part.RESPONSE_TIME: replace(PLAIN, response=response(200, after_ns=1)),
    Part.PROTOCOL: replace(PLAIN, connection=Connection(protocol="HTTP/2")),
    Part.CONNECTION: replace(PLAIN, connection=Connection(id=2)),
    Part.ADDRESSES: replace(PLAIN, connection=Connection(source="10.0.0.1:5")),
    Part.TLS: replace(PLAIN, connection=Connection(tls=Tls())),
    Part.EARLY: replace(PLAIN, early=True),
    Part.PARTIAL: replace(PLAIN, partial=True),
}


@pytest.mark.parametrize("part", PARTS, ids=[part.name for part in PARTS])
def test_what_an_exchange_has_is_known(part: Part) -> None:
    assert set(parts(PARTS[part])) == {Part.RESPONSE, part}


def test_losses_are_counted_by_what_is_lost() -> None:
    notes: list[str] = []
    losses = Losses("HAR", carries={Part.RESPONSE})
    named = [replace(PLAIN, id=str(number), name="login") for number in (3, 4)]
    tcp = conversation("5", [client(b"PING")])
    assert list(losses.checked([PLAIN, *named, tcp, replace(PLAIN, id="6", early=True)])) != []
    losses.tell(telling(notes.append))
    assert notes == [
        "2 exchanges: names (HAR has no place for it), first #3",
        "1 exchange left out: TCP connections (HAR has no place for it), #5",
        "1 exchange: that the upstream answers early (HAR has no place for it), #6",
    ]


def test_a_tcp_connection_does_not_come_through() -> None:
    assert list(Losses("HAR").checked([conversation("1", [client(b"PING")])])) == []


PSEUDO = ((":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"))


def _told(format: str, exchange: Exchange) -> list[str]:
    notes: list[str] = []
    chosen_writer(format, "-").write([exchange], io.BytesIO(), telling(notes.append))
    return [note.partition(" (")[0] for note in notes]


@pytest.mark.parametrize("format", [writer.formats[0] for writer in WRITERS])
def test_the_order_of_pseudo_headers_is_kept_or_told(format: str) -> None:
    asked = Exchange("1", 0, Message(PSEUDO), response(200))
    kept = format in ("jsonl", "har") or format.startswith("tap")
    assert ("1 exchange: the order of pseudo headers" in _told(format, asked)) is not kept


@pytest.mark.parametrize(
    ("format", "exchange", "what"),
    [
        ("flows", Exchange("1", 0, request("CONNECT", "/")), "1 exchange left out: CONNECT requests"),
        (
            "flows",
            Exchange("1", 0, request("GET", "/a b")),
            "1 exchange left out: paths with blanks or control characters",
        ),
        (
            "flows",
            Exchange("1", 0, request("GET", "/"), response(0)),
            "1 exchange left out: responses without a status of HTTP",
        ),
        (
            "har",
            Exchange("1", 0, request("GET", "/"), response(0)),
            "1 exchange: responses without a status of HTTP",
        ),
        ("access-log", Exchange("login", 0, request("GET", "/")), "1 exchange: ids"),
    ],
)
def test_what_would_not_come_back_is_told(format: str, exchange: Exchange, what: str) -> None:
    assert what in _told(format, exchange)
