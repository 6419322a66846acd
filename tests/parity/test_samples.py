"""Every sample does under simwasm what it does under the real Envoy, for what is recorded and for what is rare.

There are no expectations here: client, upstream, clusters, log and every crossing with its words are compared with the
Envoy that runs at that moment. One Envoy serves all exchanges that share a configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial

import pytest
from cases import cases, sample

from simwasm.answers import Clusters
from simwasm.engines.engine import Engine
from simwasm.exchange import Chunk, Exchange, Header, Message, request, response
from simwasm.host.ports import Answer, Failure
from simwasm.parity.account import Account, Scenario, as_played, nobody_listens
from simwasm.parity.compare import ATTEMPTS, Difference, compare
from simwasm.parity.real import judge
from simwasm.parity.simulated import simulate

MS = 1_000_000

OK = response(200, headers=[("content-type", "text/plain")], body=b"ok")
PIECES = [b"one", b"two"]
BOTH_WAYS = response(200, body=[b"a", b"bb"], trailers=[("x-t", "1")])
ALLOW = ("allow", "true")


def asked(name: str, sent: Message, answer: Message | None = OK) -> Exchange:
    """An exchange with a name to find it by."""
    return Exchange(name, 0, sent, answer, name=name)


def slowly(message: Message) -> Message:
    """The same with 20 ms before every piece of its body."""
    return message._replace(body=tuple(Chunk(chunk.data, 20 * MS) for chunk in message.body))


def passing(*headers: Header) -> Iterator[Exchange]:
    """What may come of a request that passes."""

    def ask(method: str, path: str, *more: Header, **body: object) -> Message:
        return request(method, path, host="shop.example", headers=[*headers, *more], **body)  # type: ignore[arg-type]  # body and trailers

    twice = (
        ("x-a", "1"),
        ("X-A", "2"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("accept", "a"),
        ("accept", "b"),
    )
    own = [("server", "own"), ("date", "Sat, 21 Nov 2020 06:59:52 GMT"), ("connection", "close")]
    yield asked("headers given twice", ask("GET", "/?q=1", *twice))
    yield asked("body of a known length", ask("POST", "/", body=b"hello"))
    yield asked("post without a body", ask("POST", "/"))
    yield asked("body in pieces", slowly(ask("POST", "/", body=PIECES)))
    yield asked("pieces and trailers", ask("POST", "/", body=PIECES, trailers=[("x-s", "3")]), BOTH_WAYS)
    yield asked("head", ask("HEAD", "/"), response(200, headers=[("content-length", "5")]))
    yield asked("no content", ask("GET", "/"), response(204))
    yield asked("not modified", ask("GET", "/"), response(304, headers=[("etag", '"x"')]))
    yield asked("empty answer", ask("GET", "/"), response(200))
    yield asked("empty answer in chunks", ask("GET", "/"), response(200, body=[b""]))
    yield asked(
        "answer with headers of the proxy's", ask("GET", "/"), response(418, headers=own, body=b"tea")
    )
    yield asked("answer in pieces", ask("GET", "/"), slowly(response(200, body=[*PIECES, b"three"])))
    yield asked(
        "connection headers", ask("PUT", "/", ("connection", "keep-alive"), ("te", "trailers"), body=b"x")
    )


def denied(*headers: Header) -> Iterator[Exchange]:
    """What may come of a request that a plugin answers."""
    yield asked("denied", request("GET", "/", headers=headers))
    yield asked("head denied", request("HEAD", "/", headers=headers))
    yield asked("body denied", request("POST", "/", headers=headers, body=b"hello"))
    yield asked("pieces denied", request("POST", "/", headers=headers, body=PIECES, trailers=[("t", "1")]))


def redacting() -> Iterator[Exchange]:
    """Answers with the word that `response_body` looks for."""

    def get(name: str, answer: Message) -> Exchange:
        return asked(name, request("GET", "/"), answer)

    yield get("word", response(200, body=b"a secret"))
    yield get("word cut by chunks", slowly(response(200, body=[b"a sec", b"ret out", b" secret"])))
    yield get("word and trailers", response(200, body=[b"a sec", b"ret"], trailers=[("x-sum", "1")]))
    yield get("bytes that are no text", response(200, body=[b"\xff\x00secret", b"\xfe"]))


def authorization(token: str) -> Header:
    return "authorization", token


def calling() -> Iterator[Exchange]:
    """Requests by what the auth service does about them."""
    for token in ("good", "at once", "in chunks", "bad", "reset", "cut", "silent"):
        yield asked(token, request("GET", "/", headers=[authorization(token)]))
    for token in ("good", "bad"):
        body = request("POST", "/", headers=[authorization(token)], body=PIECES, trailers=[("x-s", "3")])
        yield asked(f"{token}, body waits", body, BOTH_WAYS)
    for token in ("at once", "reset"):
        late = slowly(request("POST", "/", headers=[authorization(token)], body=PIECES))
        yield asked(f"{token}, body comes later", late)


HTTP_SERVICE: dict[str, Answer] = {
    "good": response(200, body=b"fine", after_ns=100 * MS),
    "at once": response(200),
    "in chunks": response(200, body=PIECES, trailers=[("x-t", "1")]),
    "bad": response(401, headers=[("www-authenticate", "Bearer")], body=b"who?", after_ns=100 * MS),
    "reset": Failure("connection termination"),
    "cut": Failure("connection termination", begun=response(200, body=PIECES)),
    "silent": Failure("timeout", 3600 * 1000 * MS),
}
GRPC = ("content-type", "application/grpc")
EMPTY_MESSAGE = b"\0\0\0\0\0"
GRPC_SERVICE: dict[str, Answer] = {
    "good": response(
        200, headers=[GRPC], body=[EMPTY_MESSAGE], trailers=[("grpc-status", "0")], after_ns=100 * MS
    ),
    "at once": response(200, headers=[GRPC], body=[EMPTY_MESSAGE], trailers=[("grpc-status", "0")]),
    "in chunks": response(200, headers=[GRPC], body=[b"\0\0\0\0\2a", b"b"], trailers=[("grpc-status", "0")]),
    "bad": response(
        200, headers=[GRPC, ("grpc-status", "7"), ("grpc-message", "no%20way")], after_ns=100 * MS
    ),
    "reset": Failure("connection termination"),
    "cut": Failure("connection termination", begun=response(200, headers=[GRPC], body=[EMPTY_MESSAGE])),
    "silent": Failure("timeout", 3600 * 1000 * MS),
}


def http_service(received: Message) -> Answer:
    """Answer by the token."""
    return HTTP_SERVICE[received.header("authorization") or "bad"]


def grpc_service(received: Message) -> Answer:
    """Answer by the token, which is the end of the message."""
    return next(answer for token, answer in GRPC_SERVICE.items() if received.data.endswith(token.encode()))


def counting() -> Iterator[Exchange]:
    """More requests than are allowed, then a second in which somebody else's is under way, then one more."""
    ann, bob = (request("GET", "/", headers=[("x-client", name)]) for name in ("ann", "bob"))
    for number in range(1, 4):
        yield asked(f"request {number} of ann", ann)
    yield asked("a window passes", bob, OK._replace(after_ns=1200 * MS))
    yield asked("ann once more", ann)


