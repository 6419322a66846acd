"""Scripts of gRPC services: what is said when, whole answers to unary calls, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simwasm.answers import Clusters, parse_answer
from simwasm.errors import ConfigError, SimwasmError
from simwasm.exchange import request
from simwasm.grpc_answers import Talk, read_talk
from simwasm.host.grpc_call import framed
from simwasm.host.ports import Callout, Data, Failure, Head, Heard, Tail

OK = (":status", "200"), ("content-type", "application/grpc")
RESET = {"reset": Failure("connection termination")}
CALL: tuple[tuple[str, str], ...] = ((":path", "/s/m"),)


def talk(*steps: dict[str, Any]) -> Talk:
    return read_talk(list(steps), RESET, "x")


def test_steps_follow_each_other_until_one_has_to_wait() -> None:
    service = talk(
        {"metadata": {"X-A": "1"}}, {"message": "hello"}, {"on": 1, "message": "one"}, {"status": 0}
    )
    assert service(Heard(CALL)) == (Head((*OK, ("x-a", "1"))), Data(framed(b"hello")))
    assert service(Heard(CALL, (b"m",), fresh=True)) == (Data(framed(b"one")), Tail((("grpc-status", "0"),)))
    assert service(Heard(CALL, (b"m", b"n"), fresh=True)) == ()


def test_a_step_may_wait_for_the_callers_end() -> None:
    service = talk(
        {"on": 1, "message": "one"}, {"on": "end", "status": 7, "text": "no", "trailers": {"t": "1"}}
    )
    end = Tail((("grpc-status", "7"), ("grpc-message", "no"), ("t", "1")))
    assert service(Heard(CALL)) == ()
    assert service(Heard(CALL, (b"m",), fresh=True)) == (Head(OK), Data(framed(b"one")))
    assert service(Heard(CALL, (b"m",), ended=True)) == (end,)
    assert service(Heard(CALL, (b"m",), ended=True, fresh=True)) == (Head(OK), Data(framed(b"one")), end)


def test_a_status_before_anything_else_is_trailers_only() -> None:
    service = talk({"status": 5, "after_ms": 3})
    assert service(Heard(CALL)) == (Head((*OK, ("grpc-status", "5")), 3_000_000, end=True),)


def test_messages_may_be_bytes_and_streams_may_break() -> None:
    service = talk({"message": {"base64": "//8="}}, {"fail": "reset", "after_ms": 2})
    found = service(Heard(CALL))
    assert found == (Head(OK), Data(framed(b"\xff\xff")), Failure("connection termination", 2_000_000))


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ({}, "is a list of steps, not dict"),
        ([1], "step 0: a step has one of metadata, message, status, fail"),
        ([{"message": "a", "status": 0}], "step 0: a step has one of"),
        ([{"message": "a", "often": 1}], "step 0: a step has one of"),
        ([{"status": 0}, {"message": "a"}], "step 1: nothing can follow a status or a failure"),
        ([{"message": "a"}, {"metadata": {}}], "step 1: metadata comes first or not at all"),
        (
            [{"message": "a", "on": "later"}],
            "step 0: on is how many messages must have come, or \"end\", not 'later'",
        ),
        ([{"message": {"base64": "?"}}], 'step 0: message is a text or {"base64": "…"}'),
        ([{"message": "a", "after_ms": -1}], "step 0: after_ms is a number that is not negative, not -1"),
        ([{"status": 99}], "step 0: status is a number of gRPC's, 0 to 16"),
        ([{"status": 0, "trailers": {"a": 1}}], "step 0: trailers: is an object of strings"),
        ([{"fail": "explode"}], "step 0: fail is one of reset, not 'explode'"),
    ],
)
def test_a_talk_that_cannot_be_used_says_where_and_what(steps: object, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_talk(steps, RESET, "x")
    assert says in str(caught.value)


def scripted(tmp_path: Path, *rules: object) -> Clusters:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(rules))
    return Clusters({"grpc": parse_answer(str(path), "--callout grpc"), "none": parse_answer("no-host", "x"),
                     "real": parse_answer("http://127.0.0.1:1", "x")})  # fmt: skip


def test_a_rule_answers_with_its_service(tmp_path: Path) -> None:
    clusters = scripted(
        tmp_path, {"when": {"path": "/s/m"}, "grpc": [{"status": 0}]}, {"reply": {"status": 404}}
    )
    assert clusters.answer("grpc", request("POST", "/s/m")) == talk({"status": 0})
    (service,) = clusters.services.values()
    assert service(Heard(((":path", "/other"),), ended=True)) == (Head(((":status", "404"),), end=True),)


def test_a_cluster_may_be_without_a_host(tmp_path: Path) -> None:
    assert scripted(tmp_path, {"reply": {}}).names == {"grpc": True, "none": False, "real": True}


def test_a_real_server_takes_no_gRPC_stream(tmp_path: Path) -> None:
    with pytest.raises(SimwasmError, match="real: a gRPC stream cannot go to a real server"):
        scripted(tmp_path, {"reply": {}}).ask(Callout(6, "real", request("POST", "/s/m"), 0))
