"""Local replies: answered twice, answered and continued, answered for whom."""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.lints.lint import Call, Ended, Lint, Over
from simwasm.lints.refusals import GET_HEADER
from simwasm.lints.run import Run, named, short
from simwasm.lints.spoiled import OF_ENVOY
from simwasm.lints.streams import STREAM
from simwasm.lints.watcher import Ends, Watcher
from simwasm.trace.event import shown
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import value_text

REPLY = "proxy_send_local_response"

TWICE = Lint(
    "double-reply", Grade.WARNING, "a second local reply for one exchange",
    "The first one is on its way already: Envoy ignores the second, or cuts the stream off if the first has left.",
    "Return from the callback right after the first reply, and remember in the context that it was sent: "
    "proxy_on_log and the response's callbacks come for a local reply too.",
)  # fmt: skip
CONTINUED = Lint(
    "reply-then-continue", Grade.NOTE, "a local reply, then Continue",
    "This host stops the iteration whatever is returned after a local reply; others may not.",
    "Return Pause after a local reply.",
)  # fmt: skip
ANSWERED = Lint(
    "answered-by-the-plugin", Grade.NOTE, "the plugin answered in the upstream's place",
    "It is told so that an unexpected 403 has a place.",
    "Nothing, if that is what the plugin is for.",
)  # fmt: skip


class Replies(Watcher):
    """Local replies."""

    LINTS = (TWICE, CONTINUED, ANSWERED)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._in: dict[int, Call] = {}
        """The reply that was asked for in a callback of the host's, by where that began."""
        self._of: dict[int, Call] = {}
        """The last one of an exchange."""
        self._first: dict[int, dict[tuple[str, int], Call]] = {}
        """The first one of each context, by exchange."""
        self._missed: tuple[int, str] = (0, "")
        """The header that was not found last, and where the callback began that looked for it."""
        self._missed_before: dict[int, str] = {}
        """The header that the callback which answered had not found before, by exchange."""

    def ends(self) -> Ends:
        return {REPLY: self._replied} | dict.fromkeys(STREAM, self._returned)

    def claim(self, call: Call, ended: Ended) -> Lint | None:
        """Explain nothing, but remember which header was not found."""
        if call.function.name == GET_HEADER and ended.result is Status.NOT_FOUND:
            self._missed = self.run.outermost(call).position, call.args[1]
        return None

    def _replied(self, call: Call, ended: Ended) -> None:
        if not ended.well:
            return
        callback, number = self.run.outermost(call).position, self.run.exchange(call)
        self._in[callback] = call
        if not number:
            return
        self._of[number] = call
        self._missed_before[number] = self._missed[1] if self._missed[0] == callback else ""
        replies = self._first.setdefault(number, {})
        first = replies.setdefault((call.vm, call.context), call)
        if first is not call:
            self.run.tell(
                TWICE, call,
                f"{call.vm} sent a local response with {value_text(call.args[0])} although it had sent one with "
                f"{value_text(first.args[0])}.",
            )  # fmt: skip

    def _returned(self, call: Call, ended: Ended) -> None:
        asked = self._in.pop(call.position, None)
        if asked is not None and ended.trap is None and ended.result == 0:
            self.run.tell(
                CONTINUED, ended, number=self.run.exchange(call), title="local reply, then Continue",
                happened=f"{call.function.name} sent a local response and returned {shown(ended.result)}.",
            )  # fmt: skip

    def exchange(self, over: Over) -> None:
        asked, missed = self._of.pop(over.number, None), self._missed_before.pop(over.number, "")
        self._first.pop(over.number, None)
        self._in.clear()  # no callback is open now
        outcome = over.outcome
        if not outcome.local_reply or asked is None or outcome.details in OF_ENVOY or outcome.waiting:
            return
        after = f", right after header `{short(missed, 80)}` was not found" if missed else ""
        self.run.tell(
            ANSWERED, asked, f"{asked.vm} answered {named(over)} with {outcome.status}{after}.", number=over.number,
            title=f"{named(over)} answered by the plugin", fix="",
            why=f"Its details are {value_text(outcome.details)}." if outcome.details else "",
        )  # fmt: skip
