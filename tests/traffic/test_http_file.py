"""Editors' request files: what VS Code's REST Client and JetBrains' HTTP Client would send."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from simwasm.exchange import Exchange
from simwasm.traffic.http_file import HttpFile
from simwasm.traffic.notes import Notes, telling


def _read(text: str, notes: list[str] | None = None, where: str = "day.http") -> list[Exchange]:
    heard = telling(notes.append) if notes is not None else Notes()
    return list(HttpFile().read(io.BytesIO(text.encode()), where, heard))


def _one(text: str) -> Exchange:
    (exchange,) = _read(text)
    return exchange


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_requests_have_names_variables_headers_and_bodies(end: str) -> None:
    text = """@host = https://shop.example
@login = {{host}}/login

### log in
# @no-redirect
POST {{login}} HTTP/1.1
    ?user=ann
    &from=here
Content-Type: application/json
// a comment
X-Who: {{ host }}

{"user": "ann"}


###
# @name second
shop.example/x y
"""
    first, second = _read(text.replace("\n", end))
    assert (first.name, second.name) == ("log in", "second")
    assert first.request.headers == (
        (":authority", "shop.example"),
        (":path", "/login?user=ann&from=here"),
        (":method", "POST"),
        (":scheme", "https"),
        ("content-type", "application/json"),
        ("x-who", "https://shop.example"),
        ("content-length", "15"),
    )
    assert first.request.data == b'{"user": "ann"}'
    assert (first.response, first.connection.requested_server_name) == (None, "shop.example")
    assert second.request.headers[:4] == (
        (":authority", "shop.example"),
        (":path", "/x%20y"),
        (":method", "GET"),
        (":scheme", "http"),
    )


def test_a_path_goes_to_the_host_that_a_header_names() -> None:
    assert _one("GET /a\nHost: b:8080\n").request.headers[:2] == ((":authority", "b:8080"), (":path", "/a"))


@pytest.mark.parametrize(
    "name", ["$uuid", "$guid", "$random.uuid", "$randomInt 1 9", "$random.integer(1, 5)", "$random.alphabetic(7)",
             "$random.email", "$datetime rfc1123", "$isoTimestamp", "$timestamp -1 d"],
)  # fmt: skip
def test_what_an_editor_makes_up_is_the_same_every_time(name: str) -> None:
    text = f"GET http://a/\nX: {{{{{name}}}}}\n"
    value = _one(text).request.header("x")
    assert value is not None
    assert value != ""
    assert "{{" not in value
    assert _one(text).request.header("x") == value


def test_the_clock_stands_where_the_replays_does() -> None:
    assert _one("GET http://a/\nX: {{$timestamp}}\n").request.header("x") == "0"


@pytest.mark.parametrize(
    ("use", "why"),
    [
        (
            "{{nobody}}",
            "line 2: `{{nobody}}` at column 4 is not defined above; environments of editors are not read",
        ),
        ("{{login.response.body.token}}", "is from another request's response, which is not known here"),
        ("{{$processEnv HOME}}", "is not known here (known: $uuid, "),
        ("{{$random.alphabetic(999999999)}}", "is not known here"),
        ("{{$}}", "is not known here"),
    ],
)
def test_what_only_an_editor_knows_is_told_with_its_place(use: str, why: str) -> None:
    notes: list[str] = []
    found = _read(f"GET http://a/\nX: {use}\n\n### good\nGET http://b/\n", notes)
    assert [exchange.name for exchange in found] == ["good"]
    assert notes[0].startswith("day.http, request 1, line 1: line 2: ")
    assert why in notes[0]


def test_variables_that_grow_without_end_are_refused() -> None:
    notes: list[str] = []
    text = "@a = 0123456789\n" + "@a = {{a}}{{a}}\n" * 30 + "GET http://a/\n"
    assert len(_read(text, notes)) == 1
    assert "its variables make a text of more than 1,048,576 characters" in notes[0]


def test_what_is_for_the_editor_alone_is_skipped_and_told() -> None:
    notes: list[str] = []
    text = """< {%
  request.variables.set("x", 1)
%}
# @prompt password
POST http://a/

