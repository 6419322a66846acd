"""Asks for a trace file to be shown beside the run: that of another build, or of another day."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from simwasm.debug.inputs import Inputs
from simwasm.errors import SimwasmError
from simwasm.trace.file import TraceFile, open_trace
from simwasm_tui.commands import Command
from simwasm_tui.opening import complete_path, missing, name_of, paths
from simwasm_tui.screens.diff import Side
from simwasm_tui.screens.form import Field
from simwasm_tui.screens.modal import Modal


class DiffFile(Modal[Side]):
    """The question."""

    HEADING = "Compare with a trace file"
    ACTIONS = (
        Command("diff_file.accept", "ctrl+s", "Compare", "Show both side by side.", short="compare (⏎)"),
    )

    def __init__(self, inputs: Inputs) -> None:
        super().__init__()
        self.inputs = inputs

    def content(self) -> ComposeResult:
        yield Static(
            "A trace is written by `simwasm run --trace FILE`, or by e (export). A run of this session that was forked "
            "by O (override) can be compared without a file.",
            classes="note",
            markup=False,
        )
        yield Field("trace", id="trace", hint="before.trace.jsonl", complete=complete_path)

    def on_mount(self) -> None:
        self.query("Typing").first().focus()

    def on_field_entered(self, message: Field.Entered) -> None:
        message.stop()
        self.do_accept()

    def do_accept(self) -> None:
        field = self.query_one("#trace", Field)
        named = paths(field.text)
        if len(named) != 1:
            field.complain("one path is needed: that of a trace")
        elif wrong := missing(named[0]):
            field.complain(wrong)
        else:
            self.say("Reading…")
            self._read(named[0])

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _read(self, path: str) -> None:
        """Read the file in a thread: it may be long."""
        try:
            trace = open_trace(path)
            trace.index()
        except SimwasmError as error:
            self.app.call_from_thread(self._failed, str(error))
        else:
            self.app.call_from_thread(self.dismiss, side_of(trace, self.inputs))

    def _failed(self, text: str) -> None:
        self.say("")
        self.query_one("#trace", Field).complain(text)


def side_of(trace: TraceFile, inputs: Inputs) -> Side:
    """A trace file as one side of a comparison; its note says how the plugin was another one."""
    notes = [trace.note, *(trace.made_by(plugin) for plugin in inputs.plugins)]
    return Side(name_of(str(trace.path)), trace.rows, note="; ".join(filter(None, notes)))
