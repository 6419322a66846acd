"""What a result tells of one of its attributes, for a test that expected something else of it.

    response   what made it: the local reply, or the last callback that could change it; where its headers were written
    action     the callback, with all that happened in it
    upstream   what it received; or why it was not asked
    logs, callouts, cost, trace      what there is

Rules: a row is shown with the callback around it; nothing is told twice; a piece of evidence is a screenful at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from simwasm.pytest_plugin.running import Evidence
from simwasm.pytest_plugin.statement import Spoken
from simwasm.testing import Headers, PluginUnderTest, Request, Response, Result
from simwasm.testing.excerpt import around
from simwasm.trace.difftext import row_line
from simwasm.trace.rows import Row
from simwasm.trace.text import printable, value_text

_MOST = 20
_WIDE = 200
_ANSWERS = ("response", "answer", "local_reply", "details", "reset", "received", "waiting", "trap")
_COMPARED = frozenset(("headers", "body", "text", "json", "received", "chunks", "trailers"))


def evidence(result: Result, about: str, spoken: Spoken) -> Evidence:
    """What there is to tell of an attribute of a result that a failed assertion speaks of."""
    tell = _response if about in _ANSWERS else _TOLD.get(about)
    if tell is None:
        return Evidence(())
    lines, seq = tell(result, spoken)
    row = _row(result, seq)
    if about in (*_ANSWERS, "upstream") and (written := _written(result, spoken.texts)) is not None:
        row = written
    shown = around(result.trace.rows, row, result.trace.number).splitlines() if row is not None else ()
    return Evidence(tuple(map(_cut, (*lines, *shown))), row.position if row is not None else seq)


def of_plugin(plugin: PluginUnderTest, about: str) -> Evidence:
    """What there is to tell of an attribute that a plugin has, too."""
    return Evidence(tuple(map(_cut, OF_PLUGINS[about](plugin))))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDE else f"{text[:_WIDE]}…"


def _row(result: Result, seq: int) -> Row | None:
    """The row of an event."""
    rows = result.trace.rows
    if not seq or not len(rows):
        return None
    row = rows[min(rows.at(seq), len(rows) - 1)]
    return row if seq in (row.position, row.entered.seq) else None


def _written(result: Result, texts: Iterable[str]) -> Row | None:
    """The last row that writes a header which the assertion names."""
    named = {text.lower() for text in texts if text and text.isprintable()}
    rows = result.trace.rows
    for index in reversed(range(len(rows))):
        row = rows[index]
        name = row.entered.function.name
        writes = "_header_map_" in name and not name.startswith("proxy_get")
        if writes and any(isinstance(arg, str) and arg.lower() in named for arg in row.entered.args):
            return row
    return None


def _asked(result: Result, what: str) -> int:
    """The event behind what was asked of a result last."""
    return next((each.seq for each in reversed(result.asked) if each.what.startswith(what)), 0)


Told = tuple[list[str], int]


def _response(result: Result, spoken: Spoken) -> Told:
    if result.answer is None:
        why = result.reset or result.waiting or "it has not ended"
        return [f"the client received no response: {why}", *_trap(result)], 0
    reply = result.local_reply
    status = int(result.answer.status)
    by = "the upstream" if reply is None else "the plugin" if reply.by_plugin else "the proxy"
    said = f"the client received {status}, from {by}" + (f" ({result.details})" if result.details else "")
    trapped = next((phase.seq for phase in result.phases if phase.trapped), 0)
    seq = _asked(result, "response.status") or trapped
    return [printable(said), *_parts(result.answer, spoken), *_trap(result)], seq


def _parts(message: Request | Response, spoken: Spoken) -> list[str]:
    """Headers and body; whoever asks for one of them sees it in the comparison."""
    if spoken.attributes & _COMPARED:
        return []
    body = [f"body: {value_text(message.body)}"] if message.body else []
    return ["headers: " + _headers(message.headers), *body]


def _trap(result: Result) -> list[str]:
    return [] if result.trap is None else [printable(f"the plugin trapped: {result.trap}")]


def _headers(headers: Headers) -> str:
    return (
        ", ".join(f"{printable(name)}: {value_text(value)[1:-1]}" for name, value in headers.pairs) or "none"
    )


def _upstream(result: Result, spoken: Spoken) -> Told:
    if result.upstream.called:
        request = result.upstream.request
        return [
            printable(f"the upstream received {request.method} {request.path}"),
            *_parts(request, spoken),
        ], 0
    lines, _ = _response(result, spoken)
    seq = next((phase.seq for phase in result.phases if phase.local_reply is not None), 0)
    return ["the upstream was not called", lines[0]], seq


def _action(result: Result, spoken: Spoken) -> Told:
    returned = [
        f"{phase.callback} returned {getattr(phase.action, 'name', phase.action)}"
        for phase in result.phases
        if phase.action is not None
    ]
    named = (phase.seq for phase in result.phases if phase.callback in spoken.texts)
    seq = _asked(result, "action(") or next(named, 0)
    return ([] if seq else returned[:_MOST]), seq


def _logs(result: Result, spoken: Spoken) -> Told:
    return _logged(result), 0


def _logged(of: Result | PluginUnderTest) -> list[str]:
    lines = [printable(str(each)) for each in of.logs]
    left = [f"… and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return ["logged was:" if lines else "nothing was logged", *(f"  {each}" for each in lines[:_MOST]), *left]


def _callouts(result: Result, spoken: Spoken) -> Told:
    calls = [
        printable(f"  {each.cluster}: {each.request.method} {each.request.path} -> ")
        + (str(int(each.answer.status)) if each.answer else each.failure or "no answer yet")
        for each in result.callouts
    ]
    return ["called were:" if calls else "no cluster was called", *calls[:_MOST]], 0


def _cost(result: Result, spoken: Spoken) -> Told:
    return _costs(result), 0


def _costs(of: Result | PluginUnderTest) -> list[str]:
    cost = of.cost
    dearest = sorted(cost.callbacks.items(), key=lambda item: -item[1])[:_MOST]
    width = max((len(name) for name, _ in dearest), default=0)
    return [
        f"it cost {cost.instructions:,} instructions, {cost.host_calls:,} host calls, {cost.allocated:,} bytes "
        f"allocated, {cost.memory_growth:,} bytes of new memory; by callback, the dearest first:",
        *(f"  {name:<{width}} {burnt:>12,}" for name, burnt in dearest),
    ]


def _metrics(plugin: PluginUnderTest) -> list[str]:
    lines = [printable(f"  {name} = {value}") for name, value in plugin.metrics.items()]
    return ["its metrics:" if lines else "it has no metrics", *lines[:_MOST]]


def _problem(result: Result, spoken: Spoken) -> Told:
    return _problems(result), 0


def _problems(of: Result | PluginUnderTest) -> list[str]:
    lines = [
        printable(f"  row {each.row}: {each.severity.name.lower()}: {each.text}") for each in of.problems
    ]
    return ["its problems:" if lines else "it has no problems", *lines[:_MOST]]


def _trace(result: Result, spoken: Spoken) -> Told:
    asked = result.trace.asked
    if asked is None:
        return [], 0
    wanted, rows = asked
    if not rows:
        return [f"nothing fits `{printable(wanted)}`"], 0
    lines = list(_numbered(result, rows[:_MOST]))
    left = [f"  … and {len(rows) - _MOST} more"] if len(rows) > _MOST else []
    return [f"`{printable(wanted)}` fits:", *lines, *left], 0


def _numbered(result: Result, rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield f"  {result.trace.number(row)}  {row_line(row)}"


_TOLD: dict[str, Callable[[Result, Spoken], Told]] = {
    "upstream": _upstream,
    "action": _action,
    "actions": _action,
    "phases": _action,
    "callouts": _callouts,
    "cost": _cost,
    "logs": _logs,
    "problems": _problem,
    "trace": _trace,
}
OF_PLUGINS: dict[str, Callable[[PluginUnderTest], list[str]]] = {
    "cost": _costs,
    "logs": _logged,
    "metrics": _metrics,
    "problems": _problems,
}
"""Attributes that a plugin has, too, or alone."""
