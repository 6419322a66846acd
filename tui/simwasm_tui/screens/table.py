"""Which screens there are besides the main one; their modules are imported when they are first opened."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simwasm_tui.commands import Command

SCREENS = {
    "assigning": "assigning:Assigning",
    "bookmarks": "bookmarks:Bookmarks",
    "branches": "branches:Branches",
    "breakpoint_editor": "breakpoint_editor:BreakpointEditor",
    "diff": "diff:Diff",
    "diff_file": "diff_file:DiffFile",
    "export": "export:Export",
    "health": "health:Health",
    "manual": "manual:Manual",
    "override": "override:Overriding",
    "profiling": "profiling:Profiling",
    "start": "start:StartScreen",
    "writers": "writers:Writers",
}
"""The id of each, which its commands begin with, and where its class is."""


def load(screen: str) -> Any:
    """The class of a screen."""
    module, _, name = SCREENS[screen].partition(":")
    return getattr(import_module(f"simwasm_tui.screens.{module}"), name)


def screen_commands() -> list[Command]:
    """The commands that the screens have of their own."""
    return [command for screen in SCREENS for command in load(screen).ACTIONS]
