"""How many requests a second go through a plugin: replayed here, and served over loopback by one Envoy worker.

The plugin is `samples/allow_header`, which refuses with 403 or lets pass. Envoy's upstream is a `direct_response` of
its own route: no upstream is faster, and the answer passes the plugin like any other. Ours is a recorded answer. Both
log as loudly as Envoy does unless told otherwise (`info`): two lines for a refused request, one for another.
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
from simwasm.exchange import Exchange, Header, request, response
from simwasm.host.profile import ENVOY
from simwasm.parity.bootstrap import Json
from simwasm.parity.envoy import Envoy
from simwasm.plugin import Plugin
from simwasm.session import Session

PLUGIN = Path(__file__).parents[1] / "samples" / "allow_header" / "plugin.wasm"
_BATCH = 250
_NOBODY = ("127.0.0.1", 9)
_PATHS: tuple[tuple[str, int, tuple[Header, ...]], ...] = (
    ("refused", 403, ()),
    ("let pass", 200, (("allow", "true"),)),
)


def rows(*, seconds: int = 2, rounds: int = 5) -> Iterator[Row]:
    """The refused and the passing request."""
    program = wrk.find()
    plugin = Plugin("allow_header", PLUGIN.read_bytes())
    with Envoy.start(
        plugin, upstream=_NOBODY, http_manager=_direct_response(), wasm_log_level="info"
    ) as envoy:
        for what, status, headers in _PATHS:
            ours, theirs = in_turns(
                rounds, replayed(headers, status, seconds), served(program, envoy.port, headers, seconds)
            )
            yield Row("replay", f"requests {what} / by one Envoy worker", REQUESTS, ours, theirs, Target(0.5))


def _direct_response() -> dict[str, Json]:
    answer: Json = {"status": 200, "body": {"inline_string": "ok"}}
    route: Json = {"match": {"prefix": "/"}, "direct_response": answer}
    return {
        "route_config": {
            "name": "fast",
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}],
        }
    }


def replayed(headers: tuple[Header, ...], status: int, seconds: float) -> Measure:
    """Requests replayed one after the other in one session."""
    profile = replace(ENVOY, log_level=LogLevel.INFO)
    session = Session([Plugin("allow_header", PLUGIN.read_bytes())], engine=WasmerEngine(), profile=profile)
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
