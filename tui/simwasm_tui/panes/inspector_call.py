"""The call of a row in the inspector, with where its bytes are; and what the result of a callback means now."""

from __future__ import annotations

from collections.abc import Iterable

from simwasm.abi.table import Side
from simwasm.debug.arguments import Argument, Reader
from simwasm.debug.consequences import Consequence, consequence
from simwasm.debug.state import State
from simwasm.debug.tape import Tape
from simwasm.debug.waiting import status
from simwasm.trace.event import Left, Trapped
from simwasm_tui.items import Item, Items, heading, prose
from simwasm_tui.rowline import QUIET, short
from simwasm_tui.sight import arguments_at
from simwasm_tui.text import Line, cells, clean, value

_PIECES = 40
_HELD = 3


def call_items(tape: Tape, position: int, memory: Reader | None, width: int, now: int) -> Items:
    """The call that begins or ends at a position; `now` is where the run stands."""
    if not 0 < position <= len(tape):
        return Items(prose("No call is here. Press s to take the first step.", width))
    entered, function = tape.entered(position), tape.entered(position).function
    found = [heading(function.name), *prose(function.doc, width), Item()]
    for argument in arguments_at(tape, position, memory):
        found += _argument(argument, width, entered.function.side is Side.PLUGIN)
    return Items((*found, *_answer(tape, position, now, width)))


def _argument(argument: Argument, width: int, plain: bool) -> list[Item]:
    sign: Line = (("→ " if argument.out else "  ", "accent"),)
    bytes = None
    if argument.pointer is not None and not argument.bad:
        bytes = (argument.pointer, argument.size if argument.size is not None else 4)
    watch = f"args.{argument.name}" if argument.name.isidentifier() else ""
    ink = (
        "muted" if argument.text == "not written yet" else "string" if argument.text[:1] in '"{' else "number"
    )
    text = (*sign, (f"{clean(argument.name)} ", "accent" if bytes else ""), (clean(argument.text), ink))
    found = [Item(text, watch, bytes, name=argument.name)]
    place = _place(argument)
    if place:
        found.append(
            Item(((f"    {place}", "bad" if argument.bad else "muted"),), watch, bytes, name=argument.name)
        )
    for piece in argument.pieces[:_PIECES]:
        line = ((f"      {clean(piece.name)} ", ""), (f"0x{piece.at:x} · {piece.size:,} B", "muted"))
        found.append(Item(line, "", (piece.at, piece.size), name=piece.name))
    if len(argument.pieces) > _PIECES:
        found.append(Item(((f"      … {len(argument.pieces) - _PIECES:,} more", "muted"),)))
    return found


def _place(argument: Argument) -> str:
    """Where an argument's bytes are, and what there is to say about it."""
    said = []
    if argument.pointer is not None:
        said.append(f"0x{argument.pointer:x}")
        if argument.size is not None:
            said.append(f"{argument.size:,} B")
    if argument.out:
        said.append("the host writes there" if argument.pointer is not None else "the host writes it")
    if argument.note:
        said.append(clean(argument.note))
    return " · ".join(said)


def _answer(tape: Tape, position: int, now: int, width: int) -> Iterable[Item]:
    """How the call ended; dim where that lies ahead."""
    opened = tape.opening(position)
    end = tape.end_of(opened)
    if not end:
        return [Item(), Item((("not answered yet", "muted"),))]
    event = tape.at(end)
    function = tape.entered(position).function
    ahead = end > now
    told = ("  recorded, ahead" if ahead else "", "future")
    if isinstance(event, Trapped):
        return [Item(), Item((("✗ ", "bad"), (clean(str(event.trap)), "bad")))]
    assert isinstance(event, Left)
    found: list[Item] = [Item()]
    if function.errors is not None:
        word = value(event.result)
        ink = "future" if ahead else "ok" if word in QUIET else "bad"
        found.append(Item((("status ", "muted"), (word, ink), told)))
    elif event.result is not None:
        ink = "future" if ahead else "action"
        found.append(
            Item(
                (
                    ("returns ", "muted"),
                    (value(event.result), ink),
                    told,
                )
            )
        )
    if event.reason:
        found += prose(event.reason, width, "reason")
    return found


def action_items(state: State, tape: Tape, position: int, width: int) -> Items:
    """What the callback one stands in returns, and what that means: `PAUSED, waiting for call 4`."""
    found = consequence(state, tape, position)
    lines: list[Item] = []
    stream = state.stream
    held = [each for each in state.streams if each.held is not None] if stream is None else []
    for each in held[:_HELD]:
        lines += prose(f"#{each.exchange} {status(state, each)}", width, "action")
    running = stream is not None and stream.held is None and (stream.request.calls or stream.response.calls)
    if stream is not None and not running:
        lines += prose(
            status(state, stream), width, "action" if found is None or not found.hopeless else "bad"
        )
    if found is not None:
        lines = [
            *_consequence(found, width),
            *lines,
            *prose(found.text, width, "bad" if found.hopeless else ""),
        ]
    if not lines:
        lines = prose("Nothing depends on a callback here.", width)
    return Items(lines)


def _consequence(found: Consequence, width: int) -> list[Item]:
    ink = "future" if found.ahead else "bad" if found.hopeless else "action"
    verb = "will return" if found.ahead else "returned"
    name = short(found.callback)
    line = ((f"{name} {verb} ", "muted"), (found.action or "nothing", ink))
    return [Item(line)] if cells(line) <= width else [Item(line[:1]), Item((("  ", ""), line[1]))]


def pointed(arguments: Iterable[Argument]) -> Argument | None:
    """The argument whose bytes are shown first: the first that goes in, else the first there is."""
    there = [each for each in arguments if each.pointer is not None and not each.bad and each.size != 0]
    return next((each for each in there if not each.out), there[0] if there else None)
