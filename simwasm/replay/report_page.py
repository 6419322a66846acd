"""A run as one page with charts, to be kept, attached and sent: what happened, how it went on, and what it cost.

It is made of the summary and of nothing else, so it is of one size whatever the traffic was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from simwasm.errors import InputError
from simwasm.page import escaped, figures, table, whole
from simwasm.plugin import Plugin
from simwasm.replay.charts import STYLE, Column, columns, legend, share
from simwasm.replay.course import CLASSES
from simwasm.replay.histogram import Histogram, floor
from simwasm.replay.summary import Callback, Places, Slow, Summary
from simwasm.trace.query.grades import Grade

_CALLBACKS = 30
"""How many callbacks are listed, the dearest first."""
_KIB = 1024


class Reported(NamedTuple):
    """A run that a page is made of."""

    summary: Summary
    plugins: tuple[Plugin, ...]
    traffic: tuple[str, ...]
    """The names of its files as they were typed."""
    notes: tuple[str, ...] = ()
    """What else the reader has to know, such as that the run was interrupted."""


def write_report(path: str | Path, run: Reported) -> None:
    """Write the page."""
    try:
        Path(path).write_text(report_page(run), "utf-8", "backslashreplace")
    except OSError as error:
        raise InputError(f"--report {path}: cannot be written: {error.strerror}") from None


def report_page(run: Reported) -> str:
    """The page."""
    names = " · ".join(plugin.name for plugin in run.plugins)
    return whole(f"Replay of {names}", "\n".join(_sections(run)), STYLE)


def _sections(run: Reported) -> Iterator[str]:
    found = run.summary
    yield f"<h1>{' · '.join(map(_plugin, run.plugins))}</h1>"
    yield f"<p>{escaped(', '.join(run.traffic))}</p>"
    yield "".join(f"<p><b>{escaped(note)}</b></p>" for note in run.notes)
    yield figures(_figures(found))
    yield _went_on(found)
    yield _statuses(found)
    yield _problems(found)
    yield _costs(found)
    yield _slowest("Slowest calls, by instructions", found.dearest.largest_first(), "#instructions", 1)
    yield _slowest("Slowest calls, by real time", found.longest.largest_first(), "#µs", 1000)
    yield _memory(found)
    yield _callouts(found)
    yield _logs(found)
    yield _notes("Broken in the traffic", found.broken)
    yield _notes("Left out of the traffic", found.left_out)


def _plugin(plugin: Plugin) -> str:
    return f"{escaped(plugin.name)} <small>{plugin.sha256[:12]}</small>"


def _figures(found: Summary) -> Iterator[tuple[str, str, str]]:
    seconds = max(found.last_ns - found.first_ns, 0) / 1e9
    yield f"{found.exchanges:,}", "exchanges", f"{seconds:,.1f} s of recorded time"
    if found.real_ns:
        with_whom = f", {found.workers} workers" if found.workers > 1 else ""
        yield f"{found.rate:,.0f}", "exchanges/s", f"{found.real_ns / 1e9:,.1f} s{with_whom}"
    changed = sum(times for (before, after), times in found.changes.most_first() if before not in ("", after))
    yield f"{changed:,}", "statuses changed", f"of {found.changes.total:,}"
    yield f"{found.local_replies:,}", "local replies", f"{found.not_asked:,} not passed on"
    yield f"{found.pauses:,}", "Pauses", f"{found.hung:,} hung for ever"
    yield f"{found.callouts.total:,}", "callouts", "to clusters"
    yield f"{found.traps:,}", "traps", f"{found.resets:,} streams reset"
    yield f"{len(found.problems):,}", "problems", "those that are alike once"
    missing = found.broken.count + found.lost
    if missing:
        yield f"{missing:,}", "not replayed", "broken in the traffic, or lost with a worker"


def _went_on(found: Summary) -> str:
    pieces = found.course.pieces()
    if not pieces:
        return "<p>There was no exchange.</p>"
    last_of_all = pieces[-1].first + pieces[-1].exchanges - 1
    ends = "#1", f"#{last_of_all:,}"

    def where(first: int) -> str:
        last = min(first + found.course.width - 1, last_of_all)
        return f"#{first:,}" if last == first else f"#{first:,} to #{last:,}"

    statuses = columns(
        [
            Column(
                piece.classes,
                f"{where(piece.first)}: "
                + ", ".join(f"{n:,} {name}" for n, name in zip(piece.classes, CLASSES, strict=True) if n)
                + (f"; {piece.changed:,} changed" if piece.changed else ""),
            )
            for piece in pieces
        ],
        ends,
    )
    costs = columns(
        [
            Column(
                (mean := piece.instructions / max(piece.exchanges, 1),), f"{where(piece.first)}: {mean:,.0f}"
            )
            for piece in pieces
        ],
        ends,
        kinds=(1,),
    )
    sizes = accumulate([piece.memory for piece in pieces], _last_known)
    memory = columns(
        [
            Column((size / _KIB,), f"{where(piece.first)}: {size:,} bytes")
            for piece, size in zip(pieces, sizes, strict=True)
        ],
        ends,
        "{:,.0f} KiB".format,
        kinds=(2,),
    )
    return (
        f"<h2>Statuses over the traffic</h2>{legend(CLASSES)}{statuses}"
        f"<h2>Instructions of an exchange over the traffic</h2>{costs}"
        f"<h2>Memory of the plugins over the traffic</h2>{memory}"
    )


def _last_known(before: int, now: int) -> int:
    """What there was where nobody looked."""
    return now or before


def _statuses(found: Summary) -> str:
    rows = "".join(
        f"<tr><td>{escaped(before or '–')}</td><td>{escaped(after)}</td>"
        f'<td class="n">{times:,}</td><td>{share(times, found.changes.total, _class(before, after))}</td></tr>'
        for (before, after), times in found.changes.most_first()
    )
    if found.changes.others:
        rows += f'<tr><td colspan="2">others</td><td class="n">{found.changes.others:,}</td><td></td></tr>'
    return _section("Statuses, recorded and replayed", ("recorded", "replayed", "#exchanges", ""), rows)


def _class(before: str, after: str) -> int:
    return 2 if before not in ("", after) else 0


def _problems(found: Summary) -> str:
    rows = "".join(
        f"<tr><td>{_GRADES.get(problem.severity, '')} {problem.severity.name.lower()}</td>"
        f"<td><b>{escaped(problem.title)}</b><br>{escaped(problem.happened)}"
        f"<br><small>{escaped(problem.advice)}</small></td>"
        f'<td class="n">{f"#{problem.exchange:,}" if problem.exchange else "–"}</td><td class="n">{times:,}</td></tr>'
        for problem, times in found.problems.worst_first()
    )
    return _section("Problems", ("", "what, and what to do", "#first in", "#times"), rows)


_GRADES = {Grade.ERROR: "✗", Grade.WARNING: "!"}


def _costs(found: Summary) -> str:
    whole_cost = sum(each.instructions for each in found.callbacks.values())
    listed = sorted(found.callbacks.items(), key=lambda item: -item[1].instructions)
    rows = "".join(_callback(vm, name, each, whole_cost) for (vm, name), each in listed[:_CALLBACKS])
    heads = ("plugin", "callback", "#calls", "#instructions", "", "#mean", "#most", "#mean µs")
    return (
        "<h2>Instructions of an exchange</h2>"
        + _spread(found.instructions, "instructions")
        + _section("Callbacks", heads, rows)
    )


def _spread(found: Histogram, what: str) -> str:
    places = sorted(found.places)
    if not places or not found.most:
        return "<p>None were counted.</p>"
    marks = [
        Column(
            (found.places.get(place, 0),),
            f"from {floor(place):,} {what}: {found.places.get(place, 0):,} exchanges",
        )
        for place in range(places[0], places[-1] + 1)
    ]
    middle = " · ".join(f"p{part:g} {found.quantile(part / 100):,}" for part in (50, 90, 99))
    chart = columns(marks, (f"{found.least:,}", f"{found.most:,}"), kinds=(1,))
    return f"<p>mean {found.mean:,} · {middle} · most {found.most:,}</p>{chart}"


def _callback(vm: str, name: str, each: Callback, whole_cost: int) -> str:
    cells = (
        f"{each.calls:,}",
        f"{each.instructions:,}",
        share(each.instructions, whole_cost, 1),
        f"{each.instructions / max(each.calls, 1):,.0f}",
        f"{each.most:,}",
        f"{each.took_ns / max(each.calls, 1) / 1000:,.1f}",
    )
    return f"<tr><td>{escaped(vm)}</td><td>{escaped(name)}</td>{_numbers(cells)}</tr>"


def _slowest(title: str, calls: Sequence[Slow], unit: str, per: int) -> str:
    rows = "".join(
        f"<tr><td>{escaped(slow.callback)}</td><td>{escaped(slow.vm)}</td>"
        f"<td>{f'#{slow.exchange:,} {escaped(slow.label)}' if slow.exchange else '–'}</td>"
        f'<td class="n">{slow.figure / per:,.0f}</td></tr>'
        for slow in calls
    )
    return _section(title, ("callback", "plugin", "exchange", unit), rows)


def _memory(found: Summary) -> str:
    most = max((grown.last for grown in found.memory.values()), default=0)
    rows = "".join(
        f"<tr><td>{escaped(vm)}</td>"
        + _numbers((f"{grown.first:,}", f"{grown.last:,}", f"{grown.last - grown.first:+,}"))
        + f"<td>{share(grown.last, most, 2)}</td></tr>"
        for vm, grown in found.memory.items()
    )
    return _section("Memory, in bytes", ("plugin", "#at first", "#in the end", "#growth", ""), rows)


def _callouts(found: Summary) -> str:
    rows = "".join(
        f'<tr><td>{escaped(cluster)}</td><td>{escaped(answer)}</td><td class="n">{times:,}</td></tr>'
        for (cluster, answer), times in found.callouts.most_first()
    )
    return _section("Callouts", ("cluster", "answer", "#times"), rows)


def _logs(found: Summary) -> str:
    rows = "".join(
        f'<tr><td>{escaped(level.lower())}</td><td class="n">{times:,}</td></tr>'
        for level, times in found.logs.most_first()
    )
    return _section("Lines of the log", ("level", "#lines"), rows)


def _notes(title: str, found: Places) -> str:
    rows = "".join(f"<tr><td>{escaped(text)}</td></tr>" for text in found.first)
    if found.count > len(found.first):
        rows += f"<tr><td>and {found.count - len(found.first):,} more</td></tr>"
    return _section(f"{title}: {found.count:,}", ("",), rows)


def _numbers(cells: Iterable[str]) -> str:
    return "".join(f'<td class="n">{cell}</td>' for cell in cells)


def _section(title: str, heads: Sequence[str], rows: str) -> str:
    """A table under a title; nothing where there are no rows."""
    return f"<h2>{title}</h2>{table(heads, rows)}" if rows else ""
