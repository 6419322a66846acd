"""What is told when the run has come to stand: what went by, why it stands, the rows around, what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

from simwasm.debug.consequences import consequence
from simwasm.debug.plain.codelines import standing
from simwasm.debug.plain.desk import Desk
from simwasm.debug.plain.examine import displayed
from simwasm.debug.plain.rowtext import line
from simwasm.debug.stop import Stop, Why
from simwasm.debug.tape import Line
from simwasm.trace.event import Left
from simwasm.trace.rows import Kind, Row

_QUIET = (Why.STEP, Why.GOTO, Why.ENTRY)


def move(desk: Desk, future: Future[Stop]) -> Stop:
    """Wait until the run stands, and tell where, and what went by since that was told last."""
    branch, start = desk.told
    stop = desk.wait(future)
    if desk.debugger.branch is branch and stop.position > start:
        _passed(desk, start, stop)
    tell(desk, stop)
    return stop


def tell(desk: Desk, stop: Stop) -> None:
    """Where the run stands."""
    desk.told, desk.listed = (desk.debugger.branch, stop.position), -1
    for text, style in _headline(desk, stop):
        desk.say(text, style)
    if stop.row >= 0:
        around(desk, stop.row, desk.settings.context if stop.instant is None else 0)
    if stop.instant is not None:
        for text, here in standing(desk.code(), stop.instant, desk.settings.context):
            desk.say(text, "callback" if here else "")
    result(desk, stop)
    for number in desk.displays:
        desk.say(displayed(desk, number))


def _headline(desk: Desk, stop: Stop) -> Iterator[tuple[str, str]]:
    numbers = stop.breakpoints if stop.why is Why.BREAKPOINT else ()
    for number in numbers:
        breakpoint = desk.known[number]
        only_if = f" if {breakpoint.condition}" if breakpoint.condition else ""
        yield f"breakpoint {number}: {breakpoint.where}{only_if}", "callback"
    if stop.row >= 0 and not stop.passed and desk.row.position != stop.position:
        name = desk.debugger.tape.entered(stop.position).function.name
        yield f"where {name} returns, behind what happened in it (position {stop.position:,})", "reason"
    if stop.why is Why.COMPUTING:
        yield (
            "paused while the plugin computes; `continue` lets it go on, `interrupt` ends its call with a trap",
            "trap",
        )
    elif stop.why is Why.FAILED:
        yield f"the run cannot go on: {stop.note}", "trap"
    elif stop.why is Why.ENTRY and stop.note:
        yield f"the run cannot go on behind what is on tape: {stop.note}", "trap"
    elif stop.why not in _QUIET and not numbers:
        yield stop.why.value + (f": {stop.note}" if stop.note else ""), "callback"
    elif stop.note:
        yield stop.note, "reason"


def around(desk: Desk, index: int, context: int) -> None:
    """A row with those before and behind it."""
    rows = desk.debugger.tape.rows
    show(desk, range(max(0, index - context), min(len(rows), index + context + 1)))


def show(desk: Desk, indices: range) -> None:
    """Rows, each on a line."""
    debugger = desk.debugger
    rows, position = debugger.tape.rows, desk.stop.position
    passed, whose = desk.stop.passed, len(debugger.inputs.plugins) > 1
    for index in indices:
        row = rows[index]
        mark = "●" if debugger.breakpoints.matches(debugger.tape, row.position) else " "
        digits, here = len(str(len(rows))), index == desk.stop.row
        text = line(row, digits=digits, here=here, mark=mark, whose=whose)
        desk.say(text + _reason(row), _style(row, position, passed=passed))


def _reason(row: Row) -> str:
    """Why a callback returned something else than the plugin said."""
    reason = row.ended.reason if row.kind is Kind.RETURN and isinstance(row.ended, Left) else ""
    return f"  · {reason}" if reason else ""


def _style(row: Row, position: int, *, passed: bool) -> str:
    if row.kind is Kind.TRAP:
        return "trap"
    if row.position == position and not passed:
        return "callback"
    return "ok" if row.position > position else ""


def result(desk: Desk, stop: Stop) -> None:
    """At a callback's return, what comes of it; a trace alone does not tell."""
    if desk.debugger.alone or stop.row < 0 or stop.passed or desk.row.position != stop.position:
        return
    if desk.row.kind in (Kind.RETURN, Kind.TRAP):
        found = consequence(desk.debugger.state(), desk.debugger.tape, stop.position)
        if found is not None and found.action:
            desk.say(f"  ⇒ {found.action}: {found.text}", "trap" if found.hopeless else "action")


def _passed(desk: Desk, start: int, stop: Stop) -> None:
    """What was logged on the way, by plugins and by logpoints."""
    tape, most = desk.debugger.tape, desk.settings.loglines
    first, end = tape.lines_until(start), tape.lines_until(stop.position + stop.passed)
    logged = [(each.position, log_text(each)) for each in tape.lines[first : min(end, first + most)]]
    # A logpoint speaks at the row itself: at the one where the run stands now too, but not at the one it has left.
    said = desk.debugger.breakpoints.log_lines(tape, start + 1, stop.position)
    lines = [*logged, *((at, f"◇ {text}") for at, text in said[:most])]
    for _, text in sorted(lines, key=lambda each: each[0])[:most]:
        desk.say(text, "reason")
    left = end - first + len(said) - most
    if left > 0:
        desk.say(f"… and {left:,} more lines; `log` shows them", "reason")


def log_text(line: Line) -> str:
    """A line of the proxy's log."""
    text = line.log.text.replace("\n", "\n    ")  # a plugin may break lines, but not begin one of ours
    return f"log {line.log.level.name.lower()}: {text}"
