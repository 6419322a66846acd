"""A plugin in the hands of a test: what is sent through it, who answers, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import TracebackType

from simwasm.abi.enums import Status
from simwasm.conversation import conversation
from simwasm.errors import InputError
from simwasm.exchange import Connection, Exchange
from simwasm.host.fault_text import parse_fault
from simwasm.keeping import keeper
from simwasm.testing import given
from simwasm.testing.given import GivenBody, GivenHeaders
from simwasm.testing.life import Flow, Life, Setup
from simwasm.testing.observed import Observed
from simwasm.testing.result import Result
from simwasm.testing.streams import Stream, Talk
from simwasm.testing.upstream import Upstream
from simwasm.traffic.importer import read_all
from simwasm.traffic.selection import selection

PropertyValue = str | bytes | int | float | bool | Mapping[str, str] | Sequence[str] | None


class PluginUnderTest(Observed):
    """A plugin that a test has loaded, with a VM and a virtual time of its own.

    Example:
        >>> with load_plugin("samples/allow_header/plugin.wasm") as plugin:
        ...     result = plugin.send("GET", "/", headers={"allow": "true"})
        >>> int(result.response.status), result.upstream.called
        (200, True)
    """

    def __init__(self, setup: Setup) -> None:
        super().__init__(Life(setup))
        self._ids = count(1)
        self._used()

    def _used(self) -> Life:
        """Its life, for a test that does something: maybe not the one that has loaded it."""
        if (found := keeper.get()) is not None:
            found.loaded(self)
        return self._life

    def upstream(self, cluster: str | None = None) -> Upstream:
        """The server behind the proxy, or the one of a cluster that the plugin calls; its answers can be said then."""
        return self._life.servers.named(cluster)

    # What is sent.

    def send(self, method: str, path: str, *, headers: GivenHeaders = (), body: GivenBody = b"",
             trailers: GivenHeaders = (), host: str = "localhost", scheme: str = "http", protocol: str = "HTTP/1.1",
             connection: Connection | None = None, name: str = "") -> Result:  # fmt: skip
        """Send a request, and wait until it has ended; a body that is a list comes in those pieces."""
        message = given.asked(method, path, host, scheme, headers, body, trailers)
        client = connection or given.connection(protocol)
        return self.play(Exchange(self._id(), 0, message, None, client, name))

    def play(self, exchange: Exchange) -> Result:
        """Send a request as it was recorded, now, and wait until it has ended."""
        life = self._used()
        now = life.running().proxy.clock.now
        return self._result(life.open(replace(exchange, started_ns=now)))

    def replay(
        self, *paths: str | Path, together: bool = False, filter: str = "", limit: int | None = None
    ) -> tuple[Result, ...]:
        """Send the requests of recordings, with their pauses, each when the one before has ended, or by their times.

        A path may be that of a folder, or a pattern; `filter` and `limit` say which of the exchanges are meant. If
        nothing was sent before, time begins with the recording's, as in `simwasm run`.
        """
        kept = keeper.get()
        names = [str(path) if kept is None else kept.file(str(path)) for path in paths]
        found = list(selection(filter, limit).of(read_all(names)))
        if not found:
            raise InputError(f"{', '.join(map(str, paths))}: has no exchanges to replay")
        life = self._used()
        if not life.begun:
            life.begin_at(found[0].started_ns)
        shift = life.running().proxy.clock.now - found[0].started_ns
        moved = [replace(each, started_ns=each.started_ns + shift) for each in found]
        return tuple(life.replay(moved, together=together))

    def _result(self, flow: Flow) -> Result:
        self._life.wait([flow])
        assert flow.result is not None
        return flow.result

    def open(self, method: str, path: str, *, headers: GivenHeaders = (), host: str = "localhost",
             scheme: str = "http", protocol: str = "HTTP/1.1", connection: Connection | None = None, name: str = "",
             early: bool = False) -> Stream:  # fmt: skip
        """Begin a request and say its body step by step; an upstream that answers `early` does not wait for its end."""
        message = given.asked(method, path, host, scheme, headers, b"", ())
        client = connection or given.connection(protocol)
        return Stream(self._life, self._begun(Exchange(self._id(), 0, message, None, client, name, early)))

    def connect(self, *, connection: Connection | None = None, name: str = "", refused: bool = False) -> Talk:
        """Open a TCP connection, for plugins that are network filters; `refused` by the upstream, if that is said."""
        talk = conversation(self._id(), (), connection=connection or Connection(), name=name, refused=refused)
        return Talk(self._life, self._begun(talk))

    def _id(self) -> str:
        return str(next(self._ids))

    def _begun(self, exchange: Exchange) -> Flow:
        life = self._used()
        flow = life.open(replace(exchange, started_ns=life.running().proxy.clock.now), live=True)
        life.settle()
        return flow

    def advance(self, seconds: float) -> None:
        """Let so much virtual time pass, and do what is due until then: ticks, answers, timeouts."""
        self._used().advance(given.nanoseconds(seconds, "advance"))

    # What is around it.

    def fault(self, text: str) -> None:
        """Have something go wrong, as `simwasm run --fault` says it: `callout:auth#2=reset`, `trap:proxy_on_log`."""
        fault = parse_fault(text, "fault")
        if self._life.begun:
            raise InputError(
                f"fault: `{text}` comes too late: say what goes wrong before the plugin is first used"
            )
        self._life.faults.append(fault)

    def instead(self, function: str, answer: object = Status.OK, *values: object, nth: int = 0) -> None:
        """Answer in the host's place, a status and what comes out; or in a callback's, with what it returns.

        Calls of a function count from 0 over the plugin's whole life.
        """
        if self._life.begun:
            raise InputError(f"instead: {function} comes too late: say it before the plugin is first used")
        self._life.say_instead(function, answer, values, nth)

    def property(self, path: str | tuple[str, ...], value: PropertyValue) -> None:
        """Say what a property is, from now on; `None` means that it has no value.

        A path is written with dots, or as a tuple where its names have some.
        """
        steps = tuple(path.split(".")) if isinstance(path, str) else tuple(path)
        if not all(steps) or not steps:
            raise InputError(f"property: {path!r} is no path; write source.address, or a tuple of names")
        if not isinstance(value, (str, bytes, bool, int, float, type(None), Mapping, tuple, list)):
            raise InputError(f"property: {path!r} cannot be {value!r}: a text, bytes, a number or a boolean")
        self._life.told[steps] = dict(value) if isinstance(value, Mapping) else value

    # Its end.

    def close(self) -> None:
        """Stop the plugin, and let go of its VM; what is known of it stays."""
        self._life.close()

    def __enter__(self) -> PluginUnderTest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
