"""Runs a test file in an engine, command by command, and tells how each assertion ended.

Rules that live here: an assertion holds, fails, or cannot be made through the engine's Python interface; a module
that does not start is a failure, and so is whatever is asked of it then; modules written as text are wabt's affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from official.known import UNSTARTED
from official.values import Value, answers, argument
from official.world import Cannot, Refused, Started, Unlinkable, World
from simwasm.errors import Trap, TrapKind

Command = dict[str, Any]


class Wrong(Exception):
    """An assertion that does not hold: what came instead."""


@dataclass(slots=True)
class Tally:
    """How the commands of a test file ended."""

    held: Counter[str] = field(default_factory=Counter)
    failed: dict[int, str] = field(default_factory=dict)
    """By line."""
    cannot: Counter[str] = field(default_factory=Counter)
    """By reason."""

    @property
    def ended(self) -> int:
        """How many commands there were."""
        return self.held.total() + len(self.failed) + self.cannot.total()


def applies(command: Command) -> bool:
    """Whether there is something for an engine to do."""
    return command.get("module_type") != "text"


def run(commands: Iterable[Command], folder: Path, world: World, untried: Mapping[int, str]) -> Tally:
    """Do what the commands say, but for the lines that are not to be tried."""
    script, tally = _Script(folder, world), Tally()
    for command in filter(applies, commands):
        kind, line = command["type"], command["line"]
        try:
            if line in untried:
                raise Cannot(untried[line])
            script.do(command)
        except Cannot as reason:
            tally.cannot[str(reason)] += 1
        except (Wrong, Refused, Unlinkable, Trap) as error:
            tally.failed[line] = (
                f"{type(error).__name__}: {error}" if not isinstance(error, Wrong) else str(error)
            )
        else:
            tally.held[kind] += 1
    return tally


class _Script:
    """The instances of a test file."""

    def __init__(self, folder: Path, world: World) -> None:
        self._folder = folder
        self._world = world
        self._named: dict[str, Started] = {}
        self._latest: Started | None = None

    def do(self, command: Command) -> None:
        """One command; `Wrong` if it does not go as it should."""
        getattr(self, f"_{command['type']}")(command)

    def _module(self, command: Command) -> None:
        self._latest = None
        self._latest = self._world.instantiate(self._bytes(command))
        if "name" in command:
            self._named[command["name"]] = self._latest

    def _register(self, command: Command) -> None:
        self._world.register(command["as"], self._instance(command.get("name")))

    def _action(self, command: Command) -> None:
        self._act(command["action"])

    def _assert_return(self, command: Command) -> None:
        found, expected = self._act(command["action"]), command["expected"]
        if len(found) != len(expected) or not all(map(answers, expected, found)):
            raise Wrong(f"expected {expected}, got {', '.join(map(str, found)) or 'nothing'}")

    def _assert_trap(self, command: Command) -> None:
        self._stops(command["text"], lambda: self._act(command["action"]))

    _assert_exhaustion = _assert_trap

    def _assert_uninstantiable(self, command: Command) -> None:
        self._stops(command["text"], lambda: self._world.instantiate(self._bytes(command)))

    def _assert_unlinkable(self, command: Command) -> None:
        try:
            self._world.instantiate(self._bytes(command))
        except Unlinkable as error:
            if command["text"] not in str(error):
                raise Wrong(f"expected {command['text']!r}, got {error}") from None
        else:
            raise Wrong(f"expected {command['text']!r}, and it was linked")

    def _assert_invalid(self, command: Command) -> None:
        try:
            self._world.check(self._bytes(command))
        except Refused:
            return
        raise Wrong(f"expected {command['text']!r}, and it is valid")

    _assert_malformed = _assert_invalid

    def _stops(self, text: str, act: Callable[[], object]) -> None:
        try:
            found = act()
        except Trap as trap:
            if trap.kind not in _kinds(text):
                raise Wrong(f"expected {text!r}, got {trap}") from None
        else:
            raise Wrong(f"expected {text!r}, got {found}")

    def _act(self, action: dict[str, Any]) -> tuple[Value, ...]:
        instance = self._instance(action.get("module"))
        if action["type"] == "get":
            return (instance.get(action["field"]),)
        return instance.invoke(action["field"], [argument(given) for given in action["args"]])

    def _instance(self, name: str | None) -> Started:
        found = self._named.get(name) if name else self._latest
        if found is None:
            raise Cannot(UNSTARTED)
        return found

    def _bytes(self, command: Command) -> bytes:
        name: str = command["filename"]
        return (self._folder / name).read_bytes()


def _kinds(text: str) -> tuple[TrapKind, ...]:
    """What a text of the standard may be told as."""
    if text == TrapKind.UNDEFINED_ELEMENT.value:  # of a table that is too small, which is what engines say
        return TrapKind.UNDEFINED_ELEMENT, TrapKind.TABLE_BOUNDS
    return tuple(kind for kind in TrapKind if text.startswith(kind.value))
