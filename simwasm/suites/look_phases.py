"""How expectations of single callbacks are looked at: in their order, each as it happened and as it left things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from simwasm.chain import called
from simwasm.suites.case import Miss
from simwasm.suites.expect import (
    Phase,
)
from simwasm.suites.look_parts import (
    action_misses,
    call_misses,
    header_misses,
    log_misses,
    pairs_of,
    reply_misses,
)
from simwasm.suites.look_rows import during, missed
from simwasm.suites.rules import Said

if TYPE_CHECKING:
    from simwasm.testing import Phase as Happened
    from simwasm.testing import Result


def phase_misses(result: Result, wanted: Sequence[Phase]) -> Iterator[Miss]:
    """What is not as expected of a result's callbacks."""
    return _Phases(result).all(wanted)


def _is_meant(wanted: Phase, found: Happened) -> bool:
    """Whether a phase is about this callback."""
    return wanted.callback == found.callback and (
        wanted.plugin is None or wanted.plugin in called(found.plugin)
    )


class _Phases:
    """Looks at the callbacks of one result."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def all(self, wanted: Sequence[Phase]) -> Iterator[Miss]:
        happened = self._result.phases
        at = 0
        for phase in wanted:
            found = next((i for i in range(at, len(happened)) if _is_meant(phase, happened[i])), None)
            if found is None:
                there = ", ".join(dict.fromkeys(each.callback for each in happened[at:])) or "nothing"
                whose = f" of {phase.plugin}" if phase.plugin is not None else ""
                after = f" after {happened[at - 1].callback}" if at else ""
                said = Said(
                    f"{phase.callback}{whose}: does not happen{after}; {there} {'does' if there == 'nothing' else 'do'}"
                )
                yield missed(
                    phase.at("callback"), said, self._result.trace, happened[at - 1].seq if at else 0
                )
                continue
            at = found + 1
            yield from self._one(phase, happened[found])

    def _one(self, wanted: Phase, found: Happened) -> Iterator[Miss]:
        trace = self._result.trace
        name = wanted.callback.removeprefix("proxy_on_")
        if wanted.action is not None:
            yield from self._told(wanted, "action", action_misses(wanted.action, found), found)
        if wanted.end_of_stream is not None and wanted.end_of_stream is not found.end_of_stream:
            ends = {True: "the end of the stream", False: "not the end of the stream"}
            said = f"{name}: expected {ends[wanted.end_of_stream]}, and it is {ends[found.end_of_stream]}"
            yield from self._told(wanted, "end_of_stream", [Said(said)], found)
        for what, rules, headers in (
            ("headers", wanted.headers, found.headers), ("trailers", wanted.trailers, found.trailers),
        ):  # fmt: skip
            for _, place, said_ in header_misses(what, rules, pairs_of(headers), name):
                yield missed(place, said_, trace, found.seq)
        if wanted.body is not None:
            yield from self._told(
                wanted, "body", wanted.body.body_misses(f"{name} body", found.body or b""), found
            )
        yield from log_misses(wanted.logs, found.logs, wanted.at("logs"), f"{name} ")
        if wanted.local_reply is not None:
            for place, said_ in reply_misses(
                wanted.local_reply, found.local_reply, wanted.at("local_reply"), name
            ):
                yield missed(place, said_, trace, found.seq)
        if wanted.instructions is not None:
            said__ = wanted.instructions.misses(f"{name} instructions", found.instructions)
            yield from self._told(wanted, "instructions", said__, found)
        if wanted.calls:
            yield from call_misses(wanted.calls, during(trace, found.seq), f"{name}: ")

    def _told(self, wanted: Phase, key: str, said: Iterable[Said], found: Happened) -> Iterator[Miss]:
        return (missed(wanted.at(key), each, self._result.trace, found.seq) for each in said)
