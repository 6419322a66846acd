"""The bodies of the inspector: what the plugin sees of each now, what is held back, and whether that is all.

Rules: bytes are shown as they are, whatever they are; of ten megabytes only what one sees is made, and where a form
would have to make all of them it says where it stops.
"""

from __future__ import annotations

from enum import Enum

from rich.cells import chop_cells

from simwasm.abi.enums import BufferType
from simwasm.debug.state import BodyState, State
from simwasm.exchange import to_text
from simwasm_tui.items import Chain, Item, Items, Lines, heading, prose
from simwasm_tui.panes.hexlines import HexBytes
from simwasm_tui.panes.prettyjson import LARGEST, pretty, why_not
from simwasm_tui.text import Line, clean, count

_SET_OUT = 256 * 1024
"""Bytes of a body that are shown as text."""
_BINARY = 0.1
"""The share of characters that no text has from which on bytes are shown as hexadecimal."""


class Form(Enum):
    """How a body is shown; the value is how that is told."""

    FITTING = "as fits"
    TEXT = "text"
    HEX = "hex"
    JSON = "JSON"

    @property
    def next(self) -> Form:
        """The one after it, round the end."""
        every = list(Form)
        return every[(every.index(self) + 1) % len(every)]


class TextLines(tuple[str, ...]):
    """Lines of text."""

    def line(self, index: int, width: int) -> Line:
        return ((self[index], ""),)


class InkLines(tuple[Line, ...]):
    """Lines that are there already."""

    def line(self, index: int, width: int) -> Line:
        return self[index]


def body_lines(state: State, form: Form, width: int, folded: frozenset[str] = frozenset()) -> Chain:
    """All bodies, those first in which there is something."""
    parts: list[Lines] = []
    for body in sorted(state.bodies, key=lambda body: not (body.data or body.buffered)):
        parts += _body(body, form, width, folded)
    if not state.bodies:
        parts.append(Items(prose("The plugin acts for no exchange here, so there are no bodies.", width)))
    return Chain(parts)


def _body(body: BodyState, form: Form, width: int, folded: frozenset[str]) -> list[Lines]:
    name = title(body.kind)
    if not (body.data or body.buffered or body.read.allowed or body.received):
        why = body.read.why
        return [Items([Item(((f"{name} –", "muted"),)), *prose(why, width, "future", "  ")])]
    closed = body.kind.name in folded
    head = [heading(name, fold=body.kind.name, folded=closed), *prose(facts(body), width, "muted", "  ")]
    if not body.read.allowed:
        head += prose(f"The plugin cannot read it now: {body.read.why}.", width, "reason", "  ")
    if closed:
        return [Items(head)]
    found: list[Lines] = [Items(head)]
    if body.data:
        found += shown(body.data, form, width)
    if body.buffered and body.buffered != body.data:
        found.append(Items([Item((("  held back", "accent"),))]))
        found += shown(body.buffered, form, width)
    return [*found, Items([Item()])]


def facts(body: BodyState) -> str:
    """How much there is of a body, and whether more will come."""
    said = [f"{count(len(body.data), 'byte')} now" if body.read.allowed else ""]
    said.append(f"{len(body.buffered):,} held back" if body.buffered else "")
    said.append(f"{body.received:,} come in" if body.received else "")
    said.append(f"{body.sent:,} gone on" if body.sent else "")
    if body.ended:
        said.append("end of stream")
    elif body.received:
        said.append("all has come in" if body.complete else "more comes")
    return " · ".join(filter(None, said))


def shown(data: bytes, form: Form, width: int) -> list[Lines]:
    """Bytes in a form."""
    chosen = fitting(data) if form is Form.FITTING else form
    if chosen is Form.HEX:
        return [HexBytes(data, width)]
    if chosen is Form.JSON:
        why = (
            f"{len(data):,} bytes are too much to be set out"
            if len(data) > LARGEST
            else why_not(to_text(data))
        )
        if not why:
            return [InkLines(pretty(to_text(data)))]
        return [Items(prose(f"This is not JSON: {why}.", width, "reason", "  ")), *_text(data, width)]
    return _text(data, width)


def fitting(data: bytes) -> Form:
    """The form that suits bytes."""
    if data[:1] in (b"{", b"[") and len(data) <= LARGEST and not why_not(to_text(data)):
        return Form.JSON
    text = to_text(data[:4096])
    strange = sum(not char.isprintable() and char not in "\r\n\t" for char in text)
    return Form.HEX if strange > _BINARY * len(text) else Form.TEXT


def _text(data: bytes, width: int) -> list[Lines]:
    lines = [
        part
        for line in to_text(data[:_SET_OUT]).split("\n")
        for part in chop_cells(clean(line.removesuffix("\r")), max(8, width)) or [""]
    ]
    found: list[Lines] = [TextLines(lines)]
    if len(data) > _SET_OUT:
        more = f"… {count(len(data) - _SET_OUT, 'byte')} more: as hexadecimal (v) all of them are shown."
        found.append(Items(prose(more, width, "reason")))
    return found


def title(kind: BufferType) -> str:
    """A buffer's name for people: `Request body`."""
    return kind.name.removeprefix("HTTP_").replace("_", " ").capitalize()


def changed(state: State, before: State | None) -> bool:
    """Whether any body is another one than at the previous stop."""
    if before is None or before.where.exchange != state.where.exchange:
        return False
    return [(body.kind, body.data, body.buffered) for body in before.bodies] != [
        (body.kind, body.data, body.buffered) for body in state.bodies
    ]
