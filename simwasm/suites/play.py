"""Cases of our own suites, played: the plugin is loaded as suite and case say, and what is said is sent, step by step.

Rules: every case has a plugin, a VM and a time of its own; nothing waits in real time; what a case expects of its steps
as a whole is looked at when the last one is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwasm.config.tree import tree_of
from simwasm.errors import InputError, LinkError, PluginError
from simwasm.exchange import Exchange
from simwasm.suites.case import Case as Playable
from simwasm.suites.case import Miss
from simwasm.suites.expect import Expect
from simwasm.suites.read import read_suite, suite_of
from simwasm.suites.request import Request
from simwasm.suites.shape import wrong
from simwasm.suites.suite import Case, Step, Suite

if TYPE_CHECKING:
    from simwasm.suites.bench import Bench
    from simwasm.testing import PluginUnderTest, Result
    from simwasm.testing.streams import Stream


def cases(path: str | Path) -> list[Playable]:
    """The cases of a suite's file."""
    return _all(read_suite(path), str(path))


def cases_of(text: str, file: str) -> list[Playable]:
    """The cases of a text that stands for a file."""
    return _all(suite_of(tree_of(text, file)), file)


def _all(suite: Suite, file: str) -> list[Playable]:
    return [each for case in suite.cases for each in _cases(suite, case, file)]


def _cases(suite: Suite, case: Case, file: str) -> Iterator[Playable]:
    line = case.at("name").line
    if case.traffic is None:
        yield Playable(case.name, file, line, partial(_play, suite, case, None), case.skip or "")
        return
    found = list(_recorded(case))
    if not found:
        wrong(case.at("only" if case.only else "traffic"), f"{case.traffic} has no exchange like that")
    names: dict[str, int] = {}
    for exchange in found:
        name = f"{case.name}: {exchange.label}"
        names[name] = names.get(name, 0) + 1
        told = name if names[name] == 1 else f"{name} ({names[name]})"
        yield Playable(told, file, line, partial(_play, suite, case, exchange), case.skip or "")


def _recorded(case: Case) -> Iterator[Exchange]:
    from simwasm.traffic.importer import read_traffic

    assert case.traffic is not None
    try:
        for exchange in read_traffic(str(case.traffic)):
            if not case.only or any(part in exchange.label for part in case.only):
                yield exchange
    except InputError as error:
        wrong(case.at("traffic"), str(error))


def _play(suite: Suite, case: Case, recorded: Exchange | None, bench: Bench) -> Iterator[Miss]:
    """Play a case, and give what was not as expected."""
    from simwasm.suites.look import misses, refused

    defaults = suite.defaults.expect
    plugin = _loaded(suite, case, bench)
    try:
        _start(plugin)
    except PluginError as error:
        if isinstance(error, LinkError):
            raise
        yield from refused(_expected(case.expect, defaults), str(error), plugin)
        return
    if case.expect is not None and case.expect.is_refused:
        yield Miss("the plugin starts, and it was expected to be refused", case.expect.at("starts").line)
        return
    playing = Playing(suite, plugin, bench)
    for step in case.steps:
        yield from playing.step(step)
    result = playing.only(case, recorded)
    expect = _expected(case.expect, defaults if result is not None else None)
    yield from misses(expect, plugin, result, playing.seen)
    if expect.golden is not None:
        from simwasm.suites.golden import golden

        yield from golden(
            expect, (result or plugin).trace, f"{case.at().file}: {case.name}", bench.options.update
        )
    if expect.trapped is None:
        yield from _end(plugin)
    if case.wrote("faults"):
        plugin.close()
        missed = "never happened: the case did not come there, so it shows nothing of it"
        yield from (Miss(f"{text} {missed}", case.at("faults").line) for text in plugin._life.missed())


def _end(plugin: PluginUnderTest) -> Iterator[Miss]:
    """Have it ended, which plugins are told of, and may trap on."""
    from simwasm.suites.look_parts import trap_misses

    events = plugin.trace.rows.events
    plugin.close()
    yield from trap_misses(Expect(), plugin.trace, events[-1].seq if events else 0)


def _start(plugin: PluginUnderTest) -> None:
    """Have it started."""
    plugin.advance(0)


def _expected(expect: Expect | None, defaults: Expect | None) -> Expect:
    if expect is None:
        return defaults or Expect()
    return expect if defaults is None else expect.over(defaults)


