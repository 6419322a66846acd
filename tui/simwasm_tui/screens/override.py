"""Answering in place of the host, or of the plugin: a status and what it gives, or what a callback returned.

The run then goes another way from that call on, on a branch of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from textual.app import ComposeResult
from textual.widgets import Static

from simwasm.abi.enums import Action, DataAction, HeadersAction, Status
from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import Function, Side
from simwasm.debug.branch import Override
from simwasm.errors import InputError
from simwasm.trace.event import Entered, Left
from simwasm.trace.text import call_text, value_text
from simwasm_tui.commands import Command
from simwasm_tui.screens.form import Check, Field
from simwasm_tui.screens.modal import Modal
from simwasm_tui.text import clean
from simwasm_tui.typed import read_value, typed

_UNTYPED = (Form.BLOB, Form.SPAN, Form.IOVECS, Form.STRINGS)
"""What cannot be typed here."""


@dataclass(frozen=True)
class Choice:
    """A name that may stand in a field."""

    text: str
    start: int = 0


class Answer(NamedTuple):
    """What to answer, and where."""

    position: int
    override: Override


def action_type(function: Function) -> type[Action] | type[HeadersAction] | type[DataAction] | None:
    """Which actions a callback can return; None if it returns none."""
    if function.result is None or function.result.form is not Form.ENUM:
        return None
    kind = function.name.rpartition("_")[2]
    return HeadersAction if kind == "headers" else DataAction if kind == "body" else Action


class Overriding(Modal[Answer]):
    """Asks what to answer."""

    ACTIONS = (
        Command("override.accept", "ctrl+s", "Fork", "Answer so, and run on from here on a branch of its own.",
                short="fork the run (⏎)"),
    )  # fmt: skip

    def __init__(self, position: int, entered: Entered, ended: Left | None) -> None:
        super().__init__()
        self.position = position
        self.entered = entered
        self.ended = ended
        self.is_callback = entered.function.side is Side.PLUGIN

    def heading(self) -> str:
        return "Return something else" if self.is_callback else "Answer in place of the host"

    def content(self) -> ComposeResult:
        function = self.entered.function
        yield Static(clean(call_text(function, self.entered.args)[:400]), classes="note", markup=False)
        if self.is_callback:
            yield Field(
                "return", self._result(), id="result", check=self._wrong_result, complete=self._actions
            )
            return
        yield Field("status", self._status(), id="status", check=_wrong_status, complete=_statuses)
        given = self.ended.values if self.ended is not None and self.ended.values else ()
        for index, param in enumerate(function.outputs):
            text = typed(given[index]) if index < len(given) else ""
            yield Field(param.name, text, id=f"value-{index}", hint=str(param), check=_checking(param))
        yield Static("What it gives counts only if the status is OK.", classes="note", markup=False)

    def _result(self) -> str:
        result = self.ended.result if self.ended is not None else None
        return value_text(result) if result is not None else ""

    def _status(self) -> str:
        status = self.ended.result if self.ended is not None else Status.OK
        return status.name if isinstance(status, Status) else "OK"

    # Understanding what was typed.

    def _wrong_result(self, text: str) -> str:
        try:
            self._read_result(text)
        except InputError as error:
            return str(error)
        return ""

    def _read_result(self, text: str) -> Any:
        actions = action_type(self.entered.function)
        word = text.strip()
        if actions is not None:
            if word.upper() in actions.__members__:
                return actions[word.upper()]
            if not word.isdecimal():
                raise InputError(f"an action is {', '.join(actions.__members__)}, or a number")
        assert self.entered.function.result is not None
        return read_value(self.entered.function.result, word, number=actions is not None)

    def _actions(self, text: str, cursor: int) -> Sequence[Choice]:
        actions = action_type(self.entered.function)
        names = list(actions.__members__) if actions is not None else ["true", "false"]
        return [Choice(name) for name in names if name.lower().startswith(text[:cursor].lower())]

    # The answer.

    def on_field_entered(self, message: Field.Entered) -> None:
        message.stop()
        self.do_accept()

    def do_accept(self) -> None:
        fields = list(self.query(Field))
        ok = self.is_callback or fields[0].text.strip().upper() == Status.OK.name
        checked = fields if ok else fields[:1]
        wrong = [field for field in checked if field.look()]
        if wrong:
            wrong[0].query_one("Typing").focus()
        else:
            self.dismiss(Answer(self.position, self._override(ok)))

    def _override(self, ok: bool) -> Override:
        fields = list(self.query(Field))
        if self.is_callback:
            return Override(result=self._read_result(fields[0].text), callback=True)
        status = Status[fields[0].text.strip().upper()]
        params = self.entered.function.outputs
        values = [read_value(param, field.text) for param, field in zip(params, fields[1:], strict=True)]
        return Override(status, tuple(values) if ok else ())

    def on_mount(self) -> None:
        self.query("Typing").first().focus()


def refusal(function: Function) -> str:
    """Why a call cannot be overridden; empty if it can."""
    if function.side is Side.PLUGIN:
        return "" if function.result is not None else f"{function.name} returns nothing"
    if function.errors is not Status:
        return f"{function.name} has no status of its own"
    odd = [param.name for param in function.outputs if param.form in _UNTYPED]
    return f"what {function.name} gives ({', '.join(odd)}) cannot be typed" if odd else ""


def _checking(param: Param) -> Check:
    def check(text: str) -> str:
        try:
            read_value(param, text)
        except InputError as error:
            return str(error)
        return ""

    return check


def _wrong_status(text: str) -> str:
    return (
        ""
        if text.strip().upper() in Status.__members__
        else f"a status is one of {', '.join(Status.__members__)}"
    )


def _statuses(text: str, cursor: int) -> Sequence[Choice]:
    begun = text[:cursor].strip().upper()
    return [Choice(name) for name in Status.__members__ if name.startswith(begun)]
