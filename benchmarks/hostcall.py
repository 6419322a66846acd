"""What one host call costs: `proxy_get_header_map_value` through codec and host, beside wasmer's bare call.

The guest is the same on both sides. The bare host function does nothing but return 0, which is the price of leaving
the guest and coming back; ours reads the key out of the guest, looks it up, asks the guest's allocator for memory and
writes the value there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

import wasmer
from wasmer_compiler_cranelift import Compiler

from benchmarks.row import MICROSECONDS, Measure, Row, Target, in_turns
from simwasm.engines.wasmer_engine import WasmerEngine
from simwasm.errors import Trap
from simwasm.exchange import Exchange, request
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Observer
from simwasm.trace.store import Recorder, header

_HEADERS = [("user-agent", "wrk/4.1.0"), ("accept", "*/*"), ("accept-language", "en"), ("allow", "true")]


def rows(*, calls: int = 20_000, rounds: int = 7) -> Iterator[Row]:
    """Unwatched, and with a trace being written."""
    wasm = bytes(
        wasmer.wat2wasm(Path(__file__).with_name("guest.wat").read_text().replace("CALLS", str(calls)))
    )
    sides = bare(wasm, calls), unwatched(wasm, calls), recorded(wasm, calls)
    peer, plain, watched = in_turns(rounds, *sides)
    yield Row(
        "hostcall", "a host call, nobody watching / wasmer's bare call", MICROSECONDS, plain, peer, Target(12)
    )
    yield Row(
        "hostcall", "a host call, trace being written / the same", MICROSECONDS, watched, peer, Target(30)
    )


def bare(wasm: bytes, calls: int) -> Measure:
    """wasmer alone, with a host function that does nothing."""
    store = wasmer.Store(wasmer.engine.Universal(Compiler))
    kind = wasmer.FunctionType([wasmer.Type.I32] * 5, [wasmer.Type.I32])
    imports = wasmer.ImportObject()
    imports.register("env", {"proxy_get_header_map_value": wasmer.Function(store, _nothing, kind)})
    instance = wasmer.Instance(wasmer.Module(store, wasm), imports)

    def measure() -> float:
        started = perf_counter()
        instance.exports.proxy_on_request_headers(2, 8, 1)
        return (perf_counter() - started) * 1e6 / calls

    return measure


def _nothing(kind: int, key: int, key_size: int, value: int, value_size: int) -> int:
    return 0


def unwatched(wasm: bytes, calls: int) -> Measure:
    """Through codec and host."""
    session = _session(wasm, ())
    return lambda: _replay(session, calls)


def recorded(wasm: bytes, calls: int) -> Measure:
    """The same while a trace is written, to memory."""

    def measure() -> float:
        plugin = Plugin("guest", wasm)
        head = header([plugin], profile="envoy", seed=0, started_ns=0)
        return _replay(_session(wasm, [Recorder(io.StringIO().write, head)]), calls)

    return measure


def _session(wasm: bytes, observers: Sequence[Observer]) -> Session:
    session = Session([Plugin("guest", wasm)], engine=WasmerEngine(), observers=observers)
    session.start()
    return session


def _replay(session: Session, calls: int) -> float:
    """Microseconds for one call; the exchange around them is a hundredth of it."""
    started = perf_counter()
    (outcome,) = session.replay([Exchange("1", 0, request("GET", "/", headers=_HEADERS))])
    taken = perf_counter() - started
    failed: Trap | None = session.proxy.vms[0].failed
    if failed is not None or outcome.status != 200:
        raise failed or RuntimeError(
            f"the guest was to let the request pass, and the status is {outcome.status}"
        )
    return taken * 1e6 / calls
