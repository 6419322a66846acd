"""What servers answer, as a test says it: the upstream of requests, and the clusters of callouts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from under_test import ROOT, sample

from simwasm.engines.engine import Engine
from simwasm.errors import ConfigError, InputError
from simwasm.testing import PluginUnderTest, Reply

GOOD = {"authorization": "Bearer good"}


def asking(engine: Engine | None = None, **options: Any) -> PluginUnderTest:
    return sample("http_auth", engine, **options)


@pytest.mark.parametrize(("status", "found"), [(200, 200), (403, 403), (500, 403)])
def test_a_cluster_answers_a_callout(engine: Engine, status: int, found: int) -> None:
    plugin = asking(engine)
    plugin.upstream("auth").replies(status, after=0.5)
    result = plugin.send("GET", "/", headers=GOOD)
    (callout,) = result.callouts
    assert result.response.status == found
    assert (callout.cluster, callout.request.path, callout.request.headers["authorization"]) == (
        "auth", "/check", "Bearer good",
    )  # fmt: skip
    assert callout.answer is not None
    assert callout.answer.status == status
    assert result.took == 0.5


def test_what_was_said_last_counts_first() -> None:
    plugin = asking()
    auth = plugin.upstream("auth").replies(200)
    auth.when(headers={"authorization": "Bearer bad"}).replies(403)
    sent = [plugin.send("GET", "/", headers={"authorization": f"Bearer {word}"}) for word in ("good", "bad")]
    auth.replies(403)
    sent.append(plugin.send("GET", "/", headers=GOOD))
    assert [int(result.response.status) for result in sent] == [200, 403, 403]


def test_an_answer_for_some_times_is_used_up() -> None:
    plugin = asking()
    plugin.upstream("auth").replies(200).fails("reset", times=2)
    statuses = [int(plugin.send("GET", "/").response.status) for _ in range(3)]
    assert statuses == [403, 403, 200]


def test_a_function_answers() -> None:
    plugin = asking()
    plugin.upstream("auth").answers(lambda request: 200 if "authorization" in request.headers else "refused")
    results = [plugin.send("GET", "/"), plugin.send("GET", "/", headers=GOOD)]
    assert [int(result.response.status) for result in results] == [403, 200]
    assert results[0].callouts[0].failure == "remote connection failure"


def test_a_function_that_answers_with_nothing_is_told() -> None:
    plugin = asking()
    plugin.upstream("auth").answers(lambda request: None)  # type: ignore[arg-type, return-value]  # the slip
    with pytest.raises(InputError, match="gave None, which is no Reply, no status and no failure"):
        plugin.send("GET", "/")


@pytest.mark.parametrize(("how", "took"), [("reset", 0), ("refused", 0), ("timeout", 1)])
def test_a_cluster_fails(how: str, took: float) -> None:
    plugin = asking()
    plugin.upstream("auth").fails(how)
    result = plugin.send("GET", "/")
    assert (result.response.status, result.took) == (403, took)
    assert result.callouts[0].answer is None


def test_a_cluster_without_a_host_refuses_the_callout() -> None:
    plugin = asking()
    plugin.upstream("auth").fails("no-host")
    result = plugin.send("GET", "/")
    assert (result.response.status, result.callouts) == (503, ())


def test_a_cluster_that_nobody_named_is_unknown_to_the_plugin() -> None:
    result = asking().send("GET", "/")
    assert result.response.status == 503
    assert [problem.lint for problem in result.problems][:1] == ["unknown-cluster"]


def test_a_cluster_of_which_nothing_is_said_refuses_connections() -> None:
    plugin = asking()
    plugin.upstream("auth")
    assert plugin.send("GET", "/").callouts[0].failure == "connection refused: no answer is scripted"


def test_answers_of_a_script_hold_where_a_test_says_nothing() -> None:
    plugin = asking(callout={"auth": 403})
    denied = plugin.send("GET", "/")
    plugin.upstream("auth").when(path="/check").replies(200)
    assert [int(each.response.status) for each in (denied, plugin.send("GET", "/"))] == [403, 200]


@pytest.mark.parametrize(("script", "found"), [("let_in", 200), ("denied", 403)])
def test_a_grpc_service_answers(engine: Engine, script: str, found: int) -> None:
    plugin = sample("grpc_auth", engine, callout=f"grpc-auth={ROOT}/traces/traffic/grpc_auth.{script}.json")
    result = plugin.send("GET", "/")
    assert result.response.status == found
    assert result.callouts[0].request.path == "/auth.v1.Auth/Check"


def test_a_fault_in_the_place_of_an_answer_is_among_the_callouts() -> None:
    plugin = asking(fault="callout:auth=reset")
    plugin.upstream("auth").replies(200)
    result = plugin.send("GET", "/")
    assert (result.response.status, result.callouts[0].failure) == (403, "connection termination")


def test_requests_choose_what_the_upstream_answers() -> None:
    plugin = sample("allow_header")
    upstream = plugin.upstream().replies(200)
    upstream.when(path="/a").replies(201)
    upstream.when(path=re.compile("^/b")).replies(202)
    upstream.when(method="PUT").replies(203)
    upstream.when(host="shop.example").replies(204)
    sent = [
        ("GET", "/", "x"),
        ("GET", "/a?q", "x"),
        ("GET", "/bb", "x"),
        ("PUT", "/", "x"),
        ("GET", "/", "shop.example"),
    ]
    found = [
        int(plugin.send(method, path, host=host, headers={"allow": "true"}).response.status)
        for method, path, host in sent
    ]
    assert found == [200, 201, 202, 203, 204]
    assert [request.path for request in upstream.requests] == ["/", "/a?q", "/bb", "/", "/"]


def test_the_upstream_fails() -> None:
    plugin = sample("allow_header")
    plugin.upstream().fails("reset")
    result = plugin.send("GET", "/", headers={"allow": "true"})
    assert (result.response.status, result.local_reply is not None and result.local_reply.by_plugin) == (
        503,
        False,
    )


def test_a_reply_has_everything_that_a_response_has() -> None:
    plugin = sample("allow_header")
    plugin.upstream().answers(lambda request: Reply(201, {"x-a": "1"}, [b"a", b"b"], {"x-end": "1"}, after=2))
    result = plugin.send("GET", "/", headers={"allow": "true"})
    assert result.response.chunks == (b"a", b"b")
    assert result.response.trailers == {"x-end": "1"}
    assert result.took == 2


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda upstream: upstream.replies(42), "status: 42 is no number from 100 to 999"),
        (lambda upstream: upstream.replies(after=-1), "after: -1 is no number of seconds"),
        (lambda upstream: upstream.replies(times=0), "times: 0 is not a positive number"),
        (
            lambda upstream: upstream.fails("sleepy"),
            "fails: `sleepy` is none of reset, refused, timeout, no-host",
        ),
    ],
)
def test_a_slip_in_an_answer_is_told(slip: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        slip(sample("allow_header").upstream())  # type: ignore[operator]


def test_a_script_that_fits_nothing_says_so() -> None:
    with pytest.raises(ConfigError, match="no rule fits GET /check"):
        plugin = asking(callout=f"auth={ROOT}/tests/testing/nothing.json")
        plugin.send("GET", "/")


def test_a_grpc_service_is_said_in_steps(engine: Engine) -> None:
    plugin = sample("grpc_auth", engine)
    steps = [{"message": {"base64": "CAE="}}, {"status": 0}]
    service = plugin.upstream("grpc-auth").script([{"when": {"path": "/auth.v1.Auth/Check"}, "grpc": steps}])
    result = plugin.send("GET", "/")
    assert (len(result.callouts), service.called) == (1, True)


def test_a_script_with_a_slip_is_told() -> None:
    with pytest.raises(ConfigError, match="upstream auth: rule 0: a rule has `reply`"):
        sample("http_auth").upstream("auth").script([{"answer": 200}])


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"path": "check"}, "when: path `check` does not begin with `/`"),
        ({"method": "get"}, "when: methods tell capital letters from small ones: write GET"),
    ],
)
def test_a_condition_that_no_request_meets_is_refused(when: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        asking().upstream("auth").when(**when)
