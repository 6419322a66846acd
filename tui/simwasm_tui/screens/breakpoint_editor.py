"""The breakpoint editor: where, on what condition, how often, and what to say in place of stopping.

What is typed is understood while it is typed: an error stands below its field, and otherwise how often the run that is
on tape comes by there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    def __init__(self, tape: Tape, breakpoint: Breakpoint | None = None, where: str = "") -> None:
        super().__init__()
        self.tape = tape
        self.edited = breakpoint or Breakpoint(0, where)

    def heading(self) -> str:
        return f"Breakpoint {self.edited.number}" if self.edited.number else "New breakpoint"

    def content(self) -> ComposeResult:
        edited = self.edited
        yield Field(
            "where", edited.where, id="where", hint="on_request_headers · get_header map:req · trap · status!=OK",
            check=self._wrong_where, complete=places,
        )  # fmt: skip
        yield Field("only if", edited.condition, id="condition", hint="path~/login · always",
                    check=self._wrong_condition, complete=complete)  # fmt: skip
        yield Field("hits", edited.rule, id="rule", hint="3: from the third on · every 10", check=_wrong_rule)
        yield Field("say", edited.message, id="message", hint="{method} {path} · say this, and do not stop",
                    check=_wrong_message)  # fmt: skip
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
        return _said(lambda: understand("trap", text.strip())) if text.strip() else ""

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
        if not written.where or written.suspended or written.memory:
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
            kind = "It waits for these bytes to be written. " if self._written().memory else ""
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


def _wrong_message(text: str) -> str:
    return _said(lambda: message(text))


def places(text: str, cursor: int) -> Sequence[Candidate]:
    """What may be typed where a breakpoint's place is asked for: terms, and names of functions."""
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
    return found
