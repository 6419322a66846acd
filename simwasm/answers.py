"""Where answers come from: scripts for clusters and upstreams, and real servers.

A script is a JSON list of rules; the first whose `when` fits the request answers:

    [{"when": {"path": "/check", "headers": {"authorization": "Bearer good"}}, "reply": {"status": 200}},
     {"reply": {"status": 403, "headers": {"x-why": "no token"}, "body": "no", "after_ms": 5}},
     {"fail": "reset"}]

A gRPC service answers by `grpc` in place of `reply`, see `grpc_answers`.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simwasm.errors import ConfigError, InputError
from simwasm.exchange import Chunk, Exchange, Message, first, response, to_bytes, to_text
from simwasm.grpc_answers import Talk, read_talk
from simwasm.host.clock import MILLISECOND, SECOND
from simwasm.host.grpc_call import pieces_of
from simwasm.host.ports import NO_HOST, Answer, Callout, Failure, Heard, Piece, Service

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse


FAILURES = {
    "reset": Failure("connection termination"),
    "refused": Failure("remote connection failure"),
    "timeout": Failure("timeout", 3600 * SECOND),
}
UNANSWERED = Failure("remote connection failure")
"""A cluster that a configuration names, and of which nobody has said who answers."""
_PSEUDO = {"method": ":method", "path": ":path", "host": ":authority"}
_SOCKET_TIMEOUT = 30
_LARGEST_BODY = 1 << 28
_STATUS = re.compile("[1-9][0-9]{2}")


@dataclass(frozen=True, slots=True)
class Rule:
    """If the request has these headers, this is the answer."""

    when: tuple[tuple[str, str], ...]
    answer: Answer | Talk

    def fits(self, request: Message) -> bool:
        return all(first(request.headers, name) == value for name, value in self.when)


class Script:
    """Rules, asked in order."""

    def __init__(self, name: str, rules: tuple[Rule, ...]) -> None:
        self._name = name
        self._rules = rules

    @property
    def is_grpc(self) -> bool:
        """Whether a gRPC service answers anywhere in it."""
        return any(isinstance(rule.answer, Talk) for rule in self._rules)

    def __call__(self, request: Message) -> Answer | Talk:
        for rule in self._rules:
            if rule.fits(request):
                return rule.answer
        method, path = (first(request.headers, name) for name in (":method", ":path"))
        raise ConfigError(f"{self._name}: no rule fits {method} {path}; add one without `when` as the last")


def read_script(path: str) -> Script:
    """Read rules from a JSON file."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        to_bytes(json.dumps(content, ensure_ascii=False))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeEncodeError:
        raise ConfigError(f"{path}: has half of a surrogate pair, which stands for no byte") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: is not JSON: {error}") from None
    return script(content, path)


def script(content: Any, where: str) -> Script:
    """Understand rules that have been read."""
    if not isinstance(content, list):
        raise ConfigError(f"{where}: a script is a list of rules, not {type(content).__name__}")
    return Script(where, tuple(_rule(item, f"{where}: rule {index}") for index, item in enumerate(content)))


def _rule(item: Any, where: str) -> Rule:
    if (
        not isinstance(item, dict)
        or not item.keys() <= {"when", "reply", "fail", "grpc"}
        or len(item.keys() - {"when"}) != 1
    ):
        raise ConfigError(
            f"{where}: a rule has `reply` or `fail` or `grpc`, and perhaps `when`, and nothing else"
        )
    when = _object(item.get("when", {}), {*_PSEUDO, "headers"}, f"{where}: when")
    wanted = [(_PSEUDO[key], value) for key, value in when.items() if key in _PSEUDO]
    wanted += _object(when.get("headers", {}), None, f"{where}: when.headers").items()
    if "fail" in item:
        failure = FAILURES.get(str(item["fail"]))
        if failure is None:
            raise ConfigError(f"{where}: fail is one of {', '.join(FAILURES)}, not {item['fail']!r}")
        return Rule(tuple(wanted), failure)
    if "grpc" in item:
        return Rule(tuple(wanted), read_talk(item["grpc"], FAILURES, f"{where}: grpc"))
    return Rule(tuple(wanted), _reply(item["reply"], f"{where}: reply"))


