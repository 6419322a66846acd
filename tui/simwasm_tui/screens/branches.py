"""The branches of the run: switch to one, compare it with the one you are on, give it a name."""

from __future__ import annotations

from typing import NamedTuple

from simwasm.debug.branch import Branch, Override
from simwasm.debug.debugger import Debugger
from simwasm.trace.event import shown
from simwasm.trace.text import value_text
from simwasm_tui.commands import Command
from simwasm_tui.rowline import short
from simwasm_tui.screens.listing import Listing, Made
from simwasm_tui.text import Line, clean, count, fit

_SHOWN = 16


class Chosen(NamedTuple):
    """What to do with a branch."""

    branch: Branch
    compare: bool = False


class Branches(Listing[Chosen]):
    """The list."""

    HEADING = "Branches of the run"
    ACTIONS = (
        Command("branches.switch", "enter", "Switch", "Go to the same place on the branch under the cursor.",
                short="switch"),
        Command("branches.compare", "c", "Compare", "Show this branch beside the one under the cursor.",
                short="compare"),
        Command("branches.rename", "n", "Name", "Give the branch another name.", short="name"),
    )  # fmt: skip

    def __init__(self, debugger: Debugger) -> None:
        super().__init__()
        self.debugger = debugger

    def fill(self) -> None:
        branches = self.debugger.branches
        self.show(Made(branches, self._line), branches.index(self.debugger.branch))
        if len(branches) == 1:
            self.say("Only one so far: O on a call answers in its place, and the run forks.")

    def _line(self, branch: Branch, width: int) -> Line:
        here = branch is self.debugger.branch
        sign = ("▶ ", "now") if here else ("  ", "")
        rows = count(len(branch.tape.rows), "row") + ("" if branch.tape.complete else ", not to the end")
        return fit(
            (sign, (f"{clean(branch.name):<18} ", "strong"), (f"{rows:<16} ", "muted"), *_origin(branch)),
            width,
        )

    @property
    def chosen(self) -> Branch:
        """What is under the cursor."""
        return self.debugger.branches[self.list.cursor]

    def on_virtual_list_chosen(self) -> None:
        self.do_switch()

    def do_switch(self) -> None:
        self.dismiss(Chosen(self.chosen))

    def do_compare(self) -> None:
        if self.chosen is self.debugger.branch:
            self.say("You are on this branch: put the cursor on another one.")
        else:
            self.dismiss(Chosen(self.chosen, compare=True))

    def do_rename(self) -> None:
        branch = self.chosen

        def named(name: str) -> None:
            taken = any(each.name == name and each is not branch for each in self.debugger.branches)
            if taken:
                self.say(f"Another branch is called {clean(name)}.")
            elif name:
                branch.name = name

        self.ask_name(branch.name, "a name for this branch", named)


def _origin(branch: Branch) -> Line:
    """Where a branch comes from, and what was said there."""
    if branch.parent is None:
        return (("the run as it is recorded", "muted"),)
    override = branch.overrides.get(branch.forked_at)
    by_hand = edited(branch, branch.parent)
    entered = branch.parent.tape.entered(branch.forked_at)
    row = branch.parent.tape.rows.at(branch.forked_at) + 1
    said = "" if override is None else f" → {clean(said_instead(override))}"
    said = f" · {clean(by_hand)}" if by_hand else said
    return (
        (f"from {clean(branch.parent.name)}, row {row:,}: ", "muted"),
        (short(entered.function.name), "call"),
        (said, "action"),
    )


def edited(branch: Branch, parent: Branch) -> str:
    """What was changed by hand where a branch begins; empty if that is not why it does."""
    before = {edit for edits in parent.edits.values() for edit in edits}
    found = [edit for edits in branch.edits.values() for edit in edits if edit not in before]
    if not found:
        return ""
    (*_, last) = found
    if isinstance(last.value, bytes):
        where = f"memory 0x{last.at:x}" if last.slot == "memory" else last.slot
        return f"{where} = {last.value[:_SHOWN].hex(' ')}{' …' if len(last.value) > _SHOWN else ''}"
    return f"{last.slot} = {last.value}"


def said_instead(override: Override) -> str:
    """What an override says, in words."""
    if override.callback:
        return value_text(override.result)
    values = ", ".join(value_text(value) for value in override.values)
    return str(shown(override.status)) + (f" = {values}" if values else "")
