"""The commands that list: rows, the calls around, log lines, exchanges."""

from __future__ import annotations

from simwasm.backtrace import Backtraces
from simwasm.conversation import Conversation
from simwasm.debug.plain.codelines import frame
from simwasm.debug.plain.command import Command, number, wants
from simwasm.debug.plain.desk import Desk
from simwasm.debug.plain.motions import position
from simwasm.debug.plain.stops import log_text, show
from simwasm.debug.problems import Problems
from simwasm.debug.stop import Why
from simwasm.debug.tape import Span
from simwasm.errors import InputError
from simwasm.trace.text import call_text

_LOOK = "looking"
_MOST = 100_000
_PROBLEMS = 50
_SPANS = 200


def rows(desk: Desk, rest: str) -> None:
    """List rows around a row; again, those behind them."""
    words = rest.split()
    if len(words) > 2:
        raise wants("list", "[ROW] [COUNT]")
    count = number(words[1], "list: how many rows") if len(words) == 2 else desk.settings.lines
    count = min(max(count, 1), _MOST)
    tape = desk.debugger.tape
    if words:
        first = tape.rows.at(position(desk, words[0])) - count // 2
    elif desk.listed >= 0:
        first = desk.listed + 1
    else:
        first = desk.stop.row - count // 2
    first = max(0, first)
    indices = range(first, min(len(tape.rows), first + count))
    if not indices:
        raise InputError("list: there are no more rows")
    show(desk, indices)
    desk.listed = indices[-1]


def log(desk: Desk, rest: str) -> None:
    """The last log lines until here."""
    most = number(rest, "log: how many lines") if rest else 20
    tape, stop = desk.debugger.tape, desk.stop
    until = tape.lines_until(stop.position + stop.passed)
    first = max(0, until - max(most, 1))
    if not until:
        desk.say("nothing has been logged yet")
    elif first:
        desk.say(f"… {first:,} lines before these")
    for line in tape.lines[first:until]:
        row = tape.rows.at(line.position) + 1
        desk.say(f"{row:>6}  {log_text(line)}")


def streams(desk: Desk, rest: str) -> None:
    """The exchanges of the tape."""
    tape, at = desk.debugger.tape, desk.stop.position
    if not tape.spans:
        desk.say("no exchange has begun")
    at_span = tape.span_at(at)
    middle = at_span.index if at_span is not None else 0
    shown = tape.spans[max(0, middle - _SPANS // 2) : middle + _SPANS // 2]
    for span in shown:
        row = tape.rows.at(span.first - 1) + 2
        here = "▶" if span.first <= at and (not span.last or at <= span.last) else " "
        desk.say(f"{here} #{span.index + 1} {span.exchange.label}  {_became(span)}  from row {row:,}")
    if len(shown) < len(tape.spans):
        desk.say(f"these are the {len(shown)} around here, of {len(tape.spans):,}")


def _became(span: Span) -> str:
    outcome, recorded = span.outcome, span.exchange.response
    before = recorded.header(":status") if recorded is not None else None
    if outcome is None:
        return f"recorded {before or '-'}, open"
    if isinstance(span.exchange, Conversation):
        return "hung" if outcome.waiting else "closed"
    after = "reset" if outcome.response is None else str(outcome.status)
    if outcome.waiting:
        after += " hung"
    return f"{before} → {after}" if before and before != after else after


def where(desk: Desk, rest: str) -> None:
    """The calls one is in, the innermost first, and what the guest was doing in them."""
    tape, stop = desk.debugger.tape, desk.stop
    calls = tape.calls_at(stop.position)
    if stop.instant is not None and tape.opening(stop.position) != stop.position:
        calls = calls[:-1]  # it has returned
    if not calls or stop.why is Why.END:
        desk.say("no call is open here")
        return
    active = desk.activations()
    frames = () if active or desk.debugger.alone else desk.wait(desk.debugger.stack())
    for place, at in enumerate(reversed(calls)):
        entered = tape.entered(at)
        row = tape.rows.at(at) + 1
        desk.say(f"#{place}  row {row:,}  {call_text(entered.function, entered.args)}")
        if tape.is_callback(at):
            told = (
                map(frame, active) if active else Backtraces(desk.debugger.inputs.plugins)(entered.vm, frames)
            )
            for line in told:
                desk.say(f"      {line}")
            frames, active = (), ()


def problems(desk: Desk, rest: str) -> None:
    """What went wrong, with what to do about it."""
    tape = desk.debugger.tape
    found = Problems(tape, Backtraces(desk.debugger.inputs.plugins))
    found.grow()
    for each in found.all()[:_PROBLEMS]:
        row = tape.rows.at(each.position) + 1
        desk.say(
            f"{row:>6}  {each.severity.name.lower()}: {each.title}", "bad" if each.severity else "reason"
        )
        desk.say(f"        {each.text}")
    if not len(found):
        desk.say("no problem is on tape")
    elif len(found) > _PROBLEMS:
        desk.say(f"… and {len(found) - _PROBLEMS + found.left_off:,} more")


COMMANDS = (
    Command("list", rows, "list rows around here, or around a row; again, those behind", "[ROW|.] [COUNT]", ("l",),
            repeats=True, group=_LOOK),
    Command("where", where, "the calls one is in, the innermost first", "", ("bt", "backtrace"), group=_LOOK),
    Command("problems", problems, "traps, bad statuses, errors in the log", group=_LOOK),
    Command("log", log, "the last log lines until here", "[COUNT]", group=_LOOK),
    Command("streams", streams, "the exchanges, before and after", group=_LOOK),
)  # fmt: skip
