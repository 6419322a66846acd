"""A summary as a person reads it: a few short lines, the same things always in the same places."""

from __future__ import annotations

from collections.abc import Iterator

from simwasm.replay.lines import count
from simwasm.replay.summary import Places, Slow, Summary
from simwasm.replay.tally import Tally
from simwasm.trace.text import printable

_SHOWN = 12
"""How many kinds are listed in a line."""
_SLOWEST = 3
_NAME = 60
_BELOW = "\n" + " " * 13
"""Between texts of a row that have a line each."""
_TIMES = ((10**9, "s"), (10**6, "ms"), (10**3, "µs"), (1, "ns"))


def summary_lines(found: Summary, *, problems: bool = False) -> Iterator[str]:
    """The summary; `problems` says that they are listed elsewhere."""
    yield _head(found)
    rows = (
        ("statuses", _statuses(found)),
        ("", _what_happened(found)),
        ("callouts", _tally(found.callouts, "{0[0]} {0[1]}")),
        ("log lines", _tally(found.logs, "{0}")),
        ("problems", "" if problems else _problems(found)),
        ("dearest", _slowest(found.dearest.largest_first(), _instructions)),
        ("slowest", _slowest(found.longest.largest_first(), duration)),
        ("memory", _memory(found)),
        ("left out", _places(found.left_out)),
        ("broken", _places(found.broken)),
    )
    for name, text in rows:
        if text:
            yield f"  {name:<10} {text}"


def _head(found: Summary) -> str:
    parts = [count_of(found.exchanges, "exchange")]
    if found.real_ns:
        parts.append(f"{duration(found.real_ns)}, {found.rate:,.0f}/s")
    if found.exchanges:
        parts.append(f"{duration(max(found.last_ns - found.first_ns, 0))} of virtual time")
    if found.workers > 1:
        parts.append(f"{found.workers} workers")
    return "summary: " + " · ".join(parts)


def count_of(number: int, what: str) -> str:
    """So many of something, with commas."""
    return count(number, what).replace(str(number), f"{number:,}", 1)


def duration(time_ns: int) -> str:
    """A time in its unit, with about three digits."""
    if time_ns >= 60 * 10**9:
        minutes, seconds = divmod(round(time_ns / 10**9), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:,}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02} min"
    size, unit = next((each for each in _TIMES if time_ns >= each[0]), _TIMES[-1])
    figure = time_ns / size
    return f"{figure:.2f} {unit}" if figure < 10 and size > 1 else f"{figure:.0f} {unit}"


def _statuses(found: Summary) -> str:
    texts = []
    for (before, after), times in list(found.changes.most_first())[:_SHOWN]:
        change = f"{before} → {after}" if before and before != after else after
        texts.append(f"{change}: {times:,}")
    return _joined(texts, found.changes)


def _joined(texts: list[str], found: Tally[tuple[str, str]] | Tally[str]) -> str:
    rest = len(found) - len(texts)
    if rest > 0 or found.others:
        texts.append(f"and {rest:,} other kinds" if not found.others else "and many other kinds")
    return printable(" · ".join(texts))


def _tally(found: Tally[tuple[str, str]] | Tally[str], form: str) -> str:
    kinds = list(found.most_first())[:_SHOWN]
    return _joined([f"{form.format(kind)}: {times:,}" for kind, times in kinds], found)


def _what_happened(found: Summary) -> str:
    parts = (
        (found.connections, "TCP connection"),
        (found.local_replies, "local repl"),
        (found.not_asked, "not sent to the upstream"),
        (found.pauses, "Pause"),
        (found.hung, "hung"),
        (found.resets, "cut off"),
        (found.traps, "trap"),
        (found.partial, "known in part only"),
        (found.lost, "lost"),
    )
    return " · ".join(_counted(number, what) for number, what in parts if number)


def _counted(number: int, what: str) -> str:
    if what.endswith("repl"):
        return f"{number:,} {what}{'y' if number == 1 else 'ies'}"
    return count_of(number, what) if what in _COUNTABLE else f"{number:,} {what}"


_COUNTABLE = ("TCP connection", "Pause", "trap")


def _problems(found: Summary) -> str:
    kinds = [f"{problem.lint}: {times:,}" for problem, times in found.problems.worst_first()]
    shown = kinds[:_SHOWN]
    return printable(" · ".join([*shown, *([f"and {len(kinds) - _SHOWN} more"] if kinds[_SHOWN:] else [])]))


def _instructions(figure: int) -> str:
    return f"{figure:,} instructions"


def _slowest(calls: list[Slow], shown: object) -> str:
    assert callable(shown)
    texts = []
    for slow in calls[:_SLOWEST]:
        where = f" in #{slow.exchange} {slow.label[:_NAME]}" if slow.exchange else ""
        texts.append(printable(f"{shown(slow.figure)}: {slow.callback}{where}"))
    return _BELOW.join(texts)


def _memory(found: Summary) -> str:
    texts = []
    for vm, (first, last) in list(found.memory.items())[:_SHOWN]:
        grown = (
            f"grew from {_size(first)} to {_size(last)}" if last > first else f"{_size(last)}, as at first"
        )
        texts.append(f"{vm} {grown}")
    return printable(" · ".join(texts))


def _size(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def _places(found: Places) -> str:
    if not found.count:
        return ""
    rest = found.count - len(found.first)
    texts = [*found.first, *([f"and {rest:,} more"] if rest else [])]
    return f"{found.count:,}: " + _BELOW.join(map(printable, texts))
