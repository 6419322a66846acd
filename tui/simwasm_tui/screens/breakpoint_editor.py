"""The breakpoint editor: where, on what condition, how often, and what to say in place of stopping.

What is typed is understood while it is typed: an error stands below its field, and otherwise how often the run that is
on tape comes by there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from textual import work
from textual.app import ComposeResult
from textual.widgets import Static
from textual.worker import get_current_worker

from simwasm.debug.breakpoints import Breakpoint, hit_rule
from simwasm.debug.hits import Hits
from simwasm.debug.logpoints import message
from simwasm.debug.tape import Tape
from simwasm.debug.where import understand
from simwasm.errors import SimwasmError
from simwasm.trace.query import Candidate, complete
from simwasm.trace.query.names import spellings
from simwasm.wasm.opcodes import OPCODES
from simwasm_tui.commands import Command
from simwasm_tui.screens.form import Field
from simwasm_tui.screens.modal import Modal
from simwasm_tui.text import count

_STEP = 50_000
"""Events looked at before somebody may say that the answer is not wanted any more."""


class BreakpointEditor(Modal[Breakpoint]):
    """Asks for a breakpoint; the answer is one with its number, 0 for a new one."""

    ACTIONS = (
        Command("breakpoint_editor.accept", "ctrl+s", "Accept", "Set the breakpoint as it is written here.",
                short="accept (⏎)"),
        Command("breakpoint_editor.toggle", "ctrl+t", "Switch on or off", "Keep the breakpoint, but let it pass.",
                short="on/off"),
    )  # fmt: skip

    def __init__(
        self, tape: Tape, breakpoint: Breakpoint | None = None, where: str = "", functions: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.tape = tape
        self.functions = functions
        """The plugin's own."""
        self.edited = breakpoint or Breakpoint(0, where)

    def heading(self) -> str:
        return f"Breakpoint {self.edited.number}" if self.edited.number else "New breakpoint"

    def content(self) -> ComposeResult:
        edited = self.edited
        yield Field(
            "where", edited.where, id="where", hint="on_request_headers · trap · status!=OK · lib.rs:48 · at:0x1a4f",

            check=self._wrong_where, complete=self._places,
        )  # fmt: skip
        yield Field("only if", edited.condition, id="condition", hint="path~/login · in code: l0 == 3 · always",
                    check=self._wrong_condition, complete=self._conditions)  # fmt: skip
        yield Field("hits", edited.rule, id="rule", hint="3: from the third on · every 10", check=_wrong_rule)
        yield Field("say", edited.message, id="message", hint="{method} {path} · say this, and do not stop",
                    check=self._wrong_message)  # fmt: skip
        yield Static("", id="sum", classes="note", markup=False)

    def on_mount(self) -> None:
        self._sum()
        self._count()

    # What is wrong.

    def _wrong_where(self, text: str) -> str:
        if not text.strip():
            return ""
        return _said(lambda: understand(text.strip()))

    def _wrong_condition(self, text: str) -> str:
        where = self._where() if self._in_code() else "trap"
        return _said(lambda: understand(where, text.strip())) if text.strip() else ""

    def _wrong_message(self, text: str) -> str:
        wrong = _said(lambda: message(text))
        return wrong or (
            Breakpoint(0, self._where(), message=text).suspended if text and self._in_code() else ""
        )

    def _where(self) -> str:
        return self.query_one("#where", Field).text.strip() if self.is_mounted else self.edited.where

    def _in_code(self) -> bool:
        """Whether a place in code is written."""
        return Breakpoint(0, self._where()).code is not None

    # What may be typed.

    def _places(self, text: str, cursor: int) -> Sequence[Candidate]:
        return places(text, cursor, self.functions)

    def _conditions(self, text: str, cursor: int) -> Sequence[Candidate]:
        return slots(text, cursor) if self._in_code() else complete(text, cursor)

    def on_field_changed(self, message: Field.Changed) -> None:
        message.stop()
        self._count()

    # How often.

    def _written(self) -> Breakpoint:
        """The breakpoint as it stands in the fields, however wrong."""
        where, condition, rule, said = (
            self.query_one(f"#{name}", Field).text for name in ("where", "condition", "rule", "message")
        )
        written = replace(self.edited, where=where.strip(), condition=condition.strip(), message=said)
        if _wrong_rule(rule):
            return written
        counted = hit_rule(rule)
        return replace(written, ignore=counted["ignore"], every=counted["every"])

    def _count(self) -> None:
        """Count how often the tape comes by there, if it is known where that is."""
        written = self._written()
        if not written.where or written.suspended or written.memory or written.code:
            self._sum()
        else:
            self._count_hits(written)

    @work(thread=True, exclusive=True, group="hits", exit_on_error=False)
    def _count_hits(self, written: Breakpoint) -> None:
        tape, worker = self.tape, get_current_worker()
        hits = Hits(understand(written.where, written.condition))
        end = len(tape) if tape.complete else len(tape) - 1
        while hits.until < end:
            if worker.is_cancelled:
                return
            hits.grow(tape, min(end, hits.until + _STEP))
        stopping = sum(written.counts(hit) for hit in range(1, len(hits) + 1))
        more = (
            f", {stopping:,} of them {'say it' if written.message else 'stop'}"
            if stopping < len(hits)
            else ""
        )
        self.app.call_from_thread(self._sum, f"{count(len(hits), 'hit')} on this tape{more}. ")

    def _sum(self, text: str = "") -> None:
        if self.is_mounted:
            off = "" if self.edited.enabled else "○ It is switched off. "
            written = self._written()
            kind = "It waits for these bytes to be written. " if written.memory else ""
            kind = "It waits for this place in the plugin's code. " if written.code else kind
            self.query_one("#sum", Static).update(off + text + kind)

    # What is done.

    def do_toggle(self) -> None:
        self.edited = replace(self.edited, enabled=not self.edited.enabled)
        self._count()

    def on_field_entered(self, message: Field.Entered) -> None:
        message.stop()
        self.do_accept()

    def do_accept(self) -> None:
        where = self.query_one("#where", Field)
        wrong = [field for field in self.query(Field) if field.look()]
        if not where.text.strip():
            where.complain("a breakpoint needs a place: on_request_headers, trap, status!=OK")
            wrong = [where]
        if wrong:
            wrong[0].query_one("Typing").focus()
        else:
            self.dismiss(self._written())