def _object(value: Any, keys: set[str] | None, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: is an object, not {type(value).__name__}")
    unknown = value.keys() - keys if keys is not None else set()
    if unknown:
        raise ConfigError(
            f"{where}: does not know {', '.join(sorted(unknown))}; known are {', '.join(sorted(keys or ()))}"
        )
    bad = [name for name, entry in value.items() if keys is None and not isinstance(entry, str)]
    if bad:
        raise ConfigError(f"{where}: {bad[0]} is a string, not {type(value[bad[0]]).__name__}")
    return value


def _reply(value: Any, where: str) -> Message:
    reply = _object(value, {"status", "headers", "body", "trailers", "after_ms"}, where)
    status, body, after = reply.get("status", 200), reply.get("body", ""), reply.get("after_ms", 0)
    if type(status) is not int or not isinstance(body, str) or type(after) is not int:
        raise ConfigError(f"{where}: status and after_ms are numbers, body is a string")
    if not 100 <= status <= 999 or after < 0:
        raise ConfigError(f"{where}: status is between 100 and 999, and after_ms is not negative")
    trailers = _object(reply.get("trailers", {}), None, f"{where}.trailers")
    return response(
        status,
        headers=_object(reply.get("headers", {}), None, f"{where}.headers").items(),
        body=[to_bytes(body)] if trailers else to_bytes(body),
        trailers=trailers.items(),
        after_ns=after * MILLISECOND,
    )


class Server:
    """A real HTTP server, really asked."""

    def __init__(self, url: str) -> None:
        wrong = InputError(f"{url}: is not an http or https address such as http://127.0.0.1:8000")
        try:
            parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
            port = parts.port
        except ValueError:
            raise wrong from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise wrong
        # 30 ms, which only those pay who ask a server
        from http.client import HTTPConnection, HTTPSConnection

        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port = parts.hostname, port
        self.address = f"{self._host}:{port or (443 if parts.scheme == 'https' else 80)}"
        self.authority = parts.netloc.rpartition("@")[2]

    def __call__(self, request: Message) -> Answer:
        from http.client import HTTPException

        started = time.monotonic_ns()
        connection = self._kind(self._host, self._port, timeout=_SOCKET_TIMEOUT)
        try:
            return self._ask(connection, request, started)
        except OSError as error:
            return Failure(f"connection failure ({error.strerror or error})", time.monotonic_ns() - started)
        except HTTPException as error:
            return Failure(f"protocol error ({type(error).__name__})", time.monotonic_ns() - started)
        except ValueError as error:  # what cannot be written as HTTP/1.1, such as a line break in a header
            return Failure(f"protocol error ({error})", time.monotonic_ns() - started)
        finally:
            connection.close()

    def _ask(self, connection: HTTPConnection, request: Message, started: int) -> Message:
        fields = dict(request.headers)
        connection.putrequest(fields[":method"], fields[":path"], skip_host=True, skip_accept_encoding=True)
        connection.putheader("host", fields[":authority"])
        chunked = False
        for name, value in request.headers:
            if name[:1] != ":" and name != "transfer-encoding":
                connection.putheader(
                    name.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape")
                )
            chunked = chunked or name == "transfer-encoding"
        if chunked:
            connection.putheader("transfer-encoding", "chunked")
        connection.endheaders(request.data or None, encode_chunked=chunked)
        found = connection.getresponse()
        waited = time.monotonic_ns() - started
        headers = [(name.lower(), to_text(value.encode("latin-1"))) for name, value in found.getheaders()]
        return Message(((":status", str(found.status)), *headers), _body(found, started), (), waited)


def _body(found: HTTPResponse, started: int) -> tuple[Chunk, ...]:
    """Read a body that ends; one that goes on and on is a failed connection."""
    chunks: list[Chunk] = []
    left = _LARGEST_BODY
    while piece := found.read1(65536):
        chunks.append(Chunk(piece))
        left -= len(piece)
        if left < 0 or time.monotonic_ns() - started > _SOCKET_TIMEOUT * SECOND:
            raise OSError(f"the body does not end within {_SOCKET_TIMEOUT} s and {_LARGEST_BODY >> 20} MiB")
    return tuple(chunks)


def _nobody(text: str) -> None:
    """Hear nothing."""


class Clusters:
    """Who answers for which cluster; `in_vain` hears once of each that was asked without anybody who answers."""

    def __init__(
        self, answers: Mapping[str, Script | Server | Answer], in_vain: Callable[[str], None] = _nobody
    ) -> None:
        self._answers = dict(answers)
        self._in_vain = in_vain
        self._unanswered = {name for name, answer in answers.items() if answer is UNANSWERED}

    def heard_by(self, in_vain: Callable[[str], None]) -> Clusters:
        """The same, and somebody else hears of those that were asked in vain."""
        return Clusters(self._answers, in_vain)

    def __reduce__(self) -> tuple[object, ...]:
        """What another process gets: who hears of anything is not sent, and some answers are known by what they are."""
        return _again, ({name: _NAMES.get(id(answer), answer) for name, answer in self._answers.items()},)

    @property
    def names(self) -> Mapping[str, bool]:
        """The clusters, and of each whether it has a host."""
        return {name: answer != NO_HOST for name, answer in self._answers.items()}

    def answers(self, cluster: str) -> bool:
        """Whether it is said who answers for a cluster."""
        return self._answers[cluster] is not UNANSWERED

    @property
    def services(self) -> Mapping[str, Service]:
        """The clusters whose script has a gRPC service, which answers for all of the cluster."""
        scripts = ((name, found) for name, found in self._answers.items() if isinstance(found, Script))
        return {name: partial(_serve, found) for name, found in scripts if found.is_grpc}

    def ask(self, callout: Callout) -> Answer | Talk:
        """Answer a callout."""
        if callout.is_stream and isinstance(self._answers[callout.cluster], Server):
            raise ConfigError(
                f"{callout.cluster}: a gRPC stream cannot go to a real server; let a script with `grpc` answer"
            )
        return self.answer(callout.cluster, callout.request)

    def answer(self, cluster: str, request: Message) -> Answer | Talk:
        """Answer a request to a cluster."""
        found = self._answers[cluster]
        if cluster in self._unanswered:
            self._unanswered.discard(cluster)
            self._in_vain(cluster)
        return found if isinstance(found, (Message, Failure)) else found(request)

    def plain(self, cluster: str, request: Message) -> Answer:
        """Answer a request over HTTP/1, which a gRPC service does not take."""
        found = self.answer(cluster, request)
        return response(415) if isinstance(found, Talk) else found


_KNOWN: dict[object, Failure] = {"no-host": NO_HOST, "unanswered": UNANSWERED}
_NAMES = {id(answer): name for name, answer in _KNOWN.items()}


def _again(answers: Mapping[str, Any]) -> Clusters:
    """The clusters that came from another process."""
    known = (
        (name, _KNOWN[answer] if isinstance(answer, str) else answer) for name, answer in answers.items()
    )
    return Clusters(dict(known))


def _serve(script: Script, heard: Heard) -> tuple[Piece, ...]:
    """Answer a call over HTTP/2; what is no gRPC service answers at its end."""
    found = script(Message(heard.headers))
    if isinstance(found, Talk):
        return found(heard)
    return pieces_of(found) if heard.ended else ()


def parse_answer(text: str, where: str) -> Script | Server | Answer:
    """Understand what a user wrote for an answer: a status, a failure, an address, or a script's file."""
    if _STATUS.fullmatch(text):
        return response(int(text))
    if text in FAILURES:
        return FAILURES[text]
    if text == "no-host":
        return NO_HOST
    if text.startswith(("http://", "https://")):
        return Server(text)
    if os.path.exists(text):  # of any text: a path that cannot be one is not there
        return read_script(text)
    raise InputError(
        f"{where}: `{text}` is no status (200), no failure ({', '.join(FAILURES)}, no-host), no address "
        "(http://…) and no file"
    )


def read_response(text: str) -> Message:
    """Understand `--respond`: a status, a file with an HTTP response in it, or any file as the body of a 200."""
    if _STATUS.fullmatch(text):
        return response(int(text))
    try:
        content = Path(text).read_bytes()
    except OSError as error:
        raise InputError(
            f"--respond: `{text}` is neither a status nor a file that can be read: {error.strerror}"
        ) from None
    return _http_response(content, text) if content.startswith(b"HTTP/") else response(200, body=content)


def _http_response(content: bytes, where: str) -> Message:
    head, _, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    line, *fields = head.decode("utf-8", "surrogateescape").split("\n")
    parts = line.split(None, 2)
    if len(parts) < 2 or not _STATUS.fullmatch(parts[1]):
        raise InputError(f"{where}:1: `{line}` is not the first line of an HTTP response (HTTP/1.1 200 OK)")
    headers = []
    for number, field in enumerate(fields, 2):
        name, colon, value = field.partition(":")
        if not colon:
            raise InputError(f"{where}:{number}: `{field}` is not a header (name: value)")
        headers.append((name.strip(), value.strip()))
    raw_body = content.partition(b"\r\n\r\n")[2] if b"\r\n\r\n" in content else body
    return response(int(parts[1]), headers=headers, body=raw_body)


class FromServer:
    """An upstream that is a real server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __call__(self, exchange: Exchange, request: Message) -> Answer:
        return self._server(request)


def phrase(status: int) -> str:
    """The words that go with a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
