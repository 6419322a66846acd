"""A session written down: the trace file of a run, with what became of each exchange between its lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from simwasm.exchange import Message
from simwasm.host.outcome import Outcome
from simwasm.host.profile import Profile
from simwasm.plugin import Plugin
from simwasm.trace.store import Recorder, header, to_json
from simwasm.trace.timing import Timing


class Recording(Recorder):
    """A recorder that knows sessions; without an engine's name the file is the same whichever ran."""

    def __init__(
        self,
        write: Callable[[str], object],
        plugins: Sequence[Plugin],
        *,
        profile: Profile,
        now_ns: int,
        engine: str = "",
        timing: Timing | None = None,
    ) -> None:
        head = header(plugins, profile=rules_of(profile), seed=profile.seed, started_ns=now_ns, engine=engine)
        super().__init__(write, head, timing)

    def finished(self, outcome: Outcome) -> None:
        """Note what became of an exchange."""
        cost = {"instructions": self._timing.since()} if self._timing else {}
        self.outcome(ending(outcome) | cost)


def rules_of(profile: Profile) -> str:
    """The name of a host's rules, as a header has it."""
    return f"{profile.name} {profile.version}"


def ending(outcome: Outcome) -> dict[str, Any]:
    """What client and upstream saw of an exchange, as JSON; what did not happen is left out."""
    found = {
        "exchange": outcome.exchange.id,
        "name": outcome.exchange.label,
        "status": outcome.status,
        "local_reply": outcome.local_reply,
        "details": outcome.details,
        "reset": outcome.reset,
        "waiting": outcome.waiting,
        "upstream_request": message_json(outcome.request),
        "response": message_json(outcome.response),
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def message_json(message: Message | None) -> dict[str, Any] | None:
    """A message as JSON, its body in one piece."""
    if message is None:
        return None
    found = {
        "headers": to_json(message.headers),
        "body": to_json(message.data),
        "trailers": to_json(message.trailers),
    }
    return {name: value for name, value in found.items() if value or name == "headers"}
