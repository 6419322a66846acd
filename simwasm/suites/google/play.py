"""Playing a test: phase after phase on one stream, each judged before the next.

Rules, that tester's: a plugin that does not start, or fails, ends its test; anything else that is wrong is told, and
the test goes on; every body is the end of the stream with its last chunk; headers never are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simwasm.config.tree import Place
from simwasm.errors import PluginError
from simwasm.exchange import to_bytes
from simwasm.suites.google.headers import CaselessMap
from simwasm.suites.google.http1 import read_headers
from simwasm.suites.google.judge import Failure, beside, judge_body, judge_headers, judge_logs, matching
from simwasm.suites.google.stage import Result, Stage
from simwasm.suites.google.suite import Chunking, Input, Invocation, Trial
from simwasm.suites.shape import wrong
from simwasm.trace.text import printable

MOST_CHUNKS = 100_000


def play(trial: Trial, stage: Stage) -> Iterator[Failure]:
    """Play a test, and give what is not as expected."""
    for expected in trial.expectations:
        for matcher in (*expected.headers, *expected.body, *expected.log):
            matching(matcher)
    try:
        yield from _phases(trial, stage)
    except _Failed as failed:
        yield failed.failure


class _Failed(Exception):
    """The plugin cannot go on."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _phases(trial: Trial, stage: Stage) -> Iterator[Failure]:
    try:
        logs = stage.start()
    except PluginError as error:
        raise _Failed(_why("plugin_init", str(error), trial.place, stage)) from None
    yield from judge_logs("plugin_init", trial.plugin_init, logs)
    opened = _healthy("stream_init", stage.open(), trial.place, stage)
    yield from judge_logs("stream_init", trial.stream_init, opened.logs)
    yield from _headers("request", trial.request_headers, stage)
    yield from _bodies("request", trial.request_body, trial.chunking, stage)
    yield from _headers("response", trial.response_headers, stage)
    yield from _bodies("response", trial.response_body, trial.chunking, stage)
    closed = _healthy("stream_destroy", stage.end(), trial.place, stage)
    yield from judge_logs("stream_destroy", trial.stream_destroy, closed.logs)
    stage.stop()
    _healthy("plugin_destroy", closed, trial.place, stage)


def _headers(side: str, invocation: Invocation | None, stage: Stage) -> Iterator[Failure]:
    if invocation is None:
        return
    phase = f"{side}_headers"
    headers = _given_headers(invocation.input, request=side == "request")
    result = _healthy(phase, stage.headers(f"proxy_on_{phase}", headers), invocation.place, stage)
    yield from judge_headers(phase, invocation.result, result)


def _bodies(
    side: str, invocations: Sequence[Invocation], chunking: Chunking | None, stage: Stage
) -> Iterator[Failure]:
    phase = f"{side}_body"
    for number, invocation in enumerate(invocations, 1):
        body = to_bytes(_contents(invocation.input))
        chunks = cut(body, chunking) if chunking is not None else [body]
        parts, last = [], Result()
        for index, chunk in enumerate(chunks, 1):
            last = stage.body(f"proxy_on_{phase}", chunk, index == len(chunks))
            parts.append(_healthy(phase, last, invocation.place, stage).body)
        name = f"{phase} {number}" if len(invocations) > 1 else phase
        yield from judge_body(name, invocation.result, Result(body=b"".join(parts), logs=last.logs))


def cut(body: bytes, chunking: Chunking) -> list[bytes]:
    """A body in chunks: of one size, or so many, of which the last has what is left."""
    length, number = len(body), chunking.number
    if chunking.unit == "chunk_size":
        size, count = number, max(1, -(-length // number))
    else:
        size, count = length // number, number
        if not size:
            wrong(chunking.place, f"{length} bytes cannot be cut into {number} chunks that have any")
    if count > MOST_CHUNKS:
        wrong(chunking.place, f"that makes {count:,} chunks of a body, and there may be {MOST_CHUNKS:,}")
    return [body[at * size : (at + 1) * size] for at in range(count - 1)] + [body[(count - 1) * size :]]


def _given_headers(given: Input, *, request: bool) -> CaselessMap:
    text = _contents(given)
    return CaselessMap(read_headers(text, given.place, request=request) if text else given.headers)


def _contents(given: Input) -> str:
    return beside(given.file, given.place) if given.file else given.content


def _healthy(phase: str, result: Result, place: Place, stage: Stage) -> Result:
    """The result, unless the plugin has failed."""
    if stage.failed is not None:
        raise _Failed(_why(phase, str(stage.failed), place, stage))
    return result


def _why(phase: str, reason: str, place: Place, stage: Stage) -> Failure:
    lines = printable(reason).split("\n")
    logged = [f"  {printable(line)}" for line in stage.logged()[-20:]]
    details = [*lines[1:], *(["log:", *logged] if logged else [])]
    return Failure(f"{phase}: the plugin failed: {lines[0]}", place, "\n".join(details))
