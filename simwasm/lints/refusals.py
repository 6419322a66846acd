"""Host calls that were not done as asked: one lint for each status, unless another explains it better."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache

from simwasm.abi.enums import MapType, Status
from simwasm.exchange import Headers
from simwasm.host.faults import ASKED_FOR
from simwasm.lints.lint import Call, Ended, Lint
from simwasm.lints.run import LONG, Run, called, sentence, short
from simwasm.lints.watcher import Watcher
from simwasm.trace.event import shown
from simwasm.trace.query.grades import Grade, grade_of_answer
from simwasm.trace.text import printable

REFUSED = Lint(
    "refused", Grade.ERROR, "the host did not do what it was asked for",
    "A host call answered with a status that is not OK; the reason says which argument, and what rule it breaks.",
    "Look at the arguments, and at whether this callback may do that; SDKs turn many a status into a panic.",
)  # fmt: skip
MISSED = Lint(
    "missed", Grade.NOTE, "something that was looked for is not there",
    "A header, a property, a shared value or an item of a queue was not found, which a plugin may well expect.",
    "If it may be missing, the plugin has to expect that.",
)  # fmt: skip
UNKNOWN_CLUSTER = Lint(
    "unknown-cluster", Grade.ERROR, "a callout to a cluster that there is not",
    "Envoy refuses a call to a cluster that its configuration does not have; no answer follows.",
    "Name a cluster of the configuration, as `istioctl proxy-config cluster` lists them; here `--callout NAME=200` "
    "answers for one.",
)  # fmt: skip

GET_HEADER = "proxy_get_header_map_value"
_CALLOUTS = ("proxy_http_call", "proxy_grpc_call", "proxy_grpc_stream")
_FIXES = {
    "NOT_FOUND": "If it may be missing, the plugin has to expect that.",
    "EMPTY": "If there may be none, the plugin has to expect that.",
    "CAS_MISMATCH": "Somebody else wrote first: read it again and try once more.",
    "BAD_ARGUMENT": "Look at the arguments, and at whether this callback may do that.",
    "INVALID_MEMORY_ACCESS": "The pointer or size is wrong: look at the words of the call and at the memory there.",
    "FAULT": "The pointer or size is wrong: look at the words of the call and at the memory there.",
    "UNIMPLEMENTED": "This host has no such thing; do without it.",
}

Claim = Callable[[Call, Ended], Lint | None]


class Refusals(Watcher):
    """Statuses that are not OK."""

    LINTS = (REFUSED, MISSED, UNKNOWN_CLUSTER)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.claims: tuple[Claim, ...] = ()
        """Who may know better what a refusal means, in the order in which they are asked."""

    def refused(self, call: Call, ended: Ended) -> None:
        """A host function answered with something that is true, which may be no status."""
        grade = grade_of_answer(call.function, ended.result)
        if grade is None or ended.reason.startswith(ASKED_FOR):  # who asked for a fault knows
            return
        better = next(filter(None, (claim(call, ended) for claim in self.claims)), None)
        if better is not None:
            grade = max(grade, better.grade)
        if grade < self.run.least:
            return
        status, name = str(shown(ended.result)), call.function.name
        group = "" if better else f"{status} {name}"
        lint = better or (MISSED if grade is Grade.NOTE else REFUSED)
        if self.run.told(lint, grade, group):
            return
        about, fix = name, better.fix if better is not None else _FIXES.get(status, "")
        if name == GET_HEADER:
            about = f"header {short(call.args[1], 80)} ({name})"
            fix = " ".join(filter(None, (self._similar_header(call, ended), fix)))
        elif better is UNKNOWN_CLUSTER:
            fix = f"`--callout {short(call.args[0], 80)}=200` answers for it."
        self.run.tell(
            lint, call, f"{called(call)} answered {status}.", title=f"{status}: {about}", grade=grade, fix=fix,
            why=sentence(ended.reason) or lint.why,
            group=group,
        )  # fmt: skip

    def claim(self, call: Call, ended: Ended) -> Lint | None:
        if call.function.name in _CALLOUTS and ended.reason.startswith("there is no cluster"):
            return UNKNOWN_CLUSTER
        return None

    def _similar_header(self, call: Call, ended: Ended) -> str:
        """Where a header is there whose name is much like the one that is not, a sentence about it."""
        wanted, key = call.args[:2]
        if ended.result is not Status.NOT_FOUND or not isinstance(wanted, MapType) or key is None:
            return ""
        maps = self.run.maps(self.run.outermost(call).position) or ()
        found = next((_similar(key[:LONG], headers) for kind, headers in maps if kind is wanted), "")
        return found and f"There is `{printable(found)}`: was that meant?"


@lru_cache(maxsize=256)
def _similar(key: str, headers: Headers) -> str:
    names = {name for name, _ in headers[:LONG] if len(name) < 2 * len(key)} - {key.lower()}
    return next(iter(get_close_matches(key.lower(), sorted(names), 1, 0.8)), "")
