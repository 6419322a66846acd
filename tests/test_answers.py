"""Scripts, files and real servers answer, and a script that cannot be used is refused in one sentence."""

from __future__ import annotations

import json
import pickle
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from simwasm.answers import FAILURES, UNANSWERED, Clusters, Server, parse_answer, read_response, read_script
from simwasm.errors import ConfigError, InputError, SimwasmError
from simwasm.exchange import Message, request, response
from simwasm.host.ports import NO_HOST, Failure

CHECK = request("GET", "/check", headers=[("authorization", "good")])


def script(tmp_path: Path, rules: object) -> Path:
    path = tmp_path / "rules.json"
    path.write_text(rules if isinstance(rules, str) else json.dumps(rules))
    return path


def test_the_first_rule_that_fits_answers(tmp_path: Path) -> None:
    rules = [
        {"when": {"method": "POST"}, "reply": {"status": 500}},
        {"when": {"path": "/check", "headers": {"authorization": "good"}}, "reply": {"status": 201}},
        {"fail": "reset"},
    ]
    answering = read_script(str(script(tmp_path, rules)))
    assert answering(CHECK) == response(201)
    assert isinstance(answering(request("GET", "/")), Failure)


def test_a_reply_has_all_its_parts(tmp_path: Path) -> None:
    reply = {"status": 403, "headers": {"X-Why": "no"}, "body": "b", "trailers": {"t": "1"}, "after_ms": 5}
    answer = read_script(str(script(tmp_path, [{"reply": reply}])))(CHECK)
    assert answer == response(
        403, headers=[("x-why", "no")], body=[b"b"], trailers=[("t", "1")], after_ns=5_000_000
    )


def test_a_request_that_no_rule_fits_is_an_error(tmp_path: Path) -> None:
    answering = read_script(str(script(tmp_path, [{"when": {"path": "/other"}, "reply": {}}])))
    with pytest.raises(ConfigError, match="no rule fits GET /check; add one without `when` as the last"):
        answering(CHECK)


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("{", "is not JSON"),
        ({}, "a script is a list of rules, not dict"),
        ([1], "rule 0: a rule has `reply` or `fail`"),
        ([{"reply": {}, "fail": "reset"}], "rule 0: a rule has `reply` or `fail`"),
        ([{"replay": {}}], "rule 0: a rule has `reply` or `fail`"),
        (
            [{"reply": {}}, {"fail": "explode"}],
            "rule 1: fail is one of reset, refused, timeout, not 'explode'",
        ),
        ([{"reply": {"code": 200}}], "rule 0: reply: does not know code"),
        ([{"reply": {"status": "200"}}], "rule 0: reply: status and after_ms are numbers"),
        ([{"reply": {"headers": {"a": 1}}}], "rule 0: reply.headers: a is a string, not int"),
        ([{"when": {"header": {}}, "reply": {}}], "rule 0: when: does not know header"),
        ([{"when": [], "reply": {}}], "rule 0: when: is an object, not list"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_script_that_cannot_be_used_says_where_and_what(tmp_path: Path, rules: object, says: str) -> None:
    path = script(tmp_path, rules)
    with pytest.raises(SimwasmError) as caught:
        read_script(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_words_for_an_answer(tmp_path: Path) -> None:
    assert parse_answer("404", "x") == response(404)
    assert isinstance(parse_answer("timeout", "x"), Failure)
    assert isinstance(parse_answer("http://127.0.0.1:1", "x"), Server)
    with pytest.raises(InputError, match="`maybe` is no status"):
        parse_answer("maybe", "x")


def test_a_response_file_must_begin_like_one(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_bytes(b"HTTP/1.1 OK\r\n\r\n")
    with pytest.raises(InputError, match=r":1: `HTTP/1\.1 OK` is not the first line"):
        read_response(str(path))
    path.write_bytes(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n")
    with pytest.raises(InputError, match=":2: `nonsense` is not a header"):
        read_response(str(path))


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked, the body in two chunks."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(202)
        self.send_header("X-Asked", f"{self.path} {self.headers['host']} {self.headers['x-a']}")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in (body[:2], body[2:], b""):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def test_a_real_server_is_asked_with_the_headers_as_they_are() -> None:
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        ask = Server(f"http://127.0.0.1:{server.server_port}")
        answer = ask(request("POST", "/p?q", host="shop.example", headers=[("x-a", "1")], body=b"hello"))
    assert isinstance(answer, Message)
    assert answer.header(":status") == "202"
    assert answer.header("x-asked") == "/p?q shop.example 1"
    assert answer.data == b"hello"


@pytest.mark.parametrize(
    ("reply", "reason"), [(b"rubbish\r\n\r\n", "protocol error"), (b"", "protocol error")]
)
def test_a_server_that_talks_nonsense_is_a_failure(reply: bytes, reason: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply)

        threading.Thread(target=serve, daemon=True).start()
        answer = Server(f"127.0.0.1:{listener.getsockname()[1]}")(request("GET", "/"))
    assert isinstance(answer, Failure)
    assert reason in answer.reason or "connection failure" in answer.reason


@pytest.mark.parametrize(("name", "value"), [("x-a", "1\nx-b: 2"), ("x a\r\n", "1")])
def test_a_header_that_cannot_be_written_is_a_failure(name: str, value: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ask = Server(f"127.0.0.1:{listener.getsockname()[1]}")
        answer = ask(request("GET", "/", headers=[(name, value)]))
    assert isinstance(answer, Failure)
    assert "protocol error (Invalid header" in answer.reason


@pytest.mark.parametrize("text", ["²", "9" * 5000, "http://["])
def test_odd_answers_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_answer(text, "--callout auth")


@pytest.mark.parametrize(
    "reply", ['{"body": "\\ud800"}', '{"status": -5}', '{"status": true}', '{"after_ms": -1}']
)
def test_a_script_with_odd_values_is_refused(tmp_path: Path, reply: str) -> None:
    script = tmp_path / "script.json"
    script.write_text(f'[{{"reply": {reply}}}]')
    with pytest.raises(ConfigError):
        read_script(str(script))


def test_clusters_are_the_same_in_another_process() -> None:
    here = Clusters({"gone": NO_HOST, "named": UNANSWERED, "auth": response(403), "id": FAILURES["reset"]})
    there = pickle.loads(pickle.dumps(here))
    assert there.names == {"gone": False, "named": True, "auth": True, "id": True}
    assert not there.answers("named")
    assert there.answer("auth", request("GET", "/")) == response(403)
    assert there.answer("gone", request("GET", "/")) is NO_HOST
