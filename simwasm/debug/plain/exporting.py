"""The commands that take something out: an exchange as curl, HAR and so on, and a stop as a test."""

from __future__ import annotations

from pathlib import Path

from simwasm.debug.export import FORMATS, export, file_name
from simwasm.debug.export_subject import Subject
from simwasm.debug.plain.command import Command, split, wants
from simwasm.debug.plain.desk import Desk
from simwasm.errors import InputError

_GROUP = "keeping"


def take_out(desk: Desk, rest: str) -> None:
    """Write an export to a file; `-` shows it."""
    name, path = split(rest)
    if not name:
        raise wants("export", "FORMAT [FILE]")
    _export(desk, name, path)


def test(desk: Desk, rest: str) -> None:
    """Write what happened here as a test."""
    _export(desk, "test", rest)


def _export(desk: Desk, name: str, path: str) -> None:
    subject = _subject(desk, Path(path).parent if path not in ("", "-") else Path())
    text = export(name, subject)
    if path == "-":
        desk.say(text.rstrip("\n"))
        return
    target = Path(path or file_name(name, subject))
    try:
        with open(target, "w" if path else "x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(
            f"{target} is there already: name the file, as in `export {name} {target}`"
        ) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{target}: cannot be written: {why}") from None
    desk.say(f"wrote {target}")


def _subject(desk: Desk, folder: Path) -> Subject:
    debugger, stop = desk.debugger, desk.stop
    row = desk.row if stop.row >= 0 else None
    span = debugger.tape.span_of(row.entered) if row is not None else None
    span = span or debugger.tape.span_at(stop.position)
    return Subject(
        debugger.inputs, debugger.tape, span, row, desk.start.recipe, folder, debugger.branch.overrides
    )


COMMANDS = (
    Command("export", take_out, "write the exchange one is in, or the run, to a file; - shows it", "FORMAT [FILE|-]",
            (), "\n".join(f"  {each.name:<16} {each.title}" for each in FORMATS), group=_GROUP,
            words=lambda desk: (each.name for each in FORMATS)),
    Command("assert", test, "write what happened here as a pytest test", "[FILE|-]", group=_GROUP),
)  # fmt: skip
