"""`help`: the table of commands, for reading."""

from __future__ import annotations

from collections.abc import Iterator

from simwasm.debug.plain.command import Command, find
from simwasm.debug.plain.desk import Desk


def help(desk: Desk, rest: str) -> None:
    """Tell what a command does, or which there are."""
    commands = _table()
    lines = _about(find(commands, rest)[0]) if rest else _all(commands)
    for line in lines:
        desk.say(line)


def _all(commands: tuple[Command, ...]) -> Iterator[str]:
    names = {command.word: ", ".join((command.word, *command.aliases)) for command in commands}
    width = max(map(len, names.values()))
    for group in dict.fromkeys(command.group for command in commands):
        yield f"{group}:"
        for command in commands:
            if command.group == group:
                yield f"  {names[command.word]:<{width}}  {command.help}"
    yield "An abbreviation will do if only one command begins with it; an empty line does the last motion again."


def _about(command: Command) -> Iterator[str]:
    yield f"{command.word} {command.usage}".rstrip()
    yield f"  {command.help}"
    if command.aliases:
        yield f"  also: {', '.join(command.aliases)}"
    if command.more:
        yield command.more


def _table() -> tuple[Command, ...]:
    from simwasm.debug.plain.table import COMMANDS  # the table has this command too

    return COMMANDS


COMMANDS = (
    Command("help", help, "this list, or what a command does", "[COMMAND]", ("h", "?"), group="keeping",
            words=lambda desk: (command.word for command in _table())),
)  # fmt: skip
