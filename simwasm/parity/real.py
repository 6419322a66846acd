"""A scenario through the real Envoy, told as an `Account`.

Rules that live here: everybody who is asked is a server on loopback, answering by the scenario's own functions;
exchanges run one after the other, each watched until the plugin's last callback for it has returned.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from simwasm.conversation import Conversation
from simwasm.errors import EngineUnavailable
from simwasm.exchange import Exchange, Message
from simwasm.host.ports import Answer, Service
from simwasm.parity.account import (
    TICK,
    Account,
    Inside,
    Scenario,
    Script,
    Seen,
    as_bytes,
    as_heard,
    as_sent,
    growth,
    nobody_listens,
    nobody_there,
    on_wire,
)
from simwasm.parity.bootstrap import Address, Cluster
from simwasm.parity.client import End, fetch
from simwasm.parity.envoy import Envoy
from simwasm.parity.log import Record, crossings, plugin_logs
from simwasm.parity.tcp import Listener, Talk
from simwasm.parity.upstream import Cut, Failure, Received, Reply, Upstream

if TYPE_CHECKING:
    from simwasm.parity.http2 import GrpcServer

PATIENCE = 2.0
"""Seconds without a byte after which an exchange counts as hanging."""

QUIET = 0.5
"""Seconds for which neither end of a connection has anything to say after which it counts as hanging."""

COUNTED = r"^wasmcustom\.|\.vm_reload_"
"""Which statistics are compared."""

_DELAYED_CLOSE = "0.05s"
"""How long Envoy leaves the end of a connection to the client before it ends it itself; nobody gains by its second."""

_TICK_BEGINS = f"[host->vm] {TICK}("
_TICK_ENDS = (f"[host<-vm] {TICK} ", f"Function: {TICK} ")


def judge(scenario: Scenario, patience: float = PATIENCE) -> Account:
    """Run a scenario through Envoy and tell what everyone saw."""
    with ExitStack() as stack:
        servers = _Servers(scenario, stack)
        envoy = stack.enter_context(
            Envoy.start(
                *scenario.plugins,
                upstream=servers.address,
                access_log=True,
                http_manager={"delayed_close_timeout": _DELAYED_CLOSE, **scenario.http_manager},
                buffer_limit=scenario.buffer_limit,
                routes=scenario.routes,
                clusters=servers.clusters(),
            )
        )
        started = time.time_ns()
        log = _Log(envoy)
        start = log.fresh()
        counters = envoy.stats(COUNTED)
        exchanges = tuple(_seen(exchange, envoy, servers, log, patience) for exchange in scenario.exchanges)
        counted = growth(counters, envoy.stats(COUNTED))
        envoy.close()
        return Account(started, start, exchanges, log.fresh(), counted)


def _seen(exchange: Exchange, envoy: Envoy, servers: _Servers, log: _Log, patience: float) -> Seen:
    sent = as_sent(exchange, time.time_ns(), envoy.port)
    if isinstance(sent, Conversation):
        return _talked(sent, envoy, servers, log)
    servers.exchange = sent
    fetched = fetch(envoy.port, sent.request, timeout=patience)
    envoy.settle()
    client = None if fetched.end is End.TIMEOUT or fetched.response is None else on_wire(fetched.response)
    rows = () if fetched.end is End.TIMEOUT else envoy.access_log()[-1:]
    logged = "".join(
        "{response_code} {response_flags} {response_code_details}".format_map(row) for row in rows
    )
    return Seen(sent, fetched.end, client, servers.asked(), servers.called(), log.fresh(), logged)


def _talked(talk: Conversation, envoy: Envoy, servers: _Servers, log: _Log) -> Seen:
    """Have a conversation and tell what everyone saw; of one that hangs, what was seen until then."""
    servers.listener.refuse(talk.refused)
    with Talk(envoy.port, servers.listener, QUIET) as talking:
        heard = talking.play(talk)
        hanging = None if heard.ended else log.fresh()
    if hanging is not None:
        log.fresh()
        return Seen(talk, End.TIMEOUT, None, as_bytes(heard.upstream), servers.called(), hanging)
    envoy.settle_connections()
    logged = "".join("{response_code} {response_flags}".format_map(row) for row in envoy.access_log()[-1:])
    client, upstream = as_bytes(heard.client)[0], as_bytes(heard.upstream)
    return Seen(talk, End.COMPLETE, client, upstream, servers.called(), log.fresh(), logged)


class _Servers:
    """The upstream and the clusters."""

    def __init__(self, scenario: Scenario, stack: ExitStack) -> None:
        self._scenario = scenario
        self.exchange = scenario.exchanges[0]
        """The exchange under way."""
        self.upstream = stack.enter_context(self._upstream())
        self.listener = stack.enter_context(Listener())
        """The upstream of TCP connections."""
        self._closed = stack.enter_context(_closed_port())
        self._asked = {
            name: stack.enter_context(Upstream.start(_server(script)))
            for name, script in scenario.clusters.items()
        }
        self._services = {
            name: stack.enter_context(_grpc_server(service)) for name, service in scenario.services.items()
        }

    def _upstream(self) -> Upstream:
        return Upstream.start(self._answer, early=lambda: self.exchange.early, hint=self._scenario.hint)

    def _answer(self, received: Received) -> Reply:
        return _reply(self._scenario.upstream(self.exchange, received.message))

    @property
    def address(self) -> Address:
        """Where the upstream is."""
        network = any(plugin.network for plugin in self._scenario.plugins)
        return self.listener.address if network else self.upstream.address

    def clusters(self) -> dict[str, Cluster]:
        """Where Envoy finds each cluster."""
        asked = {name: self._cluster(name, server) for name, server in self._asked.items()}
        return asked | {name: Cluster(server.address, True) for name, server in self._services.items()}

    def _cluster(self, name: str, server: Upstream) -> Cluster:
        script = self._scenario.clusters[name]
        if script is nobody_there:
            return Cluster(None)
        return Cluster(self._closed.getsockname() if script is nobody_listens else server.address)

    def asked(self) -> tuple[Message, ...]:
        """What the upstream received since it was last asked about."""
        return tuple(_received(self.upstream))

    def called(self) -> tuple[tuple[str, Message], ...]:
        """What each cluster received since then."""
        asked = ((name, found) for name, server in self._asked.items() for found in _received(server))
        heard = ((name, as_heard(call)) for name, server in self._services.items() for call in server.heard())
        return (*asked, *heard)


class _Log:
    """Envoy's log, a piece at a time."""

    def __init__(self, envoy: Envoy) -> None:
        self._envoy = envoy
        self._read = 0

    def fresh(self) -> Inside:
        """What happened in the plugin on the worker since the last piece."""
        records = self._envoy.records()
        new = [record for record in records[self._read :] if record.thread != self._envoy.pid]
        self._read = len(records)
        return _inside(new)


