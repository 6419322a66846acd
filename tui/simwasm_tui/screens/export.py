"""Exporting: the exchange or the run in one of the formats, seen before it goes to a file or to the clipboard."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.worker import get_current_worker

from simwasm.debug.export import FORMATS, Format, export, file_name
from simwasm.debug.export_subject import Subject
from simwasm.errors import InputError, SimwasmError
from simwasm_tui.commands import Command
from simwasm_tui.opening import complete_path
from simwasm_tui.screens.form import Field
from simwasm_tui.screens.listing import Made
from simwasm_tui.screens.modal import Modal
from simwasm_tui.text import Line, clean, count
from simwasm_tui.widgets.virtual_list import VirtualList

_PREVIEW = 2_000
"""Lines that are shown of an export."""
_CLIPBOARD = 200_000
"""Bytes; terminals refuse more."""


class Export(Modal[str]):
    """Asks what to export, and to where; the answer is what was done, in words."""

    HEADING = "Export"
    ACTIONS = (
        Command("export.write", "enter", "Write", "Write the file.", short="write the file"),
        Command("export.copy", "ctrl+y", "Copy", "Put it on the clipboard, by the terminal (OSC 52).",
                short="copy instead"),
    )  # fmt: skip
    DEFAULT_CSS = """
    Export > #box { max-width: 130; height: 90%; }
    Export #formats { width: 34; height: 1fr; margin-right: 2; }
    Export #preview { height: 1fr; }
    Export Horizontal.both { height: 1fr; }
    Export Field { margin-top: 1; }
    Export.-short Field { margin: 0; }
    Export.-narrow #formats { width: 16; }
    """

    def __init__(self, subject: Subject, name: str = "") -> None:
        super().__init__()
        self.subject = subject
        self.format = next((each for each in FORMATS if each.name == name), FORMATS[0])
        self.text = ""
        self.wrong = ""

    def content(self) -> ComposeResult:
        with Horizontal(classes="both"):
            yield VirtualList(id="formats")
            yield VirtualList(id="preview", empty="…")
        yield Field("file", self._file_name(), id="file", complete=complete_path)

    def on_mount(self) -> None:
        formats = self.query_one("#formats", VirtualList)
        formats.show(Made(FORMATS, _format_line), FORMATS.index(self.format))
        formats.focus()
        self._make()

    def on_resize(self) -> None:
        super().on_resize()
        self.set_class(self.size.width < 100, "-narrow")

    def _file_name(self) -> str:
        try:
            return file_name(self.format.name, self.subject)
        except InputError:
            return ""

    # Seeing it.

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        if message.list.id == "formats":
            self.format = FORMATS[message.index]
            self.query_one("#file", Field).text = self._file_name()
            self._make()

    @work(thread=True, exclusive=True, group="export", exit_on_error=False)
    def _make(self) -> None:
        """Make the export in a thread: a whole run may be long."""
        worker = get_current_worker()
        text = wrong = ""
        try:
            text = export(self.format.name, self.subject)
        except SimwasmError as error:
            wrong = str(error)
        if not worker.is_cancelled:
            self.app.call_from_thread(partial(self._made, text, wrong))

    def _made(self, text: str, wrong: str) -> None:
        self.text, self.wrong = text, wrong
        preview = self.query_one("#preview", VirtualList)
        lines = text.split("\n", _PREVIEW)
        shown = lines[:_PREVIEW] + (["…"] if len(lines) > _PREVIEW else [])
        preview.empty = f"✗ {wrong}" if wrong else "It is empty."
        preview.show(Made(shown if text else [], _text_line), 0)

    # Doing it.

    def on_virtual_list_chosen(self) -> None:
        self.do_write()

    def on_field_entered(self, message: Field.Entered) -> None:
        message.stop()
        self.do_write()

    def do_write(self) -> None:
        field = self.query_one("#file", Field)
        name = field.text.strip()
        if self.wrong or not name:
            field.complain(self.wrong or "a file needs a name")
            return
        path = Path(os.path.expanduser(name))
        if path.exists() and not field.wrong:
            field.complain(f"{path} exists already: Enter again writes over it")
            return
        self._write(path)

    def _write(self, path: Path) -> None:
        """Write the file. Paths in it are written from its folder, so it is made anew for there."""
        try:
            text = export(self.format.name, replace(self.subject, folder=path.absolute().parent))
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
        except SimwasmError as error:
            self.query_one("#file", Field).complain(str(error))
        except OSError as error:
            self.query_one("#file", Field).complain(f"{path}: cannot be written: {error.strerror}")
        else:
            self.dismiss(f"Wrote {path} ({count(len(text), 'character')}).")

    def do_copy(self) -> None:
        if self.wrong:
            self.query_one("#file", Field).complain(self.wrong)
        elif len(self.text) > _CLIPBOARD:
            self.say(
                f"That is {len(self.text):,} characters, too many for a terminal's clipboard: write a file."
            )
        else:
            self.app.copy_to_clipboard(self.text)
            self.dismiss(
                f"Copied {count(len(self.text), 'character')}, if the terminal lets programs copy (OSC 52)."
            )


def _format_line(each: Format, width: int) -> Line:
    return (
        (f"{each.name:<15}", "strong"),
        (each.title.removeprefix("the exchange ")[: max(0, width - 15)], "muted"),
    )


def _text_line(text: str, width: int) -> Line:
    return ((clean(text), ""),)