ALLOW_HEADER = ("allow_header", "allow_header_c", "allow_header_as", "allow_header_go")
RARE: dict[str, Scenario] = {
    **{name: Scenario((sample(name),), (*passing(ALLOW), *denied())) for name in ALLOW_HEADER},
    "service_name": Scenario((sample("service_name"),), tuple(denied())),
    "response_body": Scenario((sample("response_body"),), (*passing(), *redacting())),
    "http_auth": Scenario((sample("http_auth"),), tuple(calling()), {"auth": http_service}),
    "http_auth, nobody listens": Scenario((sample("http_auth"),), tuple(denied()), {"auth": nobody_listens}),
    "http_auth, cluster unknown": Scenario((sample("http_auth"),), tuple(denied())),
    "grpc_auth": Scenario((sample("grpc_auth"),), tuple(calling()), {"grpc-auth": grpc_service}),
    "grpc_auth, nobody listens": Scenario(
        (sample("grpc_auth"),), tuple(denied()), {"grpc-auth": nobody_listens}
    ),
    "grpc_auth, cluster unknown": Scenario((sample("grpc_auth"),), tuple(denied())),
    "rate_limit, a window": Scenario((sample("rate_limit", '{"limit":2}'),), tuple(counting())),
}


def scenarios() -> dict[str, Scenario]:
    """Everything, recordings joined to the rare cases that need the same Envoy."""
    found = dict(RARE)
    for case in cases():
        same = found.get(case.sample)
        if same is not None and same.plugins == (case.plugin,) and not {**same.clusters, **case.clusters}:
            found[case.sample] = replace(same, exchanges=(*same.exchanges, *case.exchanges))
        else:
            answering = Clusters(dict(case.clusters))
            scripts = {name: partial(answering.plain, name) for name in answering.names}
            found[case.id] = Scenario((case.plugin,), case.exchanges, scripts)
    return found


SCENARIOS = scenarios()


@lru_cache
def told_by_envoy(name: str, attempt: int) -> Account:
    return judge(SCENARIOS[name])


def differences(name: str, engine: Engine) -> tuple[Difference, ...]:
    """What simwasm does otherwise than Envoy, each time."""
    found: tuple[Difference, ...] = ()
    for attempt in range(ATTEMPTS):
        envoy = told_by_envoy(name, attempt)
        found = compare(simulate(as_played(SCENARIOS[name], envoy), engine), envoy)
        if not found:
            break
    return found


PROVEN = {
    **dict.fromkeys(ALLOW_HEADER, (14, 16, 57, 60, 65)),
    "service_name": (57, 60, 65),
    "http_auth": (30, 31, 32, 144, 150, 151, 152),
    "http_auth, nobody listens": (146,),
    "http_auth, cluster unknown": (145,),
    "grpc_auth": (159,),
    "grpc_auth, cluster unknown": (157,),
    "rate_limit, a window": (171,),
}
"""The numbers of the behaviours that a scenario proves, see `behaviours`."""


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.envoy(*PROVEN.get(name, ()))) for name in SCENARIOS]
)
def test_a_sample_behaves_as_in_envoy(name: str, engine: Engine) -> None:
    if found := differences(name, engine):
        pytest.fail("\n\n".join(map(str, found)), pytrace=False)