def _inside(records: list[Record]) -> Inside:
    compared = list(_without_ticks(records))
    return Inside(crossings(compared), plugin_logs(compared))


def _without_ticks(records: list[Record]) -> Iterator[Record]:
    """The records except those between a tick's beginning and its end."""
    ticking = False
    for record in records:
        ticking = ticking and not record.text.startswith(_TICK_ENDS)
        if not ticking:
            yield record
        ticking = ticking or record.text.startswith(_TICK_BEGINS)


def _received(server: Upstream) -> Iterator[Message]:
    requests = server.requests()
    server.forget()
    return (on_wire(received.message) for received in requests)


def _server(script: Script) -> Callable[[Received], Reply]:
    return lambda received: _reply(script(received.message))


def _grpc_server(service: Service) -> GrpcServer:
    """A server over HTTP/2, whose library only those need who have a gRPC service."""
    try:
        from simwasm.parity.http2 import GrpcServer
    except ImportError as error:
        raise EngineUnavailable(f"gRPC services need {error.name}: pip install 'simwasm[envoy]'") from None
    return GrpcServer.start(service)


def _reply(answer: Answer) -> Reply:
    if isinstance(answer, Message):
        return answer
    if answer.begun is not None:
        return Cut(answer.begun)
    return Failure.SILENCE if answer.reason == "timeout" else Failure.RESET


def _closed_port() -> socket.socket:
    """A port of this machine that is taken but does not listen, so that connecting to it is refused."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken
