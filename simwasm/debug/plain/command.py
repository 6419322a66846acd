"""What a command of the line debugger is, and how one is found by what was typed.

Rule: the table is the only place that knows the words; parsing, help and completion ask it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from simwasm.errors import InputError

if TYPE_CHECKING:
    from simwasm.debug.plain.desk import Desk

Words = Callable[["Desk"], Iterable[str]]


def nothing(desk: Desk) -> tuple[str, ...]:
    """No word fits."""
    return ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    word: str
    run: Callable[[Desk, str], None]
    """Given what stands behind the word."""
    help: str
    """One line."""
    usage: str = ""
    """What may stand behind the word."""
    aliases: tuple[str, ...] = ()
    more: str = ""
    """Further lines of help."""
    repeats: bool = False
    """An empty line does it again."""
    group: str = ""
    words: Words = nothing
    """What may be typed behind the word."""
    format: bool = False
    """A format may stand behind the word, as in `x/16xb`; it is handed on with its slash."""


class UsageError(InputError):
    """Something else has to stand behind the word."""


def wants(command: str, usage: str) -> UsageError:
    """The error that says how a command is used."""
    return UsageError(f"{command}: use it as `{command} {usage}`; `help {command}` says more")


def split(line: str) -> tuple[str, str]:
    """The word of a line, and what stands behind it."""
    word, _, rest = line.strip().partition(" ")
    return word, rest.strip()


def find(commands: Sequence[Command], typed: str) -> tuple[Command, str]:
    """The command of a word and the format that stands on it; an abbreviation will do if only one command has it."""
    word, slash, form = typed.partition("/")
    found = _by_name(commands, word) or _by_beginning(commands, word)
    if found is None:
        names = [name for command in commands for name in (command.word, *command.aliases)]
        near = get_close_matches(word, names, n=3, cutoff=0.6)
        hint = (
            f"did you mean {' or '.join(f'`{name}`' for name in near)}?"
            if near
            else "`help` lists all commands"
        )
        raise InputError(f"there is no command `{word}`; {hint}")
    if slash and not found.format:
        raise InputError(f"`{found.word}` takes no format such as /{form}")
    return found, slash + form


def _by_name(commands: Sequence[Command], word: str) -> Command | None:
    return next((each for each in commands if word == each.word or word in each.aliases), None)


def _by_beginning(commands: Sequence[Command], word: str) -> Command | None:
    found = [each for each in commands if word and each.word.startswith(word)]
    if len(found) > 1:
        raise InputError(f"`{word}` may be {', '.join(f'`{each.word}`' for each in found)}: type more of it")
    return found[0] if found else None


def number(text: str, what: str) -> int:
    """A whole number that was typed."""
    digits = text.replace(",", "").replace("_", "")
    base = 16 if digits[:2].lower() == "0x" else 10
    try:
        if len(digits) > 20:
            raise ValueError
        return int(digits, base)
    except ValueError:
        raise UsageError(f"{what} is a whole number, not `{text[:40]}`") from None
