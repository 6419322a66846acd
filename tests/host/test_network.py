"""TCP connections where the running Envoy would have to be waited for: one that hangs, and several at once."""

from __future__ import annotations

from switchboard import DOWNSTREAM_CLOSE, NEW_CONNECTION, Case, switchboard

from simwasm.conversation import Conversation, client, conversation, upstream
from simwasm.engines import find
from simwasm.exchange import Connection
from simwasm.host.outcome import Outcome
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event


def talk(number: int) -> Conversation:
    said = (client(b"a", after_ns=number), upstream(b"b", after_ns=5))
    return conversation(str(number), said, connection=Connection(id=number))


def played(
    *cases: Case, together: bool = False
) -> tuple[list[Outcome], list[tuple[str, tuple[object, ...]]]]:
    """What became of a connection for each case, and the callbacks."""
    seen: list[tuple[str, tuple[object, ...]]] = []

    def watch(event: Event) -> None:
        if isinstance(event, Entered):
            seen.append((event.function.name, event.args))

    plugin = Plugin("gate", switchboard(cases), network=True)
    session = Session([plugin], engine=find.engine(), observers=[watch])
    with session:
        talks = [talk(number) for number in range(len(cases))]
        outcomes = list(session.replay(talks, together=together))
    return outcomes, seen


def test_a_connection_that_nobody_resumes_hangs_and_says_who_holds_it() -> None:
    (outcome,), _ = played(Case("", {NEW_CONNECTION: []}, {NEW_CONNECTION: 1}))
    assert outcome.waiting == "gate paused the connection and nobody resumed it"
    assert outcome.request is None


def test_a_connection_that_hangs_is_closed_when_the_worker_stops() -> None:
    _, seen = played(Case("", {NEW_CONNECTION: [], DOWNSTREAM_CLOSE: []}, {NEW_CONNECTION: 1}))
    names = [name for name, _ in seen]
    assert names[-6:] == [
        DOWNSTREAM_CLOSE, "proxy_on_done", "proxy_on_log", "proxy_on_delete", "proxy_on_done", "proxy_on_delete",
    ]  # fmt: skip


def test_connections_at_once_have_contexts_of_their_own() -> None:
    outcomes, seen = played(*(Case(str(number), {NEW_CONNECTION: []}) for number in range(3)), together=True)
    begun = [args[0] for name, args in seen if name == NEW_CONNECTION]
    assert begun == [2, 3, 4]
    assert [outcome.response.data for outcome in outcomes if outcome.response] == [b"b"] * 3
