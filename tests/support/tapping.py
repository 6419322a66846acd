"""The real Envoy with a tap in each of its forms, and exchanges that show what a tap has to tell."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from simwasm.exchange import Chunk, Message, request, response, to_text
from simwasm.parity.bootstrap import ADMIN_TAP, Tap, TapForm
from simwasm.parity.client import fetch
from simwasm.parity.envoy import Envoy
from simwasm.parity.upstream import Cut, Failure, Received, Reply, Upstream

LIMIT = 64
HOST = "shop.example"
TEXT = ("content-type", "text/plain")
ANSWERS: dict[str, Reply] = {
    "/": response(
        200, headers=[TEXT, ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-empty", "")], body=b"welcome\n"
    ),
    "/upload": response(200, headers=[TEXT], body=[b"one ", b"two ", b"three\n"], trailers=[("x-sum", "3")]),
    "/bytes": Message(
        (
            (":status", "200"),
            ("content-type", "application/octet-stream"),
            ("x-raw", to_text(b"caf\xe9\xff")),
        ),
        (Chunk(b"\0\x80\xfe\xff"),),
    ),
    "/long": response(200, headers=[TEXT], body=b"0123456789abcdef" * 10),
    "/grpc": response(
        200,
        headers=[("content-type", "application/grpc")],
        body=[b"\0\0\0\0\5hello"],
        trailers=[("grpc-status", "0"), ("grpc-message", "fine")],
    ),
    "/cut": Cut(response(200, headers=[TEXT, ("content-length", "99")], body=[b"begun "])),
    "/down": Failure.RESET,
    "/silent": Failure.SILENCE,
    "/none": response(204),
}
FORMS = {f"{'streamed' if streamed else 'buffered'}_{form.name.lower()}": (form, streamed)
         for form in TapForm for streamed in (False, True)}  # fmt: skip


def ask(method: str, path: str, *headers: tuple[str, str], **more: object) -> Message:
    """A request of the probe."""
    return request(method, path, host=HOST, headers=[("user-agent", "probe/1"), *headers], **more)  # type: ignore[arg-type]  # as `request` takes them


ASKED = (
    ask("GET", "/"),
    ask("POST", "/upload", body=[b"first,", b"second,", b"third\n"], trailers=[("x-checksum", "7f3a")]),
    ask("POST", "/bytes", ("x-raw", to_text(b"na\xefve")), body=b"\0\1\xff\xfe"),
    ask("POST", "/long", body=b"fedcba9876543210" * 10),
    ask("POST", "/grpc", ("content-type", "application/grpc"), ("te", "trailers"), body=[b"\0\0\0\0\2hi"]),
    ask("GET", "/cut"),
    ask("GET", "/down"),
    ask("GET", "/silent"),
    ask("DELETE", "/none"),
    ask("HEAD", "/"),
)


def answer(received: Received) -> Reply:
    """What the upstream says."""
    return ANSWERS[received.line.split(" ")[1]]


def talk(envoy: Envoy) -> None:
    """Send every request; one of them hangs until its client goes away."""
    for asked in ASKED:
        fetch(envoy.port, asked, timeout=0.3 if asked.header(":path") == "/silent" else 5.0)
    envoy.settle()


@contextmanager
def tapping(folder: Path, *, limit: int = LIMIT) -> Iterator[Envoy]:
    """An Envoy that taps into a folder a form, of HTTP and, called `socket_…`, of connections."""
    taps: list[Tap] = []
    sockets: list[Tap] = []
    for name, (form, streamed) in FORMS.items():
        for kind, found in (("", taps), ("socket_", sockets)):
            below = folder / f"{kind}{name}"
            below.mkdir()
            found.append(
                Tap(below, form, 1 << 20 if kind else limit, streamed, details=not (streamed or kind))
            )
    with (
        Upstream.start(answer) as upstream,
        Envoy.start(
            upstream=upstream.address,
            taps=(*taps, Tap(None)),
            socket_taps=tuple(sockets),
            wasm_log_level="info",
        ) as envoy,
    ):
        yield envoy


@contextmanager
def admin_tap(envoy: Envoy, got: list[bytes], *, form: TapForm, streamed: bool) -> Iterator[None]:
    """What the admin endpoint streams meanwhile."""
    sink: dict[str, object] = {"format": form.value, "streaming_admin": {}}
    output = {"streaming": streamed, "sinks": [sink]}
    config = {"match": {"any_match": True}, "output_config": output}
    connection = http.client.HTTPConnection(*envoy.admin, timeout=10)
    connection.request("POST", "/tap", json.dumps({"config_id": ADMIN_TAP, "tap_config": config}))

    def read() -> None:
        with suppress(OSError, http.client.HTTPException, AttributeError):
            stream = connection.getresponse()
            while block := stream.read1(65536):
                got.append(block)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    time.sleep(0.1)  # it says nothing until the first request
    try:
        yield
    finally:
        time.sleep(0.1)
        if connection.sock:
            connection.sock.shutdown(2)
        thread.join(2)
        connection.close()
