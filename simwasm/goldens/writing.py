"""A run as the text of a golden.

Rules: the same run gives the same text, whichever engine ran; the order of fields is that of a trace file; a call has
no allocator's call inside, no reason in simwasm's words, and a trap no frames, since these change with a build or a
version although the plugin does what it did; callouts are counted for each context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simwasm.abi.table import ALLOCATORS, Function
from simwasm.errors import InputError, Trap
from simwasm.goldens.numbering import Numbering
from simwasm.goldens.redactions import BUILT_IN, redactions
from simwasm.goldens.redactor import Call, Redactor
from simwasm.host.outcome import Outcome
from simwasm.host.profile import Profile
from simwasm.plugin import Plugin
from simwasm.recording import ending, rules_of
from simwasm.trace.event import Entered, Event, Left
from simwasm.trace.lines import dumps
from simwasm.trace.parse import Header, Made, header_json
from simwasm.trace.store import Recorder
from simwasm.trace.upgrade import replaced

Entry = Event | Outcome
"""What a golden is made of: events, and what became of an exchange, where it ended."""


def header_of(
    plugins: Sequence[Plugin],
    *,
    profile: Profile,
    now_ns: int,
    recipe: Mapping[str, Any] | None = None,
    test: str = "",
) -> Header:
    """The header of a golden that a recipe or a test plays again."""
    made = tuple(Made(plugin.name, "", plugin.abi) for plugin in plugins)
    return Header(made, rules_of(profile), profile.seed, now_ns, recipe=recipe, test=test)


def golden_text(entries: Iterable[Entry], header: Header, own: tuple[str, ...] = ()) -> str:
    """The text of a golden; `own` are the redactions that the user wants besides the built-in ones."""
    writer = GoldenWriter(header, own)
    for entry in entries:
        if isinstance(entry, Outcome):
            writer.finished(entry)
        else:
            writer(entry)
    return writer.text()


def write_golden(path: str | Path, text: str) -> None:
    """Write a golden, whole or not at all; its folder is made if it is not there."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: its folder cannot be made: {error.strerror}") from None
    replaced(path, iter([encoded(text)]))


def encoded(text: str) -> bytes:
    """A name that is not UTF-8 becomes an escape of JSON's."""
    return text.encode("utf-8", "backslashreplace")


_Open = tuple[str, int, Function, tuple[Any, ...], Call]
"""A call that has not ended: its VM, context, function, arguments, and how its values are told."""


class GoldenWriter:
    """An observer that makes a golden of what it is told."""

    def __init__(self, header: Header, own: tuple[str, ...] = ()) -> None:
        self._header = header
        self._own = own
        self._redact = Redactor(redactions(own), header.started_ns)
        self._lines: list[str] = []
        self._record = Recorder(self._lines.append, header_json(header))
        self._number = Numbering()
        self._open: list[_Open] = []
        self._hidden = 0
        """How many calls are open in the innermost of the allocator, itself included."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            self.enter(event.at, event.vm, event.context, event.function, event.args)
        elif isinstance(event, Left):
            self.leave(event.opened, event.result, event.values)
        elif self._hidden:
            self._hidden -= 1
        else:
            self._open.pop()
            self._record(event._replace(trap=Trap(event.trap.kind, (), event.trap.detail)))

    def enter(self, at: int, vm: str, context: int, function: Function, args: tuple[Any, ...]) -> None:
        """Note that a crossing begins."""
        if self._hidden or function.name in ALLOCATORS:
            self._hidden += 1
            return
        call = self._redact.call(function)
        self._open.append((vm, context, function, args, call))
        told = self._number.args(vm, function, call.args(args) if call.args else args)
        self._record.enter(at, vm, context, function, told)

    def leave(self, opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None:
        """Note that the innermost crossing ended."""
        if self._hidden:
            self._hidden -= 1
            return
        vm, context, function, args, call = self._open.pop()
        told = call.values(args, values) if call.values and values else values
        self._record.leave(opened, result, self._number.values(vm, context, function, told))

    def finished(self, outcome: Outcome) -> None:
        """Note what became of an exchange."""
        told = outcome._replace(
            request=self._redact.message(outcome.request), response=self._redact.message(outcome.response)
        )
        self._record.outcome(ending(told))

    def text(self) -> str:
        """The golden of all that was told so far."""
        self._record.flush()
        used = self._redact.used
        named = [each.name for each in BUILT_IN if each.name in used]
        head = replace(self._header, redacted=(*named, *self._own), started_ns=0, engine="")
        return dumps(header_json(head)) + "\n" + "".join(self._lines[1:])
