"""Properties, shared data and metrics in the inspector, each with what has changed since the previous stop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simwasm.debug.state import State
from simwasm.debug.waiting import coming, lasting
from simwasm_tui.items import Item, Items, filtered, heading, prose
from simwasm_tui.panes.inspector_headers import MARKS
from simwasm_tui.text import Line, clean, count, value

_LONG = 2000

Entries = Mapping[str, tuple[Any, str]]
"""By name: a value, and a word about it."""


def property_items(state: State, before: State | None, width: int, wanted: str = "") -> Items:
    """All paths: first those that have a value."""
    there = {each.name: (each.value, each.kind) for each in state.properties if not each.why}
    old = (
        None
        if before is None
        else {each.name: (each.value, each.kind) for each in before.properties if not each.why}
    )
    own = {each.name for each in state.properties if each.own}
    found = [heading("Properties", count(len(there), "value"))] if there else []
    found += _entries(there, old, lambda name: f"property[{json.dumps(name)}]", width, own)
    missing = [each for each in state.properties if each.why]
    if missing:
        found += [Item(), heading("Without a value now")]
        found += [
            Item(((f"  {clean(each.name)} ", "muted"), (clean(each.why), "future")), name=each.name)
            for each in missing
        ]
    if not state.properties:
        found = prose("No context is acted for here, so there are no properties.", width)
    return filtered(found, wanted)


def shared_items(state: State, before: State | None, width: int, wanted: str = "") -> Items:
    """Shared data, queues, and what is yet to come."""
    found: list[Item] = []
    if state.shared:
        found.append(heading("Shared data", count(len(state.shared), "key")))
        found += _entries(
            _shared(state),
            None if before is None else _shared(before),
            lambda name: f"shared[{json.dumps(name)}]",
            width,
        )
        found.append(Item())
    if state.queues:
        found.append(heading("Queues", count(len(state.queues), "queue")))
        found += _entries(_queues(state), None if before is None else _queues(before), lambda name: "", width)
        found.append(Item())
    found += _coming(state)
    if not found:
        found = prose(
            "Nothing is shared and nothing is on its way.\n"
            "Shared data (proxy_set_shared_data), queues, callouts in flight and ticks will be here.",
            width,
        )
    return filtered(found, wanted)


def metric_items(state: State, before: State | None, width: int, wanted: str = "") -> Items:
    """Every statistic."""
    if not state.metrics:
        return Items(prose("No metric is defined. A plugin defines them with proxy_define_metric.", width))
    old = None if before is None else _metrics(before)
    entries = _entries(_metrics(state), old, lambda name: f"metric[{json.dumps(name)}]", width)
    return filtered([heading("Metrics", count(len(state.metrics), "metric")), *entries], wanted)


def _shared(state: State) -> Entries:
    several = len({each.vm_id for each in state.shared}) > 1
    return {
        (f"{each.vm_id}/{each.key}" if several else each.key): (each.value, f"cas {each.cas}")
        for each in state.shared
    }


def _queues(state: State) -> Entries:
    return {
        f"{each.name} (queue {each.id})": (each.items, count(len(each.items), "item"))
        for each in state.queues
    }


def _metrics(state: State) -> Entries:
    return {each.name: (each.samples or each.value, each.kind.name.lower()) for each in state.metrics}


def _entries(
    now: Entries, old: Entries | None, watch: Callable[[str], str], width: int, own: Iterable[str] = ()
) -> list[Item]:
    room = min(22, max(8, width * 2 // 5), max(map(len, now), default=0))
    found = []
    for name, (item, kind) in now.items():
        mark, was = _mark(name, item, old)
        told = f"{kind}, set by a plugin" if name in own else kind
        found.append(Item(_entry(mark, name, room, item, was, told), watch(name), name=name))
    for name in () if old is None else [name for name in old if name not in now]:
        found.append(Item(_entry("-", name, room, old[name][0] if old else None, None, ""), name=name))
    return found


def _mark(name: str, item: Any, old: Entries | None) -> tuple[str, Any]:
    if old is None:
        return " ", None
    if name not in old:
        return "+", None
    return (" ", None) if old[name][0] == item else ("~", old[name][0])


def _entry(mark: str, name: str, room: int, item: Any, was: Any, told: str) -> Line:
    ink = MARKS[mark]
    before: Line = ((value(was, _LONG), "removed"), (" → ", "muted")) if mark == "~" else ()
    shown = (value(item, _LONG), ink or ("string" if isinstance(item, (str, bytes, tuple)) else "number"))
    right = (f"  {told}" if told else "", "muted")
    return ((f"{mark} ", ink), (f"{clean(name):<{room}} ", ink), *before, shown, right)


def _coming(state: State) -> list[Item]:
    found: list[Item] = []
    if state.callouts:
        found.append(heading("Callouts in flight", count(len(state.callouts), "callout")))
        for call in state.callouts:
            what = "gRPC stream" if call.stream else "gRPC" if call.grpc else "HTTP"
            found.append(
                Item(
                    (
                        (f"  {call.id} ", "number"),
                        (f"{clean(call.cluster)} ", "string"),
                        (f"{what}, {coming(state, call)}", "muted"),
                    )
                )
            )
        found.append(Item())
    for tick in state.ticks:
        due = "" if tick.due_ns is None else f", next {_in(state, tick.due_ns)}"
        found.append(
            Item(
                (
                    ("Tick ", "strong"),
                    (clean(tick.vm), "string"),
                    (f" every {tick.period_ms:,} ms{due}", "muted"),
                )
            )
        )
    if state.deeds:
        found.append(heading("When the callback has returned"))
        found += [Item(((f"  {clean(deed.text)}", ""),)) for deed in state.deeds]
    if state.due:
        found.append(heading("Next"))
        found += [
            Item(((f"  {_in(state, each.at_ns):>10}  ", "muted"), (clean(each.what), "")))
            for each in state.due[:20]
        ]
    return found


def _in(state: State, at_ns: int) -> str:
    return f"in {lasting(at_ns - state.now_ns)}" if at_ns > state.now_ns else "now"


def properties_changed(state: State, before: State | None) -> bool:
    """Whether any property has another value than at the previous stop."""
    if before is None or before.where.exchange != state.where.exchange:
        return False
    return {each.path: each.value for each in before.properties} != {
        each.path: each.value for each in state.properties
    }


def shared_changed(state: State, before: State | None) -> bool:
    """Whether shared data or queues have changed since the previous stop."""
    return before is not None and (before.shared, before.queues) != (state.shared, state.queues)


def metrics_changed(state: State, before: State | None) -> bool:
    """Whether any statistic has changed since the previous stop."""
    return before is not None and before.metrics != state.metrics
