"""The commands about breakpoints and watchpoints; what a place may be is the business of `debug/where.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from simwasm.debug.breakpoints import Breakpoint, hit_rule
from simwasm.debug.plain.command import Command, UsageError, number, wants
from simwasm.debug.plain.desk import Desk
from simwasm.trace.query import complete
from simwasm.trace.query.names import spellings

_GROUP = "breakpoints"
_IF = re.compile(r"(?:^|\s)if\s+")
_MEMORY = re.compile(
    r"(?:memory[\s:]+|\*)?(0x[0-9a-f]+|\d+)(?:(\s+|\s*\+\s*|\s*\.\.\s*)(0x[0-9a-f]+|\d+))?", re.I
)


def _break(name: str, *, temporary: bool) -> Callable[[Desk, str], None]:
    def run(desk: Desk, rest: str) -> None:
        where, condition = _divided(rest)
        where = where or _here(desk)
        made = desk.debugger.breakpoints.add(where, condition=condition, temporary=temporary)
        desk.say(told(desk, made))

    return run


def _divided(text: str) -> tuple[str, str]:
    """A place and a condition, divided by the first `if` that stands outside of quotes."""
    for found in _IF.finditer(text):
        before = text[: found.start()]
        if not before.count('"') % 2 and not before.count("'") % 2:
            return before.strip(), text[found.end() :].strip()
    return text.strip(), ""


def _here(desk: Desk) -> str:
    """The function of the row one is on."""
    return desk.row.entered.function.name


def told(desk: Desk, breakpoint: Breakpoint) -> str:
    """One breakpoint, with how often it was hit on what is on tape."""
    words = [f"{breakpoint.number:>3}  {breakpoint.where}"]
    if breakpoint.condition:
        words.append(f"if {breakpoint.condition}")
    if breakpoint.message:
        words.append(f'says "{breakpoint.message}"')
    if breakpoint.rule:
        words.append(f"hits {breakpoint.rule}")
    if breakpoint.temporary:
        words.append("once")
    if not breakpoint.enabled:
        words.append("disabled")
    if breakpoint.suspended:
        return "  ".join((*words, f"suspended: {breakpoint.suspended}"))
    code = breakpoint.code
    if code is not None:
        count = sum(len(code.offsets(desk.debugger.code(plugin))) for plugin in desk.debugger.inputs.plugins)
        words.append(
            f"{count:,} instruction{'' if count == 1 else 's'}" if count else "nothing in this plugin"
        )
    elif breakpoint.memory is None:
        times = len(desk.debugger.breakpoints.hits(breakpoint.number, desk.debugger.tape))
        words.append(f"{times:,} hit{'' if times == 1 else 's'} on tape")
    return "  ".join(words)


def watch(desk: Desk, rest: str) -> None:
    """Stop where something is written."""
    kind, _, name = rest.partition(" ")
    memory = _MEMORY.fullmatch(rest)
    if kind in _WATCHED and name.strip():
        where = _WATCHED[kind].format(_quoted(name.strip()))
    elif memory is not None:
        sign = ".." if memory[2] is not None and ".." in memory[2] else "+"
        where = f"memory:{memory[1]}{sign}{memory[3]}" if memory[3] else f"memory:{memory[1]}"
    else:
        raise wants("watch", "ADDRESS [SIZE] | header NAME | property PATH | shared KEY")
    desk.say(told(desk, desk.debugger.breakpoints.add(where)))


_WATCHED = {
    "header": "header:{0} does:write",
    "property": "property:{0} does:write",
    "shared": "shared:{0} does:write",
}
"""Where something of a kind is written, in the filter language."""


def _quoted(text: str) -> str:
    if text[:1] in "\"'" and text[-1:] == text[:1] and len(text) > 1:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _each(desk: Desk, rest: str, name: str) -> list[int]:
    """The numbers that were typed, each of them a breakpoint's; all, if none was."""
    numbers = [number(word, f"{name}: a breakpoint") for word in rest.replace(",", " ").split()]
    for each in numbers:
        desk.debugger.breakpoints.get(each)
    return numbers or [each.number for each in desk.debugger.breakpoints]


def delete(desk: Desk, rest: str) -> None:
    """Take breakpoints away."""
    for each in _each(desk, rest, "delete"):
        desk.debugger.breakpoints.remove(each)


