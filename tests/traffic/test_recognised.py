"""Every file is read by its importer, by its content alone; only an access log may stand inside of something else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from cases import TRACES

from simwasm.traffic.importer import IMPORTERS, read_traffic
from simwasm.traffic.notes import Notes
from simwasm.traffic.opening import Opened
from simwasm.traffic.writer import WRITERS

TRAFFIC = TRACES / "traffic"
NO_TRAFFIC = (".py", ".pyc", ".md", ".mjs", ".callouts.json", ".denied.json", ".let_in.json")
REAL = sorted(path for path in TRAFFIC.rglob("*") if path.is_file() and not path.name.endswith(NO_TRAFFIC))
HTTP, RAW, CURL = "editors' request files (.http, .rest)", "raw HTTP/1.1 text", "curl command lines"
ACCESS_LOG = IMPORTERS[-1].name
TEXTS = {
    "GET https://a.example/x\n": HTTP,
    "GET https://a.example/x HTTP/1.1\naccept: */*\n": HTTP,
    "### first\nGET /x HTTP/1.1\nHost: a\n": HTTP,
    "@host = a\n\nGET {{host}}/x\n": HTTP,
    "# a comment\n// another\nPOST a.example:80/x\n\n{}\n": HTTP,
    "https://a.example/x\n": HTTP,
    "GET /x HTTP/1.1\nHost: a\n\n###\nGET /y HTTP/1.1\nHost: a\n": HTTP,
    "GET {{host}}/x HTTP/1.1\n": HTTP,
    "### curl\ncurl http://a/\n": HTTP,
    "< {%\n x\n%}\nGET http://a/\n": HTTP,
    "GRAPHQL http://a/\n\nquery { x }\n": HTTP,
    "GET /x HTTP/1.1\nHost: a\n\n": RAW,
    "POST http://a/x HTTP/1.1\nHost: a\nContent-Length: 11\n\n### no {{x}}": RAW,
    "GET / HTTP/1.0\n\n": RAW,
    "GET / HTTP/2\nHost: a\n\n": RAW,
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n": RAW,
    "GET / HTTP/1.1\nHost: a\n\nHTTP/1.1 200 OK\n\n### a page\n": RAW,
    "CONNECT a:443 HTTP/1.1\nHost: a\n\n": RAW,
    "curl http://a/\n": CURL,
    "#!/bin/sh\n# why\nset -e\n\n$ curl -X POST 'http://a/' \\\n  -d x\n": CURL,
    'curl ^"http://a/^" ^\n  -H ^"x: y^"\n': CURL,
    "A=1\ncurl.exe http://a/\n": CURL,
    "user@host:~$ curl http://a/\n": CURL,
    "base64 -d <<'END' | curl 'http://a/' \\\n --data-binary @-\nAA==\nEND\n": CURL,
}
OTHERS = (
    "# A title\n\nSome text about GET /x and curl.\n",
    "hello curl http://a/\n",
    "apiVersion: v1\n",
    "// code\nconst x = 1\n",
    "GET\n",
    "GET away\n",
    "POST it\n",
    "curly: 1\n",
    "curl: (6) no\n",
    "name,method\na,GET\n",
    "",
    "\n\n",
    "{}\n",
    "[]",
    "<html>",
    "HTTP/1.1\n",
    "#\n",
    "# only a comment\n",
    "import os\n",
    "FROM scratch\n",
)


def _recognised(data: bytes) -> list[str]:
    head = Opened(io.BytesIO(data)).head  # type: ignore[arg-type]  # it reads as a raw stream does
    found = [importer.name for importer in IMPORTERS if importer.sniff(head)]
    return found if found == [ACCESS_LOG] else [name for name in found if name != ACCESS_LOG]


def _forms(data: bytes) -> list[bytes]:
    """The same file as other editors save it."""
    crlf = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return [data, b"\xef\xbb\xbf" + data, b"\n\n" + data, crlf, b"\xef\xbb\xbf\r\n" + crlf]


@pytest.mark.parametrize("path", REAL, ids=[str(path.relative_to(TRAFFIC)) for path in REAL])
def test_a_real_recording_is_recognised_by_one(path: Path) -> None:
    (name,) = _recognised(path.read_bytes())
    assert next(read_traffic(path, Notes(lambda text: None, lambda error: None)), None) is not None
    if path.suffix == ".har":
        assert name == "HAR (.har)"


@pytest.mark.parametrize(("text", "name"), TEXTS.items(), ids=list(TEXTS))
def test_a_text_is_recognised_by_its_importer_however_it_is_saved(text: str, name: str) -> None:
    assert [_recognised(form) for form in _forms(text.encode())] == [[name]] * 5


@pytest.mark.parametrize("text", OTHERS)
def test_other_texts_are_recognised_by_nobody(text: str) -> None:
    assert [_recognised(form) for form in _forms(text.encode())] == [[]] * 5


@pytest.mark.parametrize("writer", WRITERS, ids=[writer.formats[0] for writer in WRITERS])
def test_what_is_written_is_recognised_by_one(writer: object) -> None:
    assert writer in WRITERS
    stream = io.BytesIO()
    exchanges = read_traffic(TRAFFIC / "allow_header.har")
    next(one for one in WRITERS if one is writer).write(exchanges, stream, Notes())
    assert len(_recognised(stream.getvalue())) == 1
