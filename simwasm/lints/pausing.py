"""Pause and continue: who waits, for what, and who goes on that does not wait."""

from __future__ import annotations

from simwasm.lints.lint import Call, Ended, Lint, Over
from simwasm.lints.run import Run, named
from simwasm.lints.streams import CONTINUES, STREAM, direction
from simwasm.lints.waiting import Waiting
from simwasm.lints.watcher import Begins, Ends, Watcher
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import printable

HUNG = Lint(
    "never-resumed", Grade.ERROR, "a paused exchange that nobody resumed",
    "The client waits until Envoy's idle timeout ends the stream, five minutes by default.",
    "Who pauses has to continue or answer: look at what it waited for, a callout or a tick, and whether it came.",
)  # fmt: skip
WHILE_PAUSED = Lint(
    "called-while-paused", Grade.NOTE, "body or trailers although the plugin has paused",
    "Pause holds back what lies behind the plugin; the plugin itself goes on being asked about body and trailers.",
    "Returning Continue from it sends everything on; return Pause again to go on waiting.",
)  # fmt: skip
NOT_PAUSED = Lint(
    "continue-not-paused", Grade.ERROR, "a stream is continued that is not paused",
    "Envoy asserts that it is: a debug build ends there, a release build goes through the filters again, which "
    "sends data twice, or crashes for a response that has not begun.",
    "Continue once for each Pause: remember in the context that it waits, and forget it when it goes on.",
)  # fmt: skip

_Lane = tuple[str, int, str]


class Pausing(Watcher):
    """Streams that stand still."""

    LINTS = (HUNG, WHILE_PAUSED, NOT_PAUSED)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._paused: dict[_Lane, Call] = {}
        """The callback that has returned Pause: by plugin, context and direction."""
        self._last: dict[int, tuple[Call, Ended]] = {}
        """The last one in an exchange."""
        self._lanes: dict[int, set[_Lane]] = {}
        """What has paused in an exchange."""
        self._waiting = Waiting(run)

    def begins(self) -> Begins:
        return {**self._waiting.begins(), **dict.fromkeys(STREAM, self._called)}

    def ends(self) -> Ends:
        return {
            **self._waiting.ends(),
            **dict.fromkeys(STREAM, self._returned),
            **dict.fromkeys(CONTINUES, self._continued),
        }

    def _called(self, call: Call) -> None:
        """A body or trailers came, maybe although the plugin has paused."""
        name = call.function.name
        before = self._paused.get((call.vm, call.context, STREAM[name]))
        if before is not None and before.function.name != name:
            self.run.tell(
                WHILE_PAUSED, call, title=f"{name} while paused",
                happened=f"{name} of {call.vm} is called although {before.function.name} has returned Pause and nobody "
                "continued.",
            )  # fmt: skip

    def _returned(self, call: Call, ended: Ended) -> None:
        lane = call.vm, call.context, STREAM[call.function.name]
        if ended.trap is None and ended.result:
            self._paused[lane] = call
            number = self.run.exchange(call)
            if number:
                self._last[number] = call, ended
                self._lanes.setdefault(number, set()).add(lane)
        elif self._paused:
            self._paused.pop(lane, None)

    def _continued(self, call: Call, ended: Ended) -> None:
        side = direction(call)
        if (
            self._paused.pop((call.vm, call.context, side), None)
            or not ended.well
            or side not in STREAM.values()
        ):
            return
        around = self.run.outermost(call).function.name
        self.run.tell(
            NOT_PAUSED, call,
            f"{call.vm} continued the {side} of its context {call.context} in {around}, and the {side} was not paused.",
        )  # fmt: skip

    def exchange(self, over: Over) -> None:
        last = self._last.pop(over.number, None)
        for lane in self._lanes.pop(over.number, ()):
            self._paused.pop(lane, None)
        waited = self._waiting.told(over)
        if over.outcome.waiting:
            self.run.tell(
                HUNG, last[1] if last else over,
                f"{named(over)} waited until the idle timeout ended it with {over.outcome.status}.", number=over.number,
                title=f"{named(over)} hung", why=f"{printable(over.outcome.waiting)}. {waited}",
            )  # fmt: skip
