"""Every action, said once: its id, keys, title and a sentence. Bindings, palette, help and last line come from here.

To add a command to the screen: a row here, and a method `do_<id>` on the screen. To add one that belongs to a pane:
a row in the pane's `COMMANDS` (its id begins with the pane's: `memory.goto`), and a method `do_goto` on the pane.
Keys are the user's to change, by id: see `keymap.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Command(NamedTuple):
    """One action."""

    id: str
    keys: str
    """Separated by commas; a shifted letter is written as the capital."""
    title: str
    help: str
    group: str = ""
    foot: int = 0
    """Its rank in the last line: where there is little room, the highest numbers go first; 0 is never there."""
    short: str = ""
    """Its word in the last line."""
    urgent: bool = False
    """Its keys work even while somebody types."""


RUN, BACK, STOPS, FIND, KEEP, VIEW, APP = (
    "Run", "Run backwards", "Breakpoints", "Find", "Keep and compare", "View", "simwasm",
)  # fmt: skip

COMMANDS = (
    Command("step", "s", "Step", "Go to the next row, line or instruction, into calls.", RUN, 1,
            "step"),
    Command("over", "n", "Step over", "Go to the next row, line or instruction that is not inside this call.", RUN, 4,
            "over"),
    Command("finish", "f", "Finish callback", "Go to where the callback returns; inside of it, the function.", RUN, 9,
            "finish"),
    Command("continue", "c", "Continue", "Go to the next breakpoint, or to the end.", RUN, 3, "continue"),
    Command("unit", "u", "Unit of steps", "Step by calls, by lines of source, or by instructions of the plugin.", RUN,
            11, "unit"),
    Command("run_to", "t", "Run to row", "Go to the row under the cursor; in Wasm and Source, run to what is there.",
            RUN),
    Command("goto", "g", "Go to…", "Go to a row by its number.", RUN),
    Command("pause", "p,space", "Pause", "Stop the run where it is, even in a plugin that spins.", RUN),
    Command("interrupt", "ctrl+c", "Interrupt", "Pause; while paused in a computing plugin, end its call with a trap.",
            RUN, urgent=True),
    Command("record", "", "Record to the end", "Run ahead to the end and come back here.", RUN),
    Command("restart", "R", "Restart", "Go to the first row of the first exchange.", RUN),
    Command("reload", "L", "Reload the plugin", "Read the plugin's file again and come back to this place.", RUN),
    Command("step_back", "S", "Step back", "Go to the row before this one.", BACK, 2, "back"),
    Command("over_back", "N", "Step over, backwards", "Go back over a whole callback.", BACK),
    Command("finish_back", "F", "Back to the callback's entry", "Go to where the current callback began.", BACK),
    Command("continue_back", "C", "Continue backwards", "Go to the breakpoint before this row, or to the start.", BACK,
            6, "rev"),
    Command("break", "b", "Breakpoint here", "Set or remove one on the row's function, the instruction, the line.",
            STOPS, 5, "break"),
    Command("break_edit", "B", "Edit breakpoint…", "Write a breakpoint, or change the one of this row.", STOPS),
    Command("bookmark", "m", "Bookmark", "Set or remove a bookmark on the row under the cursor.", STOPS),
    Command("bookmarks", "'", "Next bookmark", "Go to the next bookmark, round the end.", STOPS),
    Command("bookmark_list", "M", "Bookmarks and stops…", "List the bookmarks and every stop, name them, go there.",
            STOPS),
    Command("stop_before", "backspace", "Stop before", "Go back to where it stood before.", STOPS),
    Command("mark_before", "[", "Mark before", "Go to the problem, local reply, bookmark or breakpoint before.", FIND),
    Command("mark_after", "]", "Mark after", "Go to the next problem, local reply, bookmark or breakpoint.", FIND),
    Command("phase_before", "{", "Phase before", "Go to the callback before this one.", FIND),
    Command("phase_after", "}", "Phase after", "Go to the next callback.", FIND),
    Command("filter", "/", "Filter the trace…", "Show only the rows that an expression describes.", FIND, 7, "filter"),
    Command("copy", "y", "Copy", "Copy the line under the cursor.", KEEP),
    Command("copy_value", "Y", "Copy value", "Copy what the call under the cursor gave, or was given, whole.", KEEP),
    Command("export", "e", "Export…", "Write the exchange or the run as curl, HAR, a test, a trace.", KEEP),
    Command("assert", "A", "Assert this…", "Write a test that expects what happens on the row under the cursor.",
            KEEP),
    Command("save", "ctrl+s", "Save session…", "Write breakpoints, watches, bookmarks, branches and place to a file.",
            KEEP),
    Command("writers", "W", "Who wrote this…", "List who wrote headers, bodies, properties, shared data, metrics.",
            FIND),
    Command("profile", "", "Profile of the callback…", "Count the instructions of its functions and lines.", FIND),
    Command("override", "O", "Answer otherwise…", "Answer the call under the cursor in another way: the run forks.",
            KEEP),
    Command("branches", "V", "Branches…", "List the ways the run went: switch, compare, name.", KEEP),
    Command("diff", "D", "Compare runs…", "Show this run beside another branch, or beside a trace file.", KEEP),
    Command("diff_file", "", "Compare with a trace file…", "Show this run beside one that was written to a file.",
            KEEP),
    Command("jump", "o", "Jump to a pane", "Put a letter on every pane and tab; the next key goes there.", VIEW, 10,
            "jump"),
    Command("zoom", "z", "Maximise pane", "Give the focused pane the whole screen, and back.", VIEW),
    Command("layout", "f2", "Next layout", "Share the space for ABI, source, Wasm or memory.", VIEW),
    Command("tree", "\\", "Show or hide the streams", "Show or hide the left column.", VIEW),
    Command("focus_1", "1", "Streams", "Focus the streams.", VIEW),
    Command("focus_2", "2", "Trace", "Focus the trace.", VIEW),
    Command("focus_3", "3", "Inspector", "Focus the inspector; again for the next tab.", VIEW),
    Command("focus_4", "4", "Bottom tabs", "Focus the bottom tabs; again for the next tab.", VIEW),
    Command("theme", "", "Change theme…", "Choose the colours.", VIEW),
    Command("palette", "ctrl+p", "All commands", "Find any action by a part of its name.", APP, 8, "commands",
            urgent=True),
    Command("help", "?", "Help", "Explain the focused pane and its keys.", APP, 2, "help"),
    Command("manual", "f1", "Manual", "Explain the debugger, its glyphs and all keys.", APP),
    Command("health", "H", "Health", "Tell the engine, what the plugin lacks, and how good its debug info is.", APP),
    Command("open", "ctrl+o", "Open…", "Open another plugin, session or trace.", APP, urgent=True),
    Command("suspend", "ctrl+z", "Suspend", "Go back to the shell for a while; fg comes back here.", APP, urgent=True),
    Command("back", "escape", "Back", "Leave the question, the maximised pane or the filter.", APP),
    Command("quit", "q", "Quit", "Leave what is open, then the debugger.", APP),
)  # fmt: skip


def row(command: str) -> Command:
    """The command with an id."""
    return next(found for found in COMMANDS if found.id == command)


def method(command: str) -> str:
    """The name of the method that does a command."""
    return "do_" + command.rpartition(".")[2]


_SIGNS = {
    "escape": "esc", "enter": "⏎", "up": "↑", "down": "↓", "left": "←", "right": "→", "delete": "del",
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{", "right_curly_bracket": "}",
    "slash": "/", "backslash": "\\", "question_mark": "?", "apostrophe": "'", "plus": "+", "minus": "-",
    "full_stop": ".", "comma": ",", "backspace": "⌫", "tab": "⇥", "less_than_sign": "<", "greater_than_sign": ">",
    "equals_sign": "=", "asterisk": "*", "exclamation_mark": "!", "colon": ":", "semicolon": ";", "at": "@",
    "number_sign": "#", "dollar_sign": "$", "percent_sign": "%", "ampersand": "&", "vertical_line": "|",
    "tilde": "~", "circumflex_accent": "^", "grave_accent": "`", "quotation_mark": '"', "underscore": "_",
    "left_parenthesis": "(", "right_parenthesis": ")", "pageup": "pgup", "pagedown": "pgdn",
}  # fmt: skip


def key_sign(key: str) -> str:
    """How a key is shown."""
    if key.startswith("ctrl+"):
        return "^" + key_sign(key[5:])
    sign = _SIGNS.get(key, key)
    return sign.upper() if len(sign) > 1 and sign[0] == "f" and sign[1:].isdigit() else sign


def keys_sign(command: Command, changed: dict[str, str]) -> str:
    """The keys of a command as the user has them."""
    keys = changed.get(command.id, command.keys)
    return " ".join(key_sign(key.strip()) for key in keys.split(",") if key.strip())


def grouped(commands: Iterable[Command]) -> dict[str, list[Command]]:
    """Commands by their group, in the table's order."""
    found: dict[str, list[Command]] = {}
    for command in commands:
        found.setdefault(command.group, []).append(command)
    return found
