"""What the plugins did on two sides, and how that differs: traps, lines of the log, and calls that have effects."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from simwasm.abi.enums import LogLevel
from simwasm.abi.table import Side as Of
from simwasm.comparing.aspects import EFFECTS, Aspect
from simwasm.comparing.difference import Difference, first, pairs, whole
from simwasm.comparing.watcher import Call
from simwasm.trace.alike import compared, names_of
from simwasm.trace.event import Left, Trapped
from simwasm.trace.explain import change, explain, one_line
from simwasm.trace.rows import Kind, Row
from simwasm.trace.text import call_text, result_text, value_text

Said = tuple[LogLevel, str]
"""A line of the log, without who wrote it."""


def of_traps(old: list[Call], new: list[Call]) -> Iterator[Difference]:
    """Traps, also those that no client sees."""
    for one, other in pairs(list(_traps_of(old)), list(_traps_of(new)), (whole, first)):
        if one != other:
            callback = (one or other or ("",))[0]
            text = f"{callback}: {_told_trap(one)} → {_told_trap(other)}"
            yield Difference(Aspect.TRAP, f"{callback} traps otherwise" if one and other else text, text)


def _traps_of(side: list[Call]) -> Iterator[tuple[str, str]]:
    for call in side:
        if call.entered.function.side is Of.PLUGIN and isinstance(call.ended, Trapped):
            yield (
                call.entered.function.name,
                one_line(f"{call.ended.trap.kind.value} {call.ended.trap.detail}"),
            )


def _told_trap(pair: tuple[str, str] | None) -> str:
    return "no trap" if pair is None else f"trap {pair[1].strip()}"


def of_logs(old: list[Said], new: list[Said]) -> Iterator[Difference]:
    """Lines of the log."""
    for one, other in pairs(old, new, (whole, first)):
        if one is None or other is None:
            line = one or other
            assert line is not None
            where = "only before" if other is None else "only now"
            text = f"log, {where}: {line[0].name} {value_text(line[1])}"
            yield Difference(Aspect.LOGS, f"log lines {where}", text)
        else:
            told = change(f"log, {one[0].name}", one[1], other[1])
            yield from (Difference(Aspect.LOGS, "log lines otherwise", text) for text in told)


def of_effects(old: list[Call], new: list[Call]) -> Iterator[Difference]:
    """Calls whose effect is not in what client, upstream and log saw."""
    for aspect, names in EFFECTS.items():
        yield from _effects(aspect, *(_those(side, aspect, names) for side in (old, new)))


def _those(side: list[Call], aspect: Aspect, names: tuple[str, ...]) -> list[Call]:
    """Calls with effects of one kind; in which order metrics are touched is no effect."""
    found = [call for call in side if call.entered.function.name in names]
    return sorted(found, key=_metric) if aspect is Aspect.METRIC else found


def _metric(call: Call) -> str:
    entered = call.entered
    if entered.function.name != "proxy_define_metric":
        return str(entered.args[0])
    kind, name = entered.args
    return f"{getattr(kind, 'name', kind)} {name}"


def _effects(aspect: Aspect, old: list[Call], new: list[Call]) -> Iterator[Difference]:
    for one, other in pairs(old, new, (_content, _about, _name)):
        if one is None or other is None:
            call = one or other
            assert call is not None
            where = "only before" if other is None else "only now"
            name = call.entered.function.name
            yield Difference(aspect, f"{name} {where}", f"{where}: {_told_call(call)}")
        elif _content(one) != _content(other):
            name = one.entered.function.name
            rows = (Row(0, 0, Kind.HOST_CALL, 1, call.entered, call.ended, 0) for call in (one, other))
            yield Difference(aspect, f"{name} otherwise", f"{name}, {explain(*rows)}")


def _content(call: Call) -> Hashable:
    entered, ended = call.entered, call.ended
    args = [repr(entered.args[at]) for at in compared(entered.function.inputs) if at < len(entered.args)]
    result: Any = ended.trap.kind if isinstance(ended, Trapped) else ended and ended.result
    values = ended.values if isinstance(ended, Left) else ()
    gave = [repr(values[at]) for at in compared(entered.function.outputs) if at < len(values)]
    return entered.function.name, tuple(args), result, tuple(gave)


def _about(call: Call) -> Hashable:
    entered = call.entered
    return entered.function.name, tuple(repr(entered.args[at]) for at in names_of(entered.function))


def _name(call: Call) -> Hashable:
    return call.entered.function.name


def _told_call(call: Call) -> str:
    function, ended = call.entered.function, call.ended
    told = call_text(function, call.entered.args)
    return one_line(f"{told} = {result_text(function, ended)}" if isinstance(ended, Left) else told)