def _enable(name: str, *, enabled: bool) -> Callable[[Desk, str], None]:
    def run(desk: Desk, rest: str) -> None:
        for each in _each(desk, rest, name):
            desk.debugger.breakpoints.change(each, enabled=enabled)

    return run


def ignore(desk: Desk, rest: str) -> None:
    """Let hits go by."""
    words = rest.split(maxsplit=1)
    if len(words) != 2:
        raise wants("ignore", "NUMBER COUNT, or NUMBER every COUNT")
    which, rule = number(words[0], "ignore: a breakpoint"), words[1]
    settings = {"ignore": int(rule), "every": 1} if rule.isdigit() and len(rule) < 10 else hit_rule(rule)
    desk.say(told(desk, desk.debugger.breakpoints.change(which, **settings)))


def _with_text(name: str, field: str) -> Callable[[Desk, str], None]:
    """Give a breakpoint a text; none takes it away."""

    def run(desk: Desk, rest: str) -> None:
        which, _, text = rest.partition(" ")
        if not which:
            raise wants(name, "NUMBER [TEXT]")
        changed = desk.debugger.breakpoints.change(
            number(which, f"{name}: a breakpoint"), **{field: text.strip()}
        )
        desk.say(told(desk, changed))

    return run


def logpoint(desk: Desk, rest: str) -> None:
    """Say something wherever the run comes by a place."""
    where, bar, message = rest.partition("::")
    if not bar or not message.strip():
        raise UsageError(
            "logpoint: use it as `logpoint WHERE [if COND] :: TEXT`; in the text, {path} and the like are filled in"
        )
    place, condition = _divided(where)
    made = desk.debugger.breakpoints.add(place or _here(desk), condition=condition, message=message.strip())
    desk.say(told(desk, made))


def breakpoints(desk: Desk) -> None:
    """All of them."""
    if not len(desk.debugger.breakpoints):
        desk.say("there are no breakpoints; `break on_request_headers` sets one")
    for each in desk.debugger.breakpoints:
        desk.say(told(desk, each))


def _places(desk: Desk) -> Iterable[str]:
    return (*spellings(), *(candidate.text for candidate in complete("")))


def _numbers(desk: Desk) -> Iterable[str]:
    return (str(each.number) for each in desk.debugger.breakpoints)


_WHERE = """WHERE is a function (on_request_headers, get_header, http_call), trap, problem, or a filter:
  break get_header key:authorization
  break status!=OK if exchange:2
  break ret:Pause
  break log:denied
  break memory:0x2f40+16
or a place in the plugin's code, with a condition that may read locals:
  break function:alloc*          break src/lib.rs:48 if l0 == 5
  break at:0x1a4f                break instruction:memory.grow
Without WHERE it is the function of this row."""

COMMANDS = (
    Command("break", _break("break", temporary=False), "stop there, forwards and backwards", "[WHERE] [if COND]",
            ("b", "br"), _WHERE, group=_GROUP, words=_places),
    Command("tbreak", _break("tbreak", temporary=True), "stop there once", "[WHERE] [if COND]", ("tb",), _WHERE,
            group=_GROUP, words=_places),
    Command("watch", watch, "stop where bytes, a header, a property or a shared value are written",
            "ADDRESS [SIZE] | header NAME | property PATH | shared KEY", group=_GROUP,
            words=lambda desk: _WATCHED),
    Command("delete", delete, "take breakpoints away; without numbers all of them", "[NUMBER …]", ("d",), group=_GROUP,
            words=_numbers),
    Command("disable", _enable("disable", enabled=False), "do not stop at them for now", "[NUMBER …]", group=_GROUP,
            words=_numbers),
    Command("enable", _enable("enable", enabled=True), "stop at them again", "[NUMBER …]", group=_GROUP,
            words=_numbers),
    Command("ignore", ignore, "let hits go by before it stops", "NUMBER COUNT | NUMBER every COUNT", group=_GROUP,
            words=_numbers),
    Command("condition", _with_text("condition", "condition"), "stop only if; without a condition always",
            "NUMBER [COND]", group=_GROUP, words=_numbers),
    Command("commands", _with_text("commands", "message"), "let it say something and not stop; without a text, stop",
            "NUMBER [TEXT]", group=_GROUP, words=_numbers),
    Command("logpoint", logpoint, "say something wherever the run comes by", "WHERE [if COND] :: TEXT", ("dprintf",),
            'For instance: logpoint get_header :: {method} {path} asks for {key}', group=_GROUP, words=_places),
)  # fmt: skip