body
> {% client.test("x", () => {}) %}
> ./after.js
>> saved.json
<> 2024.200.json
"""
    (exchange,) = _read(text, notes)
    assert exchange.request.data == b"body"
    assert notes == [
        "day.http, request 1, line 5: skipped, since only an editor can do it: the question for password, "
        "`>> saved.json`, `<> 2024.200.json`, a script"
    ]


def test_a_form_over_several_lines_is_one_line() -> None:
    kind = "Content-Type: application/x-www-form-urlencoded"
    assert _one(f"POST http://a/\n{kind}\n\na=1\n&b=2\n").request.data == b"a=1&b=2"


def test_multipart_has_the_line_ends_of_http_and_the_files_it_names(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\0")
    text = (
        "POST http://a/\nContent-Type: multipart/form-data; boundary=B\n\n--B\nA: b\n\n< ./photo.png\n--B--\n"
    )
    (exchange,) = _read(text, where=str(tmp_path / "x.http"))
    assert exchange.request.data == b"--B\r\nA: b\r\n\r\n\x89PNG\r\n\0\r\n--B--\r\n"


def test_a_body_is_a_file_beside_the_request_file(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"to": "{{who}}"}')
    text = "@who = ann\nPOST http://a/\n\n< ./b.json\n###\nPOST http://a/\n\n<@ b.json\n"
    found = _read(text, where=str(tmp_path / "x.http"))
    assert [one.request.data for one in found] == [b'{"to": "{{who}}"}', b'{"to": "ann"}']


def test_a_file_from_elsewhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("there")
    (tmp_path / "below").mkdir()
    notes: list[str] = []
    (exchange,) = _read("POST http://a/\n\n< ../b\n", notes, str(tmp_path / "below" / "x.http"))
    assert exchange.request.data == b"there"
    assert f"{tmp_path}/b is read, which is not in the folder of this file" in notes[0]


@pytest.mark.parametrize(
    ("name", "where", "why"),
    [
        ("missing", "x.http", "line 3: the file missing cannot be read: No such file or directory"),
        ("/dev/zero", "x.http", "line 3: /dev/zero is no plain file"),
        ("a\0b", "x.http", r"'a\x00b' is no name of a file"),
        ("b.json", "-", "it names the file b.json, and nobody knows where that is"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(name: str, where: str, why: str) -> None:
    notes: list[str] = []
    assert _read(f"POST http://a/\n\n< {name}\n", notes, where) == []
    assert why in notes[0]


def test_the_length_tells_which_line_ends_are_the_bodys() -> None:
    assert _one("POST http://a/\nContent-Length: 3\n\na\n\n\n\n").request.data == b"a\n\n"


def test_graphql_is_sent_as_json() -> None:
    text = 'POST http://a/\nX-Request-Type: GraphQL\n\nquery Q($a: Int) {\n  x(a: $a)\n}\n\n{"a": 1}\n'
    request = _one(text).request
    assert json.loads(request.data) == {
        "query": "query Q($a: Int) {\n  x(a: $a)\n}",
        "operationName": "Q",
        "variables": {"a": 1},
    }
    assert (request.header("x-request-type"), request.header("content-type")) == (None, "application/json")


@pytest.mark.parametrize("authorized", ["Basic ann secret", "Basic ann:secret", "Basic YW5uOnNlY3JldA=="])
def test_basic_authorization_is_encoded(authorized: str) -> None:
    text = f"GET http://a/\nAuthorization: {authorized}\n"
    assert _one(text).request.header("authorization") == "Basic YW5uOnNlY3JldA=="


def test_a_curl_command_stands_for_a_request() -> None:
    exchange = _one("@at = http://a/x\n### c\ncurl -X PUT {{at}} \\\n  -d 'b'\n")
    assert (exchange.name, exchange.label, exchange.request.data) == ("c", "c", b"b")
    assert exchange.request.header(":method") == "PUT"


def test_a_block_that_is_a_response_answers_the_request_before_it() -> None:
    exchange = _one("GET http://a/\n\n###\nHTTP/1.1 404 Not Found\nX-A: 1\n\ngone\n")
    assert exchange.response is not None
    assert exchange.response.headers == ((":status", "404"), ("x-a", "1"), ("content-length", "4"))
    assert exchange.response.data == b"gone"


def test_a_response_is_nobodys_behind_a_request_that_is_left_out() -> None:
    notes: list[str] = []
    text = "GET http://a/\n###\nGET {{x}}\n###\nHTTP/1.1 404 No\n\n"
    (exchange,) = _read(text, notes)
    assert (exchange.response, len(notes)) == (None, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("GET ftp://a/\n", "`ftp://a/` is no address of HTTP"),
        ("GET /a\n", "`/a` is a path, and no header Host tells where to"),
        ("GET http://a/\nno colon\n", "line 2: `no colon` is not a header"),
        ("WEBSOCKET ws://a/\n", "WEBSOCKET is no request of HTTP; left out"),
        ("### only\nHTTP/1.1 200 OK\n", "a response to no request before it"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, why: str) -> None:
    notes: list[str] = []
    assert _read(text, notes) == []
    assert notes[0].startswith("day.http, request ")
    assert why in notes[0]


@pytest.mark.parametrize(
    "text",
    ["GET http://a/{}x\n", "GET http://a/ HTTP/1.1{}x\n", "GET http://a/\nX: {{{{{}\n", "@a {}\nGET http://b/\n",
     "POST http://a/\nX-Request-Type: GraphQL\n\n{}x\n"],
)  # fmt: skip
def test_many_blanks_are_no_trouble(text: str) -> None:
    """A pattern that tries them in every way would take hours."""
    assert len(_read(text.format(" " * 500_000), [])) <= 1
