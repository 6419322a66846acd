"""The commands that compute and look at memory: print, display, x."""

from __future__ import annotations

from simwasm.debug.expression_completion import complete
from simwasm.debug.expression_functions import shown
from simwasm.debug.expressions import parse
from simwasm.debug.plain.command import Command, number, wants
from simwasm.debug.plain.desk import Desk
from simwasm.debug.plain.formats import LONGEST, NUMBERS, read_format, strings, units
from simwasm.errors import InputError, SimwasmError

_GROUP = "data"


def examine(desk: Desk, rest: str) -> None:
    """Show memory; without an address, what is behind what was shown."""
    text, rest = _form(rest)
    form, at = read_format(text, desk.format), _address(desk, rest)
    memory = desk.debugger.memory()
    lines, desk.examined = (strings if form.kind == "s" else units)(memory, at, form)
    desk.format = form
    for line in lines:
        desk.say(line)


def _address(desk: Desk, text: str) -> int:
    if not text:
        return desk.examined
    value = desk.value(text)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"x: `{text}` is no address but {shown(value)}")
    return value


def _form(rest: str) -> tuple[str, str]:
    """The format that stands on the word, and what is behind it."""
    if not rest.startswith("/"):
        return "", rest
    form, _, behind = rest.partition(" ")
    return form, behind.strip()


def show(desk: Desk, rest: str) -> None:
    """The value of an expression."""
    form, text = _form(rest)
    if not text:
        raise wants("print", 'EXPRESSION, such as headers.request[":path"]')
    value = desk.value(text)
    kind = form[1:]
    if not kind:
        desk.say(shown(value))
    elif kind in NUMBERS and isinstance(value, int) and not isinstance(value, bool):
        desk.say({"x": hex, "o": oct, "t": bin}.get(kind, str)(value))
    elif kind == "x" and isinstance(value, (bytes, str)):
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        desk.say(data[:LONGEST].hex(" "))
    else:
        raise InputError(f"print: {shown(value)} cannot be shown as {form}")


def displayed(desk: Desk, number: int) -> str:
    """A display with its value here."""
    text = desk.displays[number]
    try:
        return f"{number}: {text} = {shown(desk.value(text))}"
    except SimwasmError as error:
        return f"{number}: {text} = <{error}>"


def display(desk: Desk, rest: str) -> None:
    """Show a value at every stop."""
    if not rest:
        for each in desk.displays:
            desk.say(displayed(desk, each))
        return
    parse(rest, names=desk.scope().names)
    key = max(desk.displays, default=0) + 1
    desk.displays[key] = rest
    desk.say(displayed(desk, key))


def undisplay(desk: Desk, rest: str) -> None:
    """No longer show it."""
    if not rest:
        desk.displays.clear()
        return
    key = number(rest, "undisplay: a display")
    if desk.displays.pop(key, None) is None:
        raise InputError(f"there is no display {key}; `display` lists them")


def _names(desk: Desk) -> tuple[str, ...]:
    return complete("", 0, desk.scope()).words


COMMANDS = (
    Command("print", show, "the value of an expression", "[/x] EXPRESSION", ("p",), """For instance:
  print headers.request[":path"]     print body.request     print args.key     print result
  print property["source.address"]   print shared["k"]      print memory[0x2f40:16]
  print u32(0x2f40)                  print string(0x2f40)   print find("text")""", group=_GROUP, words=_names,
            format=True),
    Command("display", display, "show the value of an expression at every stop; alone, list them", "[EXPRESSION]",
            group=_GROUP, words=_names),
    Command("undisplay", undisplay, "no longer show it; without a number, none of them", "[NUMBER]", group=_GROUP),
    Command("x", examine, "look at memory; without an address, what is behind", "/FORMAT [ADDRESS]", (),
            """FORMAT is a count, how it is shown (x d u o t c s) and a size (b h w g: 1 2 4 8 bytes), as in gdb:
  x/16xb 0x2f40      x/4dw 0x2f40 + 8      x/2s 0x2f40""", repeats=True, group=_GROUP, format=True),
)  # fmt: skip
