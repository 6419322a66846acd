"""Who answers: the upstream that requests are routed to, and the clusters that callouts go to.

Rules: of the answers that fit a request the one that was said last counts, so that a test can say otherwise than its
fixture did; an answer for `times=2` is used up after two; where nothing fits, a recorded answer is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NamedTuple

from simwasm.answers import FAILURES, Script, read_script, script
from simwasm.errors import InputError
from simwasm.exchange import Message, first
from simwasm.grpc_answers import Talk
from simwasm.host.ports import NO_HOST, Answer, Failure
from simwasm.testing.given import GivenBody, GivenHeaders, answered, headers, nanoseconds
from simwasm.testing.values import Request

_FAILS = {**FAILURES, "no-host": NO_HOST}
Fails = str
"""reset, refused, timeout or no-host."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


@dataclass(frozen=True)
class Reply:
    """An answer, for `Upstream.answers`.

    Example:
        >>> plugin = load_plugin("samples/allow_header/plugin.wasm")
        >>> _ = plugin.upstream().answers(lambda request: Reply(201, {"location": request.path}))
        >>> plugin.send("POST", "/new", headers={"allow": "true"}).response.headers["location"]
        '/new'
    """

    status: int = 200
    headers: GivenHeaders = ()
    body: GivenBody = b""
    trailers: GivenHeaders = ()
    after: float = 0.0
    """How many seconds it takes."""


Answering = Callable[[Request], "Reply | int | str"]
Path = str | re.Pattern[str]


class _Condition(NamedTuple):
    """Which requests are meant."""

    path: Path | None = None
    method: str | None = None
    host: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def fits(self, request: Message) -> bool:
        return (
            (self.path is None or _is_path(self.path, request.header(":path") or ""))
            and self.method in (None, request.header(":method"))
            and self.host in (None, request.header(":authority"))
            and all(first(request.headers, name.lower()) == value for name, value in self.headers)
        )


def _is_path(wanted: Path, path: str) -> bool:
    if isinstance(wanted, re.Pattern):
        return wanted.search(path) is not None
    return wanted in (path, path.partition("?")[0])


class _Rule:
    """An answer, for whom, and how often."""

    def __init__(self, condition: _Condition, answer: Answer | Answering | Script, times: int | None) -> None:
        self.condition = condition
        self.answer = answer
        self.left = times


class Upstream:
    """A server: what it answers, and what it was asked.

    Example:
        >>> plugin = load_plugin("samples/http_auth/plugin.wasm")
        >>> auth = plugin.upstream("auth").replies(403)
        >>> _ = auth.when(headers={"authorization": "Bearer good"}).replies(200)
        >>> int(plugin.send("GET", "/").response.status)
        403
        >>> auth.called, auth.requests[0].host
        (True, 'auth')
    """

    def __init__(self, name: str) -> None:
        self.name = name
        """The cluster's; empty for the upstream of requests."""
        self.messages: list[Message] = []
        self._rules: list[_Rule] = []
        self._condition = _Condition()

    @property
    def called(self) -> bool:
        """Whether it was asked anything."""
        return bool(self.messages)

    @property
    def requests(self) -> tuple[Request, ...]:
        """What it was asked, in that order."""
        return tuple(map(Request, self.messages))

    def __repr__(self) -> str:
        return f"<upstream {self.name or 'of requests'}, asked {len(self.messages)} times>"

    def when(self, *, path: Path | None = None, method: str | None = None, host: str | None = None,
             headers: GivenHeaders = ()) -> Upstream:  # fmt: skip
        """This server, for requests that are like that; a path without a query means any query."""
        narrow = Upstream(self.name)
        narrow.messages, narrow._rules = self.messages, self._rules
        narrow._condition = _Condition(_pathlike(path), _method(method), host, _given(headers))
        return narrow

    def replies(self, status: int = 200, *, headers: GivenHeaders = (), body: GivenBody = b"",
                trailers: GivenHeaders = (), after: float = 0.0, times: int | None = None) -> Upstream:  # fmt: skip
        """Have it answer so; `after` so many seconds of virtual time."""
        return self._says(answered(status, headers, body, trailers, after), times)

    def fails(self, how: Fails = "reset", *, after: float = 0.0, times: int | None = None) -> Upstream:
        """Have it fail: `reset`, `refused`, `timeout` or `no-host`."""
        failure = _failure(how)
        delay = nanoseconds(after, "after")
        return self._says(Failure(failure.reason, failure.after_ns + delay) if delay else failure, times)

    def answers(self, answering: Answering, *, times: int | None = None) -> Upstream:
        """Have a function answer: with a `Reply`, a status, or the name of a failure."""
        return self._says(answering, times)

    def gives(self, answer: Answer | Script) -> Upstream:
        """Have it answer as a file of rules says, or with what the host takes for an answer."""
        return self._says(answer, None)

    def script(
        self, rules: str | PurePath | Sequence[Mapping[str, Any]], *, times: int | None = None
    ) -> Upstream:
        """Have rules answer, gRPC services too: a JSON file as for `run --callout`, or what would stand in it."""
        if isinstance(rules, (str, PurePath)):
            return self._says(read_script(str(rules)), times)
        return self._says(script(list(rules), f"upstream {self.name}"), times)

    def _says(self, answer: Answer | Answering | Script, times: int | None) -> Upstream:
        if times is not None and times < 1:
            raise InputError(f"times: {times} is not a positive number")
        self._rules.append(_Rule(self._condition, answer, times))
        return self

    # What the host asks.

    @property
    def has_host(self) -> bool:
        """Whether there is anybody to ask; there is not if `no-host` was said last, without a condition."""
        plain = [rule for rule in self._rules if rule.condition == _Condition()]
        return not plain or plain[-1].answer is not NO_HOST

    def ask(self, request: Message) -> Answer | Talk | None:
        """The answer to a request; None where nothing was said."""
        self.messages.append(request)
        for rule in reversed(self._rules):
            if rule.left != 0 and rule.condition.fits(request):
                if rule.left is not None:
                    rule.left -= 1
                return _answer(rule.answer, request)
        return None


def _answer(answer: Answer | Answering | Script, request: Message) -> Answer | Talk:
    if isinstance(answer, (Message, Failure)):
        return answer
    if isinstance(answer, Script):
        return answer(request)
    found = answer(Request(request))
    if isinstance(found, Reply):
        return answered(found.status, found.headers, found.body, found.trailers, found.after)
    if isinstance(found, str):
        return _failure(found)
    if isinstance(found, int):
        return answered(found, (), b"", (), 0)
    raise InputError(f"answers: the function gave {found!r}, which is no Reply, no status and no failure")


def _failure(how: str) -> Failure:
    try:
        return _FAILS[how]
    except KeyError:
        raise InputError(f"fails: `{how}` is none of {', '.join(_FAILS)}") from None


def _pathlike(path: Path | None) -> Path | None:
    """A path that a request can have."""
    if isinstance(path, str) and path[:1] not in ("/", "*") and "://" not in path:
        raise InputError(f"when: path `{path}` does not begin with `/`, so no request would be like that")
    return path


def _method(method: str | None) -> str | None:
    """A method that a request can have."""
    if method is not None and method.upper() != method and method.upper() in _METHODS:
        raise InputError(f"when: methods tell capital letters from small ones: write {method.upper()}")
    return method


def _given(found: GivenHeaders) -> tuple[tuple[str, str], ...]:
    return headers(found)
