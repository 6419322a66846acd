"""The real Envoy, run beside us: one process per start, on loopback ports the kernel picks.

    plugin = Plugin("t.allow", Path("samples/allow/plugin.wasm").read_bytes(), config=b"{}")
    with Upstream.start() as upstream, Envoy.start(plugin, upstream=upstream.address) as envoy:
        answer = fetch(envoy.port, request("GET", "/"))
        envoy.settle()
        print(*envoy.crossings(), sep="\\n")

Rules that live here:
- Envoy runs with one worker thread unless told otherwise. Every VM exists there, on the main thread and, for a moment,
  as a canary; what traffic does is seen on the worker alone, so that is the one asked about; `startup_crossings()`
  asks main.
- An answer reaches the client before the plugin's last callbacks: `settle()` before looking.
- After `close()` the log is still there, the plugin's shutdown included.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from simwasm.errors import EngineUnavailable, EnvoyRejected
from simwasm.host.profile import ENVOY
from simwasm.host.routes import Route
from simwasm.parity.bootstrap import STAT_PREFIX, UPSTREAM, Address, Bootstrap, Cluster, Json, Tap
from simwasm.parity.log import FORMAT, Crossing, PluginLog, Record, crossings, parse_log, plugin_logs
from simwasm.parity.process import binary, ending, spawn, stop
from simwasm.plugin import Plugin

if TYPE_CHECKING:
    from typing_extensions import Self

_PATIENCE = 30.0
_BLINK = 0.01
_COMPLAINTS = 6

_NO_ANSWER = (OSError, ValueError, http.client.HTTPException)
"""Also while Envoy starts: no address file yet, or an empty one, or nobody behind it."""

_STARTED = "listener_manager.workers_started"
_TOTAL = f"http.{STAT_PREFIX}.downstream_rq_total"
_ACTIVE = rf"^(http\.{STAT_PREFIX}\.downstream|cluster\..*\.upstream)_rq_active$"
_CONNECTIONS = f"tcp.{STAT_PREFIX}.downstream_cx_total"
_CONNECTED = rf"^(listener\.[\d._]+\.downstream|cluster\.{UPSTREAM}\.upstream)_cx_active$"


class Envoy:
    """A running Envoy; use it in a `with`, or close it."""

    def __init__(self, process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
        self._process = process
        self._folder = folder
        self._finished: tuple[Record, ...] | None = None
        self._access_rows: tuple[dict[str, Json], ...] = ()
        self._kill = weakref.finalize(self, stop, process)
        self.port = 0
        """Where it listens for requests."""

    @classmethod
    def start(
        cls,
        *plugins: Plugin,
        upstream: Address,
        clusters: Mapping[str, Cluster] | None = None,
        access_log: bool = False,
        taps: tuple[Tap, ...] = (),
        socket_taps: tuple[Tap, ...] = (),
        buffer_limit: int | None = None,
        http_manager: Mapping[str, Json] | None = None,
        route: Mapping[str, Json] | None = None,
        routes: tuple[Route, ...] = ENVOY.routes,
        wasm_log_level: str = "trace",
        log_format: str = FORMAT,
        workers: int = 1,
    ) -> Envoy:
        """Start Envoy with these plugins in this order and wait until it takes requests.

        Crossings are only known at the log level "trace", and in the log's usual format; "" is Envoy's own.
        """
        executable = binary()
        folder = tempfile.TemporaryDirectory(prefix="simwasm-envoy-")
        bootstrap = Bootstrap(
            plugins,
            upstream,
            clusters or {},
            Path(folder.name, "access.log") if access_log else None,
            taps,
            socket_taps,
            buffer_limit,
            http_manager or {},
            route or {},
            routes,
        )
        Path(folder.name, "envoy.json").write_text(json.dumps(bootstrap.as_json()))
        envoy = cls(spawn(executable, Path(folder.name), wasm_log_level, log_format, workers), folder)
        try:
            envoy._await_ready()
        except BaseException:
            envoy.close()
            raise
        return envoy

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process id, which is the main thread's id in the log too."""
        return self._process.pid

    def records(self) -> tuple[Record, ...]:
        """Return everything it logged so far."""
        if self._finished is not None:
            return self._finished
        return parse_log(self.raw_log())

    def log(self) -> str:
        """Return the log so far as text."""
        return "\n".join(map(str, self.records()))

    def crossings(self) -> tuple[Crossing, ...]:
        """Return the ABI crossings on the worker so far."""
        return crossings(self._on_worker())

    def startup_crossings(self) -> tuple[Crossing, ...]:
        """Return the ABI crossings on the main thread: base VM, canary, then the main thread's own VM."""
        return crossings(record for record in self.records() if record.thread == self.pid)

    def plugin_logs(self) -> tuple[PluginLog, ...]:
        """Return what plugins logged on the worker so far."""
        return plugin_logs(self._on_worker())

    def access_log(self) -> tuple[dict[str, Json], ...]:
        """Return the access log so far, a row a request."""
        if self._finished is not None:
            return self._access_rows
        path = Path(self._folder.name, "access.log")
        return tuple(json.loads(line) for line in path.read_text().splitlines()) if path.exists() else ()

    def _ended(self) -> list[dict[str, Json]]:
        """The access log's rows of requests that have ended; some settings have it written earlier as well."""
        return [row for row in self.access_log() if row["response_code_details"] is not None]

    def stats(self, matching: str = "") -> dict[str, int]:
        """Return counters and gauges, those whose name matches a regular expression if one is given."""
        rows = json.loads(self._ask_admin(f"/stats?format=json&filter={quote(matching)}"))["stats"]
        return {row["name"]: row["value"] for row in rows if "name" in row}

    def settle(self) -> None:
        """Wait until no request is under way, plugins' own calls included, and the access log is written."""
        _await(lambda: not any(self.stats(_ACTIVE).values()), "requests to end")
        self._await_access_log(_TOTAL, self._ended)

    def settle_connections(self) -> None:
        """Wait until no TCP connection is open, and what plugins do about it has ended."""
        _await(lambda: not any(self.stats(_CONNECTED).values()), "connections to end")
        _await(lambda: not any(self.stats(_ACTIVE).values()), "requests to end")
        self._await_access_log(_CONNECTIONS, self.access_log)

    def _await_access_log(self, counted: str, rows: Callable[[], Sequence[object]]) -> None:
        if Path(self._folder.name, "access.log").exists():
            total = self.stats(counted)[counted]
            _await(lambda: len(rows()) >= total, "the access log")

    def close(self) -> None:
        """Stop Envoy, keep what it logged and remove its files."""
        if self._finished is None:
            self._kill()
            self._access_rows, self._finished = self.access_log(), self.records()
            self._folder.cleanup()

    def _on_worker(self) -> Iterator[Record]:
        return (record for record in self.records() if record.thread != self.pid)

    def raw_log(self) -> bytes:
        """Return what it wrote so far, as it is."""
        return Path(self._folder.name, "envoy.log").read_bytes()

    def _ask_admin(self, path: str) -> bytes:
        try:
            return self._get(path)
        except _NO_ANSWER as error:
            self._raise_if_gone(error)
            raise

    @property
    def admin(self) -> Address:
        """Where its admin endpoint listens."""
        host, _, port = Path(self._folder.name, "admin.txt").read_text().rpartition(":")
        return host, int(port)

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(*self.admin, timeout=_PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def _raise_if_gone(self, error: Exception) -> None:
        """Say so when a plugin brought Envoy down, which some do."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_BLINK * 10)
            raise EngineUnavailable(f"Envoy is gone: {ending(code)}{_complaints(self.records())}") from error

    def _await_ready(self) -> None:
        _await(self._is_ready, "Envoy to start")
        listener = json.loads(self._ask_admin("/listeners?format=json"))["listener_statuses"][0]
        self.port = listener["local_address"]["socket_address"]["port_value"]

    def _is_ready(self) -> bool:
        if self._process.poll() is not None:
            log = self.raw_log()
            raise EnvoyRejected(f"Envoy refused to start:{_complaints(parse_log(log))}", log)
        with suppress(*_NO_ANSWER):
            return b'"value":1' in self._get(f"/stats?format=json&filter={_STARTED}")
        return False


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise EngineUnavailable(f"Envoy did not answer in time: waited {_PATIENCE:.0f} s for {what}")
        time.sleep(_BLINK)


def _complaints(records: tuple[Record, ...]) -> str:
    """What Envoy complained about, first cause first, without its dump of the configuration."""
    texts = [
        record.text.partition(" initializing config")[0]
        for record in records
        if record.level in ("error", "critical")
    ]
    return "".join(f"\n  {text}" for text in texts[:_COMPLAINTS])
