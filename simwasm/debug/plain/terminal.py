"""A person at a terminal: lines with editing, completion, and a history that lasts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, TracebackType

from simwasm.debug.plain.command import find, split
from simwasm.debug.plain.desk import Desk
from simwasm.debug.plain.table import COMMANDS
from simwasm.debug.recent import state_folder
from simwasm.errors import SimwasmError
from simwasm.trace.text import printable

_MOST = 1_000
_DELIMITERS = " \t\n"
_FILES = ("source", "save", "export")


class Terminal:
    """Lines as they are typed, until the end of input."""

    def __init__(self, desk: Desk, prompt: Callable[[], str]) -> None:
        self._desk = desk
        self._prompt = prompt
        self._readline = _readline()
        self._matches: list[str] = []

    def __enter__(self) -> Terminal:
        readline, history = self._readline, _history()
        if readline is not None:
            readline.set_completer(self._complete)
            readline.set_completer_delims(_DELIMITERS)
            editline = "libedit" in (readline.__doc__ or "")  # as on macOS
            readline.parse_and_bind("bind ^I rl_complete" if editline else "tab: complete")
            readline.set_history_length(_MOST)
            if history is not None:
                with contextlib.suppress(OSError):
                    readline.read_history_file(history)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        history = _history()
        if self._readline is None or history is None:
            return
        with contextlib.suppress(OSError):
            history.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._readline.write_history_file(history)

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                yield input(self._prompt())
            except EOFError:
                self._desk.say()
                return
            except KeyboardInterrupt:
                self._desk.say()
                self._desk.flush()

    def _complete(self, text: str, number: int) -> str | None:
        """What readline asks for: the so-manieth word that may stand here."""
        if not number:
            assert self._readline is not None
            before = self._readline.get_line_buffer()[: self._readline.get_endidx()]
            self._matches = completions(self._desk, before, text)
        return self._matches[number] if number < len(self._matches) else None


def completions(desk: Desk, before: str, begun: str) -> list[str]:
    """The words that may stand where `begun` was begun, behind what is before it."""
    head = before[: len(before) - len(begun)].strip()
    try:
        if not head:
            found = [name for command in COMMANDS for name in (command.word, *command.aliases)]
        else:
            command, _ = find(COMMANDS, split(head)[0])
            found = _paths(begun) if command.word in _FILES else list(command.words(desk))
    except SimwasmError:
        return []
    fitting = {word for word in found if word.startswith(begun) and printable(word) == word}
    return sorted(fitting if head else (f"{word} " for word in fitting))


def _paths(begun: str) -> list[str]:
    folder = os.path.dirname(begun)
    try:
        with os.scandir(folder or ".") as entries:
            return [os.path.join(folder, each.name) + ("/" if each.is_dir() else "") for each in entries]
    except OSError:
        return []


def _history() -> Path | None:
    folder = state_folder()
    return folder / "debug_history" if folder is not None else None


def _readline() -> ModuleType | None:
    """Python's readline, where it has one."""
    try:
        import readline
    except ImportError:
        return None
    return readline
