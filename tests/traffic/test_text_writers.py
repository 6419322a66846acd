"""Requests written as text come back as they were; what cannot is left out, and told."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cases import TRACES
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.exchange import Chunk, Connection, Exchange, Message, request, response
from simwasm.traffic.importer import IMPORTERS, read_traffic
from simwasm.traffic.notes import Notes, telling
from simwasm.traffic.writer import chosen_writer

FORMATS = ("http", "raw", "curl")
IMPORTER = {"http": "editors'", "raw": "raw", "curl": "curl"}
TAILS = (b"", b"\n", b"\r\n", b"\n\n")
AWKWARD = (
    b"plain", b"###\n", b"a\n### b", b"{{x}}", b"< file", b"> {% x %}", b"<> x", b"\n\nx", b"'\"\\$`!", b"\0\xff",
    b"x\r\ny", b"HTTP/1.1 200 OK\n\n", b"GET / HTTP/1.1\n", b"END\n", b"\xc3\xbc", b"@x = y",
)  # fmt: skip


PSEUDO = request("POST", "/").headers[:4]


def _written(format: str, *exchanges: Exchange, notes: list[str] | None = None) -> bytes:
    stream = io.BytesIO()
    heard: list[str] = [] if notes is None else notes
    chosen_writer(format, "-").write(exchanges, stream, telling(heard.append))
    return stream.getvalue()


def _read(format: str, data: bytes) -> list[Exchange]:
    importer = next(one for one in IMPORTERS if one.name.startswith(IMPORTER[format]))
    return list(importer.read(io.BytesIO(data), "-", Notes()))


def _told(exchange: Exchange) -> list[tuple[str, str]]:
    return [
        header for header in exchange.request.headers if header[0] not in ("connection", "content-length")
    ]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", sorted(path.name for path in (TRACES / "traffic").glob("*.har")))
def test_the_requests_of_browsers_come_back(format: str, name: str) -> None:
    exchanges = list(read_traffic(TRACES / "traffic" / name))
    again = _read(format, _written(format, *exchanges))
    assert len(again) == len(exchanges) > 0
    for before, after in zip(exchanges, again, strict=True):
        assert sorted(_told(after)) == sorted(_told(before))
        assert after.request.data == before.request.data
        if format == "raw":
            assert (after.response and after.response.headers) == (
                before.response and before.response.headers
            )
            assert (after.response and after.response.data) == (before.response and before.response.data)


_HEADERS = st.lists(
    st.tuples(st.sampled_from(["x-a", "x-b", "accept", "user-agent", "content-type", "cookie"]),
              st.sampled_from(["", "1", "a b", "it's \"x\"", "ü", "\udcff", "{{x}}", "$HOME `id`", "a\\nb", "#"])),
    max_size=4,
)  # fmt: skip
_BODIES = st.tuples(st.sampled_from(AWKWARD), st.sampled_from(TAILS)).map(b"".join)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FORMATS),
    st.sampled_from(["GET", "POST", "HEAD", "PATCH"]),
    st.sampled_from(
        ["/", "/a?b=c&d", "/%20'", "/[1-3]{a}", "/a/../b", "//x", "/{{x}}", "/ü", "/a\\b", "/x HTTP/1.1"]
    ),
    st.sampled_from(["http", "https"]),
    _HEADERS,
    _BODIES,
)
def test_what_comes_back_is_what_was_written(
    format: str, method: str, path: str, scheme: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    asked = request(method, path, host="a.example", scheme=scheme, headers=headers, body=body)
    notes: list[str] = []
    good = request("GET", "/good")
    found = _read(format, _written(format, Exchange("1", 0, asked), Exchange("2", 0, good), notes=notes))
    assert found[-1].label == "GET /good"
    told = " ".join(notes)
    if len(found) == 1:
        assert "left out: requests that it cannot say" in told
        return
    (before, after) = (asked, found[0].request)
    assert after.headers[:4] == before.headers[:4]
    assert after.data == before.data or "bodies that it cannot say" in told
    kept = [
        header for header in after.headers[4:] if header[0] not in ("content-length", "transfer-encoding")
    ]
    assert kept == [h for h in before.headers[4:] if h[0] != "content-length"] or "header" in told


def test_raw_text_keeps_chunks_and_trailers() -> None:
    asked = Message(request("POST", "/").headers, (Chunk(b"a"), Chunk(b"bc")), (("x-t", "1"),))
    notes: list[str] = []
    (again,) = _read("raw", _written("raw", Exchange("1", 0, asked, response(200, body=b"hi")), notes=notes))
    assert (again.request.body, again.request.trailers) == (asked.body, asked.trailers)
    assert notes == [
        "1 exchange: that no header told where their bodies end (HTTP/1.1 has no place for it), #1"
    ]


def test_raw_text_gives_no_response_to_another_request() -> None:
    asked = [Exchange(str(number), 0, request("GET", f"/{number}")) for number in (1, 2, 3)]
    asked[1] = replace(asked[1], response=response(404))
    notes: list[str] = []
    found = _read("raw", _written("raw", *asked, notes=notes))
    what = "that nobody answered, while later ones were: they get an empty 200"
    assert f"1 exchange: {what} (HTTP/1.1 has no place for it), #1" in notes
    answers = [(one.label, one.response and one.response.header(":status")) for one in found]
    assert answers == [("GET /1", "200"), ("GET /2", "404"), ("GET /3", None)]


def test_a_header_that_would_make_two_is_not_written() -> None:
    notes: list[str] = []
    asked = request("GET", "/", headers=[("x", "1\r\ny: 2")])
    assert [_written(format, Exchange("1", 0, asked), notes=notes) for format in ("http", "raw")] == [
        b"",
        b"",
    ]
    assert len(notes) == 2


def test_what_is_lost_is_told_once_for_all() -> None:
    notes: list[str] = []
    there = Connection(source="10.0.0.1:7", protocol="HTTP/2")
    exchange = Exchange("1", 5, request("GET", "/"), response(200), there, name="login")
    _written("http", exchange, replace(exchange, id="2"), notes=notes)
    assert sorted(note.split(" (")[0] for note in notes) == [
        "2 exchanges: addresses of client and server",
        "2 exchanges: responses",
        "2 exchanges: when they began",
    ]


@pytest.mark.parametrize(
    ("format", "headers", "what"),
    [
        ("http", [], "that no header told where their bodies end"),
        ("raw", [], "that no header told where their bodies end"),
        (
            "curl",
            [("content-length", "1"), ("x-a", "1")],
            "where the header that tells the length of a body stood",
        ),
    ],
)
def test_other_headers_that_tell_where_a_body_ends_are_told(
    format: str, headers: list[tuple[str, str]], what: str
) -> None:
    notes: list[str] = []
    asked = Exchange("1", 0, Message((*PSEUDO, *headers), (Chunk(b"x"),)))
    chosen_writer(format, "-").write([asked], io.BytesIO(), telling(notes.append))
    assert [note.partition(" (")[0] for note in notes] == [f"1 exchange: {what}"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_takes_a_written_command_apart_as_we_do(tmp_path: Path) -> None:
    """The words that a real shell hands to curl make the same requests."""
    asked = [
        Exchange(str(number), 0, request("POST", "/", host="a", headers=[("x", "it's $x")], body=body))
        for number, body in enumerate(AWKWARD, 1)
    ]
    written = _written("curl", *asked)
    script = 'curl() { printf "%s\\n" "$@"; case "$*" in *@-*) cat;; esac; }\n'
    done = subprocess.run(
        ["bash"], input=script.encode() + written, capture_output=True, check=True, cwd=tmp_path, timeout=20
    )
    for body in AWKWARD:
        assert body in done.stdout
    assert [one.request.data for one in _read("curl", written)] == list(AWKWARD)
