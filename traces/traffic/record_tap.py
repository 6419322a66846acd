"""Records <sample>.tap.jsonl: what Envoy's own tap filter sees of requests with bodies in pieces and trailers.

    pip install 'simwasm[envoy]'; python traces/traffic/record_tap.py

Envoy runs without a plugin, so that the answers are the upstream's own. The tap writes a body in one piece; it is cut
again where the sender cut it. It looks at the headers when all is over, so that what Envoy added is among them; that is
left out, since whoever replays the traffic adds it again.
"""

from __future__ import annotations

import base64
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simwasm.exchange import Chunk, Exchange, Headers, Message, request, response
from simwasm.parity.bootstrap import Tap
from simwasm.parity.client import fetch
from simwasm.parity.envoy import Envoy
from simwasm.parity.upstream import Upstream
from simwasm.traffic.jsonl import write

FOLDER = Path(__file__).parent
HOST = "shop.example"
PIECE_NS = 10_000_000
AGENT = ("user-agent", "curl/8.9.0")
ALLOW, BEARER = ("allow", "true"), ("authorization", "Bearer let-me-in")
TEXT = ("content-type", "text/plain")
PAGE = response(200, headers=[TEXT], body=b"welcome\n")
STREAMED = response(200, headers=[TEXT], body=[b"one ", b"two ", b"three\n"], trailers=[("x-sum", "3")])
ADDED = frozenset(
    "x-forwarded-proto x-request-id x-envoy-expected-rq-timeout-ms x-envoy-upstream-service-time date server".split()
)

Asked = tuple[str, Message, Message]
"""What it is about, the request, and what the upstream answers."""


def ask(method: str, path: str, *headers: tuple[str, str], **more: Any) -> Message:
    """A request as curl makes it."""
    return request(method, path, host=HOST, headers=[AGENT, ("accept", "*/*"), *headers], **more)


def upload(*headers: tuple[str, str]) -> Message:
    """A request with a body in three pieces, and trailers."""
    pieces = [b"first,", b"second,", b"third\n"]
    return ask("POST", "/upload", *headers, body=pieces, trailers=[("x-checksum", "7f3a")])


RECORDED: dict[str, tuple[Asked, ...]] = {
    "allow_header": (
        ("a page, not allowed", ask("GET", "/"), PAGE),
        ("a page, allowed", ask("GET", "/", ALLOW), PAGE),
        ("pieces and trailers both ways, allowed", upload(ALLOW), STREAMED),
        ("pieces and trailers, not allowed", upload(("allow", "no")), STREAMED),
    ),
    "response_body": (
        ("a word cut in two", ask("GET", "/cut"), response(200, headers=[TEXT], body=[b"a sec", b"ret\n"])),
        (
            "with trailers",
            ask("GET", "/trailers"),
            response(200, headers=[TEXT], body=[b"secret, ", b"secret"], trailers=[("x-sum", "2")]),
        ),
        ("no body", ask("DELETE", "/cart/7"), response(204)),
        ("head only", ask("HEAD", "/cut"), response(200, headers=[TEXT, ("content-length", "9")])),
    ),
    "http_auth": (
        ("known", ask("GET", "/", BEARER), PAGE),
        ("unknown", ask("GET", "/"), PAGE),
        ("service down", ask("GET", "/", ("authorization", "Bearer down")), PAGE),
        ("known, pieces and trailers", upload(BEARER), STREAMED),
    ),
    "rate_limit": (
        ("first", ask("GET", "/", ("x-client", "ann")), PAGE),
        ("one too many", ask("GET", "/", ("x-client", "ann")), PAGE),
        ("somebody else, in pieces", upload(("x-client", "bob")), STREAMED),
    ),
}


def record(asked: tuple[Asked, ...]) -> Iterator[Exchange]:
    """Send each request through Envoy and read what its tap wrote."""
    with tempfile.TemporaryDirectory() as folder:
        answers = iter(answer for _, _, answer in asked)
        with (
            Upstream.start(lambda _: next(answers)) as upstream,
            Envoy.start(upstream=upstream.address, taps=(Tap(Path(folder)),)) as envoy,
        ):
            for number, (name, sent, answer) in enumerate(asked, 1):
                started = time.time_ns()
                fetch(envoy.port, sent)
                envoy.settle()
                (file,) = Path(folder).iterdir()
                trace = json.loads(file.read_text())["http_buffered_trace"]
                file.unlink()
                read, answered = message(trace["request"], sent), message(trace["response"], answer)
                yield Exchange(str(number), started, read, answered, name=name)


def message(tapped: dict[str, Any], sent: Message) -> Message:
    """One direction as the tap tells it."""
    data = base64.b64decode(tapped.get("body", {}).get("as_bytes", ""))
    headers, trailers = (pairs(tapped.get(part, [])) for part in ("headers", "trailers"))
    return Message(headers, tuple(cut(data, sent)), trailers)


def pairs(tapped: list[dict[str, str]]) -> Headers:
    """Headers or trailers, as they came."""
    return tuple((pair["key"], pair["value"]) for pair in tapped if pair["key"] not in ADDED)


def cut(data: bytes, sent: Message) -> Iterator[Chunk]:
    """Cut a body where its sender did."""
    begin = 0
    for number, chunk in enumerate(sent.body):
        end = begin + len(chunk.data)
        yield Chunk(data[begin:end], PIECE_NS if number else 0)
        begin = end


def main() -> None:
    """Record every file."""
    for sample, asked in RECORDED.items():
        with FOLDER.joinpath(f"{sample}.tap.jsonl").open("wb") as stream:
            write(record(asked), stream)


if __name__ == "__main__":
    main()
