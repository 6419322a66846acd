"""Files with curl commands, as people keep them and as browsers copy them; what the request is, the real curl says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from simwasm.exchange import Exchange
from simwasm.traffic.beside import read_plain
from simwasm.traffic.curl import Curl, read_command
from simwasm.traffic.curl_options import FLAGS, SHORT, VALUES
from simwasm.traffic.notes import Notes, telling
from simwasm.traffic.request_text import Wrong


def _read(text: str, notes: list[str] | None = None, where: str = "day.sh") -> list[Exchange]:
    heard = telling(notes.append) if notes is not None else Notes()
    return list(Curl().read(io.BytesIO(text.encode()), where, heard))


BASH = r"""curl 'https://shop.example/login?a=1' \
  -X 'POST' \
  -H 'accept: */*' \
  -H 'cookie: a=b; c="d"' \
  -H $'x-name: it\'s J\u00fcrgen \xff' \
  --data-raw $'{"text":"two\nlines \ud83d\ude00"}' \
  --compressed"""
CMD = """curl ^"https://shop.example/login?a=^%^20^" ^
  -X ^"POST^" ^
  -H ^"accept: */*^" ^
  -H ^"x-a: a^&b^" ^
  --data-raw ^"^{^\\^"text^\\^":^\\^"two^

lines^\\^"^}^"
"""
POWERSHELL = """curl.exe "https://shop.example/login" `
  -X "POST" `
  -H "x-a: `"quoted`" ""twice"" `$1" `
  --data-raw '{"it''s": 1}'
"""


def test_what_browsers_copy_for_bash_is_read() -> None:
    (exchange,) = _read(BASH)
    request = exchange.request
    assert exchange.label == "POST /login?a=1"
    assert request.header("cookie") == 'a=b; c="d"'
    assert request.header("x-name") == "it's Jürgen \udcff"
    assert request.data == '{"text":"two\nlines 😀"}'.encode()
    assert (exchange.connection.protocol, exchange.connection.requested_server_name) == (
        "HTTP/2",
        "shop.example",
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_browsers_copy_for_windows_is_read(end: str) -> None:
    (exchange,) = _read(CMD.replace("\n", end))
    assert exchange.label == "POST /login?a=%20"
    assert exchange.request.header("x-a") == "a&b"
    assert exchange.request.data == b'{"text":"two\nlines"}'


def test_what_is_written_for_powershell_is_read() -> None:
    (exchange,) = _read(POWERSHELL)
    assert exchange.request.header("x-a") == '"quoted" "twice" $1'
    assert exchange.request.data == b'{"it\'s": 1}'


@pytest.mark.parametrize(
    "line",
    ["$ curl http://a/x", "user@host:~$ curl http://a/x", "PS C:\\> curl http://a/x", "A=1 B=2 curl http://a/x",
     "/usr/bin/curl http://a/x", "curl http://a/x | jq .", "curl http://a/x > out 2>&1", "curl http://a/x # why",
     "curl http://a/x &", "(curl http://a/x)", 'curl "http://a/x"', "curl http://a/\\\nx"],
)  # fmt: skip
def test_what_is_around_a_command_does_not_matter(line: str) -> None:
    assert [exchange.label for exchange in _read(f"{line}\n")] == ["GET /x"]


def test_several_commands_are_several_exchanges() -> None:
    text = "#!/bin/sh\n# first\n\ncurl http://a/1 && curl http://a/2; curl http://a/3\ncurl http://a/4 http://a/5\n"
    found = _read(text)
    assert [exchange.label for exchange in found] == [f"GET /{number}" for number in range(1, 6)]
    assert [exchange.id for exchange in found] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("echo '{}' | curl -d @- http://a/", b"{}"),
        ("echo -n a b | curl --data-binary @- http://a/", b"a b"),
        ("printf %s x | curl -d @- http://a/", b"x"),
        ("curl --data-binary @- http://a/ <<'END'\none\n $two\nEND", b"one\n $two\n"),
        ("cat <<END | curl --data-binary @- http://a/\none\nEND", b"one\n"),
        ("base64 -d <<'END' | curl --data-binary @- http://a/\nAP8=\nEND", b"\0\xff"),
    ],
)
def test_a_body_may_be_fed(line: str, body: bytes) -> None:
    (exchange,) = _read(f"{line}\n")
    assert exchange.request.data == body


def test_a_body_may_be_a_file_beside_the_commands(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("{}")
    (exchange,) = _read("curl --json @b.json http://a/\n", where=str(tmp_path / "day.sh"))
    assert exchange.request.data == b"{}"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            'curl "http://a/$TOKEN"',
            "$TOKEN is a variable of the shell, which is not known here: write its value",
        ),
        ("curl http://a/`date`", "a command inside of a command (`…` or $(…)) is not run here"),
        (
            "curl --hedaer x http://a/",
            "--hedaer is no option of curl that is known here: did you mean --header?",
        ),
        ("curl -H", "curl's option -H needs a value"),
        ("curl -d x", "the curl command has no address"),
        ("curl ftp://a/", "`ftp://a/` is no address of HTTP"),
        ("curl 'http://a/b c'", "has a blank or a control character, which curl does not ask for"),
        ("curl 'http://a/[x'", "has a bracket that curl takes for a pattern: add -g"),
        ("curl 'http://a/[1-9999999]'", "stands for more than 10,000 addresses"),
        ("curl -d @- http://a/", "its body comes from standard input, of which nothing is known here"),
        ("curl -d @/dev/zero http://a/", "/dev/zero is no plain file"),
        ("curl -X 'A B' http://a/", "-X A B: is not a method"),
        ("curl -e $'a\\nb' http://a/", "holds a character that no header can"),
        ("curl -F x http://a/", "-F x: is not NAME=CONTENT"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(line: str, why: str) -> None:
    notes: list[str] = []
    found = _read(f"curl http://a/1\n{line}\ncurl http://a/2\n", notes)
    assert [exchange.label for exchange in found] == ["GET /1", "GET /2"]
    assert notes[0].startswith("day.sh, line 2: ")
    assert why in notes[0]


def test_a_quotation_mark_that_is_never_closed_is_told() -> None:
    notes: list[str] = []
    assert [one.label for one in _read("curl http://a/1\ncurl 'http://a/2\ncurl http://a/3\n", notes)] == [
        "GET /1"
    ]
    assert notes == ["day.sh, line 2: a quotation mark ' is never closed; left out"]


def test_options_that_would_have_sent_something_else_are_named() -> None:
    notes: list[str] = []
    assert len(_read("curl -sSkLx proxy:1 --anyauth http://a/\n", notes)) == 1
    assert notes == ["day.sh, line 1: not done here: --location, --proxy, --anyauth"]


def test_other_commands_are_left_out_and_told_once() -> None:
    notes: list[str] = []
    assert len(_read("ls\ncurl http://a/\nrm -r x\n", notes)) == 1
    assert notes == ["day.sh, line 1: `ls` is no curl command; left out, and more like it"]


def test_a_resolved_name_is_where_the_connection_goes() -> None:
    (exchange,) = _read("curl --resolve a:8080:10.0.0.7 http://a:8080/\n")
    assert exchange.connection.destination == "10.0.0.7:8080"


def test_one_request_is_wanted_of_a_text() -> None:
    with pytest.raises(Wrong, match="makes 2 requests where one is wanted"):
        read_command("curl http://a/ http://b/", "1", lambda name: read_plain(name, name), print)


def test_every_option_is_known_once() -> None:
    assert not set(FLAGS) & set(VALUES)
    assert set(SHORT.values()) <= {*FLAGS, *VALUES}