def _loaded(suite: Suite, case: Case, bench: Bench) -> PluginUnderTest:
    """The plugin as a case wants it."""
    said = case.over(suite)
    plugin, module = said.pop("plugin"), said.pop("module")
    if plugin is None and not bench.options.plugin:
        wrong(
            case.at("name"),
            "no plugin is named: write `plugin: FILE.wasm` to the suite, or say --plugin FILE.wasm",
        )
    upstream, callouts, properties = said.pop("upstream"), said.pop("callouts"), said.pop("properties")
    loaded = bench.load(plugin or "", **_options(said, module))
    if upstream is not None:
        loaded.upstream().gives(upstream)
    for cluster, answer in callouts:
        loaded.upstream(cluster).gives(answer)
    for path, value in properties:
        loaded.property(path, value)
    return loaded


def _options(said: dict[str, Any], module: str | None) -> dict[str, Any]:
    """Settings as `load_plugin` takes them."""
    found = {_NAMES.get(name, name): value for name, value in said.items() if value is not None}
    found["env"] = dict(found["env"])
    if module is not None:
        found["module"] = module
    if "reload_after" in found:
        found["reload_after"] = found["reload_after"] // 1_000_000
    return found


_NAMES = {"plugin_name": "name", "faults": "fault"}


@dataclass
class _Open:
    """A stream that is under way."""

    stream: Stream
    step: Step


class Playing:
    """A case that is being played."""

    def __init__(self, suite: Suite, plugin: PluginUnderTest, bench: Bench) -> None:
        self._suite = suite
        self._plugin = plugin
        self._bench = bench
        self._open: dict[str, _Open] = {}
        self._ids = 0
        self.seen = 0
        """The last event that was looked at."""

    def step(self, step: Step) -> Iterator[Miss]:
        """Do a step, and look at what is expected of it."""
        from simwasm.suites.look import misses

        result = self._do(step)
        expect = _expected(step.expect, self._suite.defaults.expect if result is not None else None)
        yield from misses(expect, self._plugin, result, self.seen)
        events = self._plugin.trace.rows.events
        self.seen = events[-1].seq if events else 0

    def only(self, case: Case, recorded: Exchange | None) -> Result | None:
        """What a case without steps sends."""
        if recorded is not None:
            return self._plugin.play(recorded)
        if case.request is not None:
            return self._plugin.play(self._request(case.request).exchange(self._id(), case.name))
        return None if case.talk is None else self._plugin.play(case.talk.exchange(self._id(), case.name))

    def _do(self, step: Step) -> Result | None:
        if step.open is not None:
            self._begin(step)
        elif step.request is not None:
            return self._plugin.play(self._request(step.request).exchange(self._id(), ""))
        elif step.talk is not None:
            return self._plugin.play(step.talk.exchange(self._id(), ""))
        elif step.send is not None:
            self._stream("send", step).stream.send(step.body or b"")
        elif step.end is not None:
            return self._end(step)
        elif step.leave is not None:
            return self._stream("leave", step, ends=True).stream.leave()
        elif step.advance is not None:
            self._plugin.advance(step.advance / 1e9)
        return None

    def _begin(self, step: Step) -> None:
        assert step.open is not None and step.request is not None
        if step.open in self._open:
            wrong(
                step.at("open"), f"a stream called `{step.open}` is open already; give this one another name"
            )
        request = self._request(step.request)
        exchange = request.exchange(self._id(), step.open)
        fields = {name: value for name, value in exchange.request.headers if name[0] == ":"}
        stream = self._plugin.open(
            fields[":method"], fields[":path"], host=fields[":authority"], scheme=fields[":scheme"],
            headers=[pair for pair in exchange.request.headers if pair[0][0] != ":"],
            connection=exchange.connection, name=step.open,
        )  # fmt: skip
        self._open[step.open] = _Open(stream, step)
        for chunk in exchange.request.body:
            if chunk.after_ns:
                self._plugin.advance(chunk.after_ns / 1e9)
            stream.send(chunk.data)

    def _end(self, step: Step) -> Result:
        stream = self._stream("end", step, ends=True).stream
        if step.body:
            stream.send(step.body)
        if not stream.done:
            stream.end([(name, value) for name, values in step.trailers for value in values])
        return stream.finish()

    def _stream(self, what: str, step: Step, ends: bool = False) -> _Open:
        name: str = getattr(step, what)
        found = self._open.get(name)
        if found is None:
            there = ", ".join(f"`{each}`" for each in self._open) or "none"
            wrong(step.at(what), f"no stream called `{name}` is open; open are: {there}")
        if ends:
            del self._open[name]
        return found

    def _request(self, request: Request) -> Request:
        defaults = self._suite.defaults.request
        return request if defaults is None else request.over(defaults)

    def _id(self) -> str:
        self._ids += 1
        return str(self._ids)