def _said(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except SimwasmError as error:
        return str(error)
    return ""


def _wrong_rule(text: str) -> str:
    return _said(lambda: hit_rule(text))


_IN_CODE = (
    Candidate("function:", 0, "Where a function of the plugin begins: function:on_request*"),
    Candidate("instruction:", 0, "Instructions of a kind: instruction:memory.grow"),
    Candidate("at:", 0, "The instruction at an offset in the plugin's file: at:0x1a4f"),
)
_SLOTS = (
    ("l0", "The first local of the function: parameters come first"),
    ("s0", "The operand at the bottom of the stack"),
    ("g0", "The first global"),
)
_WORD = re.compile(r"\w*$")
_MOST = 50


def slots(text: str, cursor: int) -> Sequence[Candidate]:
    """What may be typed where a condition in code is asked for."""
    begun = _WORD.search(text[:cursor])
    start = begun.start() if begun is not None else cursor
    return [Candidate(name, start, doc) for name, doc in _SLOTS if name.startswith(text[start:cursor])]


def _in_code(text: str, functions: Sequence[str]) -> list[Candidate]:
    """Places in code that begin so."""
    kind, colon, begun = text.partition(":")
    if not colon:
        return [each for each in _IN_CODE if text and each.text.startswith(text.lower())]
    names: Iterable[str] = functions if kind in ("function", "func") else ()
    if kind == "instruction":
        names = (opcode.name for opcode in OPCODES)
    found = (name for name in names if begun.lower() in name.lower() and name.isprintable())
    ordered = sorted(set(found), key=lambda name: (not name.startswith(begun), name))
    return [Candidate(name, len(kind) + 1, "") for name in ordered[:_MOST]]


def places(text: str, cursor: int, functions: Sequence[str] = ()) -> Sequence[Candidate]:
    """What may be typed where a breakpoint's place is asked for: terms, names of functions, places in code."""
    code = _in_code(text[:cursor], functions)
    if code and ":" in text[:cursor]:
        return code
    before = text[:cursor]
    start = max(before.rfind(" "), before.rfind("("), before.rfind("!")) + 1
    word = before[start:].lower()
    found = list(complete(text, cursor))
    if word.isidentifier():
        named = sorted(name for name in spellings() if word in name)
        named.sort(key=lambda name: not name.startswith(word))
        found = [*(Candidate(name, start, "") for name in named), *found]
    if "memory:".startswith(word) and word and not start:
        found.append(Candidate("memory:", 0, "Bytes that are written: memory:0x2f40+16"))
    return [*found, *code]
