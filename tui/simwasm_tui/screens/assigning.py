"""Giving a local, an operand or a global another value: the run goes another way from that instruction on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from textual.app import ComposeResult
from textual.widgets import Static

from simwasm.debug.stop import Stop
from simwasm_tui.commands import Command
from simwasm_tui.interior import Held
from simwasm_tui.screens.form import Field
from simwasm_tui.screens.modal import Modal
from simwasm_tui.text import clean

_SHOWN = 400


class Assigning(Modal[None]):
    """Asks for the value, and stays open until one is accepted."""

    HEADING = "Another value"
    ACTIONS = (
        Command("assigning.accept", "ctrl+s", "Fork with this value",
                "Go on with this value on a branch of its own.", short="fork the run (⏎)"),
    )  # fmt: skip

    def __init__(self, held: Held, where: str, assign: Callable[[str], Future[Stop] | None]) -> None:
        super().__init__()
        self.held = held
        self.where = where
        self._assign = assign

    def content(self) -> ComposeResult:
        variable = self.held.variable
        name = f" {variable.name}" if variable.name else ""
        said = f"{self.held.kind} {variable.slot}{name}: {variable.type} = {variable.text}, in {self.where}"
        yield Static(clean(said[:_SHOWN]), classes="note", markup=False)
        text = variable.value.hex() if isinstance(variable.value, bytes) else str(variable.value)
        yield Field("value", text, id="value", hint="42 · 0x2a · -1 · 1.5")

    def on_field_entered(self, message: Field.Entered) -> None:
        message.stop()
        self.do_accept()

    def do_accept(self) -> None:
        field = self.query_one(Field)
        future = self._assign(field.text)
        if future is not None:
            future.add_done_callback(self._answered)

    def _answered(self, ended: Future[Stop]) -> None:
        """Be told, in the plugins' thread, whether the value is one."""
        error = ended.exception() if not ended.cancelled() else None
        if not self.app._exit:
            self.app.call_later(self._told, str(error) if error is not None else "")

    def _told(self, wrong: str) -> None:
        if not self.is_attached:
            return
        if wrong:
            self.query_one(Field).complain(wrong)
        else:
            self.dismiss(None)
