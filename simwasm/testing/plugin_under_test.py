"""A plugin in the hands of a test: what is sent through it, who answers, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

from simwasm import recipe as recipes
from simwasm.abi.enums import LogLevel
from simwasm.errors import InputError
from simwasm.exchange import Connection, Exchange
from simwasm.keeping import keeper
from simwasm.lints.lint import Problem
from simwasm.recipe import Recipe
from simwasm.session import DEFAULT_FUEL
from simwasm.testing import given, shared
from simwasm.testing.given import GivenBody, GivenHeaders
from simwasm.testing.life import Flow, Life, Setup
from simwasm.testing.logs import Logs
from simwasm.testing.result import Cost, Result, cost
from simwasm.testing.trace import Trace
from simwasm.testing.upstream import Upstream

_SEVERAL = frozenset(each.name for each in fields(Recipe) if each.default == ())
_FIELDS = tuple(each.name for each in fields(Recipe) if each.name not in ("plugin", "traffic", "together"))


def load_plugin(
    path: str | Path,
    *,
    config: str | bytes | Mapping[str, Any] | list[Any] = "",
    vm_config: str | bytes | Mapping[str, Any] | list[Any] = "",
    engine: str | None = None,
    env: Mapping[str, str] | tuple[str, ...] = (),
    **options: Any,
) -> PluginUnderTest:
    """Load a plugin, a module or a WasmPlugin in YAML; the other keywords are those of `simwasm run`.

    A configuration is a text, `@` and a file, or a value that is written as JSON. Nothing runs before the plugin is
    used for the first time.

    Example:
        >>> plugin = load_plugin("samples/config_loading/plugin.wasm", config={"header": "x-by", "value": "me"})
        >>> plugin.send("GET", "/").response.headers["x-by"]
        'me'
    """
    unknown = next((name for name in options if name not in _FIELDS), None)
    if unknown is not None:
        near = get_close_matches(unknown, _FIELDS, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(_FIELDS)}"
        raise InputError(f"load_plugin: there is no option `{unknown}`; {hint}")
    said = {name: _option(name, each) for name, each in options.items()}
    made = Recipe(str(path), env=_env(env), engine=engine, **said)
    made = replace(made, config=_text(config), vm_config=_text(vm_config))
    plugin = recipes.plugin(made, shared.read)
    if isinstance(config, bytes):
        plugin = replace(plugin, config=config)
    setup = Setup(
        shared.known(plugin),
        shared.engine(engine),
        _profile(made),
        recipes.limits(made),
        made.fuel if made.fuel is not None else DEFAULT_FUEL,
        recipes.workers(made),
        recipes.faults(made),
        recipes.clusters(made),
    )
    return PluginUnderTest(setup)


def _option(name: str, value: Any) -> Any:
    """Options that may be said several times are tuples; a text alone is one of one."""
    if name not in _SEVERAL:
        return value
    return (value,) if isinstance(value, str) else tuple(value)


def _text(config: str | bytes | Mapping[str, Any] | list[Any]) -> str:
    if isinstance(config, str):
        return config
    if isinstance(config, bytes):
        return config.decode("utf-8", "surrogateescape")
    return given.as_json(config).decode("utf-8", "surrogateescape")


def _env(env: Mapping[str, str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in env.items()) if isinstance(env, Mapping) else tuple(env)


def _profile(made: Recipe) -> Any:
    if made.log_level.upper() not in LogLevel.__members__:
        known = ", ".join(level.name.lower() for level in LogLevel)
        raise InputError(f"log_level: `{made.log_level}` is none of {known}")
    return recipes.profile(made)


class PluginUnderTest:
    """A plugin that a test has loaded, with a VM and a virtual time of its own.

    Example:
        >>> with load_plugin("samples/allow_header/plugin.wasm") as plugin:
        ...     result = plugin.send("GET", "/", headers={"allow": "true"})
        >>> int(result.response.status), result.upstream.called
        (200, True)
    """

    def __init__(self, setup: Setup) -> None:
        self._life = Life(setup)
        self._ids = count(1)
        if (found := keeper.get()) is not None:
            found.loaded(self)

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self._life.setup.plugin.name

    @property
    def engine(self) -> str:
        """The name of the engine that runs it."""
        return self._life.setup.engine.name

    def __repr__(self) -> str:
        return f"<plugin {self.name} on {self.engine}>"

    def upstream(self, cluster: str | None = None) -> Upstream:
        """The server behind the proxy, or the one of a cluster that the plugin calls; its answers can be said then."""
        return self._life.cluster(cluster)

    # What is sent.

    def send(self, method: str, path: str, *, headers: GivenHeaders = (), body: GivenBody = b"",
             trailers: GivenHeaders = (), host: str = "localhost", scheme: str = "http", protocol: str = "HTTP/1.1",
             connection: Connection | None = None, name: str = "") -> Result:  # fmt: skip
        """Send a request, and wait until it has ended; a body that is a list comes in those pieces."""
        message = given.asked(method, path, host, scheme, headers, body, trailers)
        client = connection or given.connection(protocol)
        return self.play(Exchange(str(next(self._ids)), 0, message, None, client, name))

    def play(self, exchange: Exchange) -> Result:
        """Send a request as it was recorded, now, and wait until it has ended."""
        life = self._life
        now = life.running().proxy.clock.now
        return self._result(life.open(replace(exchange, started_ns=now)))

    def _result(self, flow: Flow) -> Result:
        self._life.wait([flow])
        assert flow.outcome is not None
        return Result(self._life, flow.stream, flow.outcome)

    # What is known of it.

    @property
    def results(self) -> tuple[Result, ...]:
        """What became of everything that has ended so far, in that order."""
        return tuple(Result(self._life, flow.stream, outcome) for flow, outcome in self._life.ended)

    @property
    def logs(self) -> Logs:
        """Everything that was logged."""
        return self._life.logs(each for _, each in self._life.record.lines)

    @property
    def cost(self) -> Cost:
        """What everything has cost, the start included."""
        return cost(
            self._life, [visit for visit in self._life.record.visits if visit.outer and visit.end >= 0]
        )

    @property
    def trace(self) -> Trace:
        """Everything that has crossed the ABI, the start included."""
        return self._life.trace(self._life.record.entries())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the lints say of everything so far."""
        return self._life.problems_of(None)

    @property
    def time(self) -> float:
        """How many seconds of virtual time have passed."""
        life = self._life
        return (life.session.proxy.clock.now - life.started_ns) / 1e9 if life.begun else 0.0

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
