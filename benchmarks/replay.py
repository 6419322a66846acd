"""How many requests a second go through a plugin: replayed here, and served over loopback by one Envoy worker.

The plugin is `samples/allow_header`, which refuses with 403 or lets pass. Envoy's upstream is a `direct_response` of
its own route: no upstream is faster, and the answer passes the plugin like any other. Ours is a recorded answer. Both
log as loudly as Envoy does unless told otherwise (`info`): two lines for a refused request, one for another.

A chain is five of them, each in a VM of its own. Streams that run at once are exchanges whose bodies come in pieces, so
that a thousand are open before the first ends; their peer is the same exchanges one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from benchmarks import wrk
from benchmarks.row import REQUESTS, Measure, Row, Target, in_turns
from simwasm.abi.enums import LogLevel
from simwasm.engines.wasmer_engine import WasmerEngine
from simwasm.exchange import Chunk, Exchange, Header, request, response
from simwasm.host.profile import ENVOY
from simwasm.parity.bootstrap import Json
from simwasm.parity.envoy import Envoy
from simwasm.plugin import Plugin
from simwasm.session import Session

PLUGIN = Path(__file__).parents[1] / "samples" / "allow_header" / "plugin.wasm"
_BATCH, _CHAIN, _AT_ONCE = 250, 5, 1000
_LOUD = replace(ENVOY, log_level=LogLevel.INFO)
_NOBODY = ("127.0.0.1", 9)
_PATHS: tuple[tuple[str, int, tuple[Header, ...]], ...] = (
    ("refused", 403, ()),
    ("let pass", 200, (("allow", "true"),)),
)


def rows(*, seconds: int = 2, rounds: int = 5) -> Iterator[Row]:
    """The refused and the passing request."""
    program = wrk.find()
    for what, status, headers in _PATHS:
        yield _beside_envoy(program, f"requests {what}", chain(1), status, headers, seconds, rounds)
    what, status, headers = f"requests let pass by {_CHAIN} plugins", 200, _PATHS[1][2]
    yield replace(_beside_envoy(program, what, chain(_CHAIN), status, headers, seconds, rounds), target=None)
    ours, alone = in_turns(rounds, streamed(together=True), streamed(together=False))
    what = f"requests, {_AT_ONCE:,} at once / one after the other"
    yield Row("replay", what, REQUESTS, ours, alone, Target(0.5))


def chain(length: int) -> list[Plugin]:
    """So many plugins, none of which shares its VM."""
    wasm = PLUGIN.read_bytes()
    return [Plugin(f"allow_header_{number}", wasm, vm_id=str(number)) for number in range(length)]


def _beside_envoy(
    program: str,
    what: str,
    plugins: list[Plugin],
    status: int,
    headers: tuple[Header, ...],
    seconds: int,
    rounds: int,
) -> Row:
    with Envoy.start(
        *plugins, upstream=_NOBODY, http_manager=_direct_response(), wasm_log_level="info"
    ) as envoy:
        ours, theirs = in_turns(
            rounds, replayed(plugins, headers, status, seconds), served(program, envoy.port, headers, seconds)
        )
    return Row("replay", f"{what} / by one Envoy worker", REQUESTS, ours, theirs, Target(0.5))


def _direct_response() -> dict[str, Json]:
    answer: Json = {"status": 200, "body": {"inline_string": "ok"}}
    route: Json = {"match": {"prefix": "/"}, "direct_response": answer}
    return {
        "route_config": {
            "name": "fast",
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}],
        }
    }


def streamed(*, together: bool) -> Measure:
    """Requests with bodies in pieces, replayed together or one after the other."""
    pieces = [Chunk(b"x" * 100, 1_000_000)] * 5
    asked = request("POST", "/", headers=[("allow", "true")])._replace(body=tuple(pieces))
    answer = response(200, body=b"ok")
    exchanges = [Exchange(str(i), i, asked, answer) for i in range(_AT_ONCE)]

    def measure() -> float:
        with Session(chain(1), engine=WasmerEngine(), profile=_LOUD) as session:
            started = perf_counter()
            count = sum(outcome.status == 200 for outcome in session.replay(exchanges, together=together))
            taken = perf_counter() - started
        if count != _AT_ONCE:
            raise RuntimeError(f"{count} of {_AT_ONCE} exchanges ended well")
        return count / taken

    return measure


def replayed(plugins: list[Plugin], headers: tuple[Header, ...], status: int, seconds: float) -> Measure:
    """Requests replayed one after the other in one session."""
    session = Session(plugins, engine=WasmerEngine(), profile=_LOUD)
    session.start()
    asked = request("GET", "/", host="127.0.0.1:10000", headers=headers)
    answer = response(200, headers=[("content-type", "text/plain")], body=b"ok")

    def measure() -> float:
        count, started = 0, perf_counter()
        while (taken := perf_counter() - started) < seconds:
            for outcome in session.replay(Exchange(str(i), 0, asked, answer) for i in range(_BATCH)):
                if outcome.status != status:
                    raise RuntimeError(f"the status was to be {status}, and is {outcome.status}")
            count += _BATCH
        return count / taken

    return measure


def served(program: str, port: int, headers: tuple[Header, ...], seconds: int) -> Measure:
    """Requests served by Envoy."""
    return lambda: wrk.requests_per_second(program, port, seconds, headers)
