"""The instructions of a function: of the one that makes the call at the stop, or of any other."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm.errors import Frame
from simwasm_tui import code_marks
from simwasm_tui.commands import FIND, VIEW, Command
from simwasm_tui.messages import Say
from simwasm_tui.model import View
from simwasm_tui.panes.coded import Coded
from simwasm_tui.panes.wasm_lines import WasmLines, size, target, title
from simwasm_tui.widgets.virtual_list import NOTHING, VirtualList

_EMPTY = "No function is being called.\n\nPress s to step into a callback, / to choose a function by name."


class Wasm(Coded):
    """The instructions."""

    HELP = (
        "The instructions of the function that the call stack stands in, with their offsets in the file; ▶ is the call "
        "that is made at this stop, or the instruction that is next. b stops at the instruction under the cursor, t "
        "runs to it; u makes s, n and f go "
        "by instructions. Behind ;; stands what a number means: the name of a function or of a local. Enter "
        "follows a call, - goes back, / finds any function by some letters of its name."
    )
    COMMANDS = (
        Command(
            "wasm.find", "slash", "Find a function…", "Choose a function by some letters of its name.", FIND
        ),
        Command("wasm.back", "minus", "Back", "Go back to the function one came from.", VIEW),
        Command(
            "wasm.here", "full_stop", "Where the run stands", "Go back to the instruction at the stop.", FIND
        ),
        Command("wasm.caller", "a", "The caller", "Show the function that called this one.", VIEW),
    )

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.frame: Frame | None = None
        """What is shown."""
        self._stood: Frame | None = None
        """The frame that was shown last because the call stack stands in it."""
        self._before: list[tuple[Frame, int]] = []
        self._marks: dict[int, str] = {}
        self._marked: tuple[object, ...] = ()
        """What the marks were asked for."""

    def draw(self, view: View, before: View | None) -> None:
        if not self._same((view.tape, view.moment)):
            self._stood = None
        super().draw(view, before)
        debugger, binary = view.debugger, self.binary
        places = code_marks.in_code(view.breakpoints)
        wanted = (places, self.vm)
        if debugger is None or binary is None or wanted == self._marked:
            return
        self._marked = wanted

        def marked(marks: dict[int, str]) -> None:
            self._marks = marks
            if self.frame is not None:
                self.show_frame(self.frame, self.list.cursor)

        vm, plugin = self.vm, binary.plugin
        self.ask(view, lambda: code_marks.offsets(places, debugger.code(plugin), vm), marked)

    @property
    def place_here(self) -> str:
        """The instruction under the cursor, as a breakpoint has it; empty if there is none."""
        lines, cursor = self.list.lines, self.list.cursor
        if not isinstance(lines, WasmLines) or not 0 <= cursor < len(lines):
            return ""
        return code_marks.at_offset(lines.instructions[cursor].offset)

    def compose(self) -> ComposeResult:
        yield VirtualList(empty=_EMPTY)

    @property
    def list(self) -> VirtualList:
        """The lines."""
        return self.query_one(VirtualList)

    def show_spots(self) -> None:
        frame = self.spots[self.chosen].frame if self.chosen < len(self.spots) else None
        if frame is not None and frame == self._stood:
            return
        self._stood = frame
        self._before.clear()
        if frame is None:
            self.frame = None
            self.list.show(NOTHING)
            self.head(note="")
        else:
            self.show_frame(frame)

    def show_frame(self, frame: Frame, line: int | None = None) -> None:
        """Show the function of a frame."""
        binary = self.binary
        if binary is None:
            return
        instructions = binary.listing(frame.function)
        if not instructions:
            self.post_message(Say(f"{frame.name} is not the plugin's own: the host provides it."))
            return
        self.frame = frame
        here = any(spot.frame == frame for spot in self.spots)
        lines = WasmLines(instructions, frame.offset if here else -1, self._marks)
        self.list.show(lines)
        self.list.go(lines.current if line is None else line, middle=True)
        self.head(note=f"{title(binary, frame.function)} · {size(instructions)}")

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        lines, binary = message.list.lines, self.binary
        if not isinstance(lines, WasmLines) or binary is None:
            return
        function = target(lines.instructions[message.index])
        if function is None:
            self.post_message(Say("Enter follows a call; this is none."))
        elif function < binary.imported:
            self.post_message(
                Say(f"{binary.names[function]} is the host's function: there are no instructions of it.")
            )
        else:
            self.follow(binary.start(function))

    def follow(self, frame: Frame) -> None:
        """Show a function, so that one can go back."""
        if self.frame is not None:
            self._before.append((self.frame, self.list.cursor))
        self.show_frame(frame)

    def do_find(self) -> None:
        """Choose a function by name."""
        from simwasm_tui.screens.pick import Pick  # most look at the function at hand

        binary = self.binary
        if binary is None:
            return

        def chosen(place: int | None) -> None:
            if place is not None:
                self.follow(binary.start(place + binary.imported))

        self.app.push_screen(Pick("Functions", binary.names[binary.imported :]), chosen)

    def do_back(self) -> None:
        """Go back to the function one came from."""
        if self._before:
            self.show_frame(*self._before.pop())
        else:
            self.post_message(Say("This is where you began."))

    def do_here(self) -> None:
        """Go back to the instruction at the stop."""
        self._stood = None
        self.forget_wish()

    def show_code(self, frame: Frame, vm: str) -> None:
        self._stood = None
        super().show_code(frame, vm)

    def do_caller(self) -> None:
        """Show the function that called this one."""
        if self.chosen + 1 < len(self.spots):
            self.choose(self.chosen + 1)
        else:
            self.post_message(Say("The host called this function."))
