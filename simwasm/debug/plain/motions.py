"""The commands that move: forwards, backwards, and to a place."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from simwasm.debug.places import find_place
from simwasm.debug.plain.command import Command, UsageError, number, wants
from simwasm.debug.plain.desk import Desk
from simwasm.debug.plain.stops import move, tell
from simwasm.debug.stop import Stop, Why
from simwasm.errors import InputError

_RUN, _BACK = "running", "running backwards"
_MOST = 1_000_000

Verb = Callable[[Desk], Future[Stop]]


def several(name: str, verb: Verb) -> Callable[[Desk, str], None]:
    """A verb, done as often as was typed; only the last stop is told, unless something else stops it."""

    def run(desk: Desk, rest: str) -> None:
        times = number(rest, f"{name}: how often") if rest else 1
        if not 0 < times <= _MOST:
            raise UsageError(f"{name}: from 1 to {_MOST:,} times, not {times:,}")
        for _ in range(times - 1):
            stop = desk.wait(verb(desk))
            if stop.why not in (Why.STEP, Why.BREAKPOINT):
                tell(desk, stop)
                return
        move(desk, verb(desk))

    return run


def goto(desk: Desk, rest: str) -> None:
    """Go to a row, a position or a bookmark."""
    if not rest:
        raise wants("goto", "ROW, @POSITION or a bookmark's name")
    move(desk, desk.debugger.goto(position(desk, rest)))


def position(desk: Desk, text: str) -> int:
    """The position that was typed: a row's number, `@` and a position, or a bookmark."""
    tape = desk.debugger.tape
    if text in desk.bookmarks:
        return find_place(tape, desk.bookmarks[text])
    if text == ".":
        return desk.stop.position
    if text.startswith("@"):
        return number(text[1:], "a position")
    row = number(text, f"a row (there is no bookmark `{text[:40]}`)")
    if not 0 < row <= len(tape.rows):
        more = "" if tape.complete else " so far; `record` goes on"
        raise InputError(f"there is no row {row:,}: the tape has 1 to {len(tape.rows):,}{more}")
    return tape.rows.position(row - 1)


def until(desk: Desk, rest: str) -> None:
    """Go on until a row or a place."""
    if not rest:
        raise wants("until", "ROW or WHERE")
    if rest.isdigit():
        target = position(desk, rest)
        if target <= desk.stop.position:
            raise InputError(f"until: row {rest} is not ahead; `goto {rest}` goes back")
        move(desk, desk.debugger.goto(target))
        return
    breakpoints = desk.debugger.breakpoints
    made = breakpoints.add(rest, temporary=True)
    desk.know()
    try:
        move(desk, desk.debugger.proceed())
    finally:
        if made in breakpoints:  # the run has stopped elsewhere
            breakpoints.remove(made.number)


def interrupt(desk: Desk, rest: str) -> None:
    """End what the plugin computes."""
    if desk.stop.why is not Why.COMPUTING:
        raise InputError("interrupt: no plugin is computing; press ctrl-c while one does, then `interrupt`")
    desk.debugger.interrupt()
    move(desk, desk.debugger.step())


def pause(desk: Desk, rest: str) -> None:
    """Say that it stands."""
    desk.say(f"the run stands: {desk.stop.why.value}; while it moves, ctrl-c pauses it")


def record(desk: Desk, rest: str) -> None:
    """Record to the end."""
    move(desk, desk.debugger.record())
    tape = desk.debugger.tape
    desk.say(f"{len(tape.rows):,} rows are on tape{'' if tape.complete else '; the run goes on behind them'}")


COMMANDS = (
    Command("step", several("step", lambda desk: desk.debugger.step()), "go to the next row, into callbacks",
            "[COUNT]", ("s",), repeats=True, group=_RUN),
    Command("next", several("next", lambda desk: desk.debugger.over()), "go to the next row, over a callback",
            "[COUNT]", ("n",), repeats=True, group=_RUN),
    Command("finish", lambda desk, rest: _move(desk, desk.debugger.out()), "go to where this callback returns",
            "", ("fin",), repeats=True, group=_RUN),
    Command("continue", several("continue", lambda desk: desk.debugger.proceed()),
            "go to the next breakpoint, or to the end", "[COUNT]", ("c",), repeats=True, group=_RUN),
    Command("until", until, "go on until a row, or once until a place as for `break`", "ROW | WHERE", ("u", "advance"),
            group=_RUN),
    Command("goto", goto, "go to a row, forwards or backwards", "ROW | @POSITION | BOOKMARK", ("row", "g"),
            "Rows are numbered as they are listed. A position counts all events, the ends of host calls too.",
            group=_RUN, words=lambda desk: desk.bookmarks),
    Command("restart", lambda desk, rest: _move(desk, desk.debugger.restart()),
            "go to the first row of the first exchange", "", ("run", "r"), group=_RUN),
    Command("record", record, "record what is not on tape yet, and come back", group=_RUN),
    Command("pause", pause, "while the run moves, ctrl-c has it stand still", group=_RUN),
    Command("interrupt", interrupt, "end the call of a plugin that computes, with a trap", group=_RUN,
            more="Press ctrl-c while it computes; a second ctrl-c while it still runs does the same as this."),
    Command("reverse-step", several("reverse-step", lambda desk: desk.debugger.step(back=True)),
            "go to the row before", "[COUNT]", ("rs", "back-step", "bs"), repeats=True, group=_BACK),
    Command("reverse-next", several("reverse-next", lambda desk: desk.debugger.over(back=True)),
            "go to the row before, over a callback", "[COUNT]", ("rn", "back-next", "bn"), repeats=True, group=_BACK),
    Command("reverse-finish", lambda desk, rest: _move(desk, desk.debugger.out(back=True)),
            "go to where this callback began", "", ("rfin", "rf"), repeats=True, group=_BACK),
    Command("reverse-continue", several("reverse-continue", lambda desk: desk.debugger.proceed(back=True)),
            "go to the breakpoint before, or to the beginning", "[COUNT]", ("rc",), repeats=True, group=_BACK),
)  # fmt: skip


def _move(desk: Desk, future: Future[Stop]) -> None:
    move(desk, future)
