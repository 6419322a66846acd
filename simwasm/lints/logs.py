"""What the plugin itself calls an error."""

from __future__ import annotations

from simwasm.abi.enums import LogLevel
from simwasm.exchange import to_text
from simwasm.lints.lint import Call, Ended, Lint
from simwasm.lints.run import LONG
from simwasm.lints.watcher import Ends, Watcher
from simwasm.trace.event import Entered
from simwasm.trace.query.grades import Grade, level_of, message_of
from simwasm.trace.text import value_text

LOGGED = Lint(
    "logged-an-error", Grade.ERROR, "the plugin logged an error",
    "The plugin says itself that something went wrong. SDKs log a panic's message this way, right before the trap.",
    "Read the line; it is on the row of its call.",
)  # fmt: skip

_ALIKE = 40
"""Lines that begin with the same so many characters are alike."""


class Logs(Watcher):
    """Log lines of the level error and above."""

    LINTS = (LOGGED,)

    def ends(self) -> Ends:
        return dict.fromkeys(("proxy_log", "fd_write", "fd_pwrite"), self._logged)

    def _logged(self, call: Call, ended: Ended) -> None:
        if call.args[0].__class__ is LogLevel and call.args[0] < LogLevel.ERROR:
            return
        entered = Entered(0, 0, call.vm, call.context, call.function, call.args, ())
        level = level_of(entered)
        if level is None or level < LogLevel.ERROR:
            return
        line = message_of(entered)
        said = to_text(line) if isinstance(line, bytes) else "?" if line is None else line
        if self.run.told(LOGGED, LOGGED.grade, said[:_ALIKE]):
            return
        self.run.tell(
            LOGGED, call, f"{call.vm} logged {value_text(said.rstrip(), LONG)}.",
            title=f"the plugin logged: {level.name.lower()}", why="", fix="", group=said[:_ALIKE],
        )  # fmt: skip
