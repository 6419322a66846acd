"""The commands that are about code: units, steps by instruction, what functions hold, listings, changes by hand."""

from __future__ import annotations

import re
from collections.abc import Callable

from simwasm.debug.code import Code
from simwasm.debug.plain.codelines import frame, listing, name, values
from simwasm.debug.plain.command import Command, UsageError, number, wants
from simwasm.debug.plain.desk import Desk
from simwasm.debug.plain.motions import several
from simwasm.debug.plain.stops import move
from simwasm.debug.profile import profile
from simwasm.debug.unit import Unit
from simwasm.errors import InputError

_GROUP = "code"
_UNITS = {"call": Unit.CALL, "line": Unit.LINE, "instruction": Unit.INSTRUCTION}
_AROUND = 8
_MOST = 10_000
_SLOT = re.compile(r"(?:var\s+)?(?P<slot>[lsg]\d+|(?:local|stack|global)\[\d+\])\s*=\s*(?P<value>.+)")
_MEMORY = re.compile(r"(?:var\s+)?memory\[(?P<at>[^\]]+)\]\s*=\s*(?P<value>.+)")


def unit(desk: Desk, rest: str) -> None:
    """Say or set what one step is."""
    found = [each for each in _UNITS if rest and each.startswith(rest.lower())]
    if rest and len(found) != 1:
        raise wants("unit", " | ".join(_UNITS))
    if found:
        desk.debugger.unit = _UNITS[found[0]]
    desk.say(f"one step is one {desk.debugger.unit.value}")


def assign(desk: Desk, rest: str) -> bool:
    """Change a local, an operand, a global or memory; False if that is not what was typed."""
    found = _SLOT.fullmatch(rest)
    if found is not None:
        move(desk, desk.debugger.inside.assign(found["slot"], found["value"]))
        return True
    found = _MEMORY.fullmatch(rest)
    if found is None:
        return False
    at = desk.value(found["at"])
    if isinstance(at, bool) or not isinstance(at, int):
        raise InputError(f"set: `{name(found['at'])}` is no address")
    move(desk, desk.debugger.inside.write(at, _bytes(desk, found["value"])))
    return True


def _bytes(desk: Desk, text: str) -> bytes:
    """What is to be written: bytes in hex (`2a 00`), or a text in quotes."""
    if text[:1] in "\"'":
        value = desk.value(text)
        return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise UsageError("set memory[ADDRESS] = 2a 00 ff, or a text in quotes") from None


def disassemble(desk: Desk, rest: str) -> None:
    """List instructions: those around here, or those of a function."""
    code, instant = desk.code(), desk.stop.instant
    if not rest:
        if instant is None:
            raise InputError("disassemble: no instruction is here; `stepi` goes to one, or name a function")
        lines = listing(code, instant.function, instant.offset, _AROUND)
    else:
        function = _function(code, rest)
        here = instant.offset if instant is not None and instant.function == function else -1
        desk.say(f"{name(code.name(function))}  func {function}  {code.type(function)}", "callback")
        lines = listing(code, function, here, _MOST)
    for text, here in lines:
        desk.say(text, "callback" if here else "")


def _function(code: Code, text: str) -> int:
    from simwasm.debug.code_places import code_place

    place = code_place(text) or code_place(f"function:{text}")
    offsets = sorted(place.offsets(code)) if place is not None else []
    if not offsets:
        raise InputError(f"the plugin has no function or place `{name(text)}`")
    return code.function_at(offsets[0])


def locals_here(desk: Desk, rest: str) -> None:
    """What the function holds that one stands in, or one further out."""
    level = number(rest, "info locals: how many functions out") if rest else 0
    active = desk.activations()
    if not 0 <= level < len(active):
        if active:
            raise InputError(f"info locals: from 0 to {len(active) - 1} functions out, not {level:,}")
        desk.say("no function is active here; `stepi` goes to an instruction")
        return
    found = active[level]
    desk.say(frame(found), "callback")
    for title, variables in (
        ("variables", found.variables),
        ("locals", found.locals),
        ("operands", found.stack),
    ):
        if variables:
            desk.say(f" {title}:")
            for line in values(variables):
                desk.say(line)
    if found.why:
        desk.say(f" {name(found.why)}", "reason")


def globals_here(desk: Desk, rest: str) -> None:
    """The plugin's globals."""
    found = desk.wait(desk.debugger.inside.globals())
    for line in values(found):
        desk.say(line)
    if not found:
        desk.say("the plugin has no globals that change")


def counted(desk: Desk, rest: str) -> None:
    """How many instructions each function of the callback ran."""
    count = number(rest, "profile: how many functions") if rest else 20
    if count < 0:
        raise InputError(f"profile: {count:,} is less than none")
    found = profile(desk.wait(desk.debugger.inside.instants()))
    of = f"in {len(found.functions):,} functions, {found.covered:.0%} of their code"
    desk.say(f"{found.total:,} instructions {of}", "callback")
    for each in found.functions[:count]:
        share = f"{each.own:>12,}  {each.own / max(found.total, 1):>6.1%}"
        desk.say(f"  {share}  with all it calls {each.all:,}, {each.calls:,} calls  {name(each.name)}")


def _by_instruction(word: str, verb: str, *, back: bool) -> Callable[[Desk, str], None]:
    """A verb of the debugger's, in steps of an instruction."""
    return several(word, lambda desk: getattr(desk.debugger, verb)(back=back, unit=Unit.INSTRUCTION))


COMMANDS = (
    Command("unit", unit, "what `step`, `next` and `finish` go by: calls, lines of source, or instructions",
            "[call | line | instruction]", group=_GROUP, words=lambda desk: _UNITS),
    Command("stepi", _by_instruction("stepi", "step", back=False),
            "go to the next instruction", "[COUNT]", ("si",), repeats=True, group=_GROUP),
    Command("nexti", _by_instruction("nexti", "over", back=False),
            "go to the next instruction, over calls", "[COUNT]", ("ni",), repeats=True, group=_GROUP),
    Command("reverse-stepi", _by_instruction("reverse-stepi", "step", back=True),
            "go to the instruction before", "[COUNT]", ("rsi",), repeats=True, group=_GROUP),
    Command("reverse-nexti", _by_instruction("reverse-nexti", "over", back=True),
            "go to the instruction before, over calls", "[COUNT]", ("rni",), repeats=True, group=_GROUP),
    Command("disassemble", disassemble, "list instructions: around here, or of a function", "[FUNCTION | at:OFFSET]",
            ("disas",), group=_GROUP),
    Command("profile", counted, "how many instructions each function of this callback ran", "[COUNT]", group=_GROUP),
)  # fmt: skip
