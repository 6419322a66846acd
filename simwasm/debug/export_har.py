"""An exchange as a HAR 1.2 file, to be opened in a browser's tools or replayed here.

Rule: the response is that of the upstream, since it is what a replay needs, or the client's where nothing was recorded.
"""

from __future__ import annotations

import json

from simwasm.debug.export_subject import Subject
from simwasm.exchange import Exchange, Message, response
from simwasm.host.outcome import Outcome
from simwasm.traffic.har_writing import entry, log


def har(subject: Subject) -> str:
    """The exchange as it was recorded, which a replay can begin with."""
    span = subject.exchange_span()
    return _file(span.exchange, answered(span.exchange, span.outcome))


def har_seen(subject: Subject) -> str:
    """The exchange as the client saw it: the request it sent, and the answer that it got."""
    span = subject.exchange_span()
    seen = span.outcome.response if span.outcome else None
    return _file(span.exchange, seen)


def answered(exchange: Exchange, outcome: Outcome | None) -> Message:
    """What the upstream answered; what the client got, or the 200 of a replay, where nothing was recorded."""
    return exchange.response or (outcome.response if outcome else None) or response(200)


def _file(exchange: Exchange, answer: Message | None) -> str:
    return json.dumps(log([entry(exchange, answer)]), indent=1) + "\n"
