"""How an exchange ended on two sides, and how that differs: what client and upstream got, who answered, who paused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simwasm.comparing.aspects import Aspect
from simwasm.comparing.difference import SHORT, Difference, first, pairs, whole
from simwasm.exchange import Headers, Message
from simwasm.host.outcome import Outcome
from simwasm.trace.explain import change, one_line
from simwasm.trace.text import value_text

Pair = tuple[Message | None, Message | None]
"""What was sent on the old side and on the new one; None where nothing was."""


def same_outcomes(old: Outcome | None, new: Outcome | None) -> bool:
    """Whether nothing differs, told quickly."""
    if old is None or new is None:
        return old is new
    return _facts(old) == _facts(new)


def _facts(outcome: Outcome) -> tuple[Any, ...]:
    """What of an outcome can differ."""
    return (
        *(
            message and (message.headers, message.data, message.trailers)
            for message in (outcome.request, outcome.response)
        ),
        outcome.reset,
        outcome.details,
        outcome.local_reply,
        outcome.waiting,
        outcome.code,
        _paused(outcome),
    )


def _paused(outcome: Outcome) -> tuple[tuple[str, Any], ...]:
    """Callbacks that did not let the stream go on; one that is not there does."""
    return tuple(
        (taken.callback, taken.action)
        for taken in outcome.actions
        if getattr(taken.action, "name", "") != "CONTINUE" and taken.action is not True
    )


def of_outcomes(before: Outcome, after: Outcome, upstreams: Pair, responses: Pair) -> Iterator[Difference]:
    """How two exchanges ended otherwise; what upstream and client saw comes with what is to be ignored hidden."""
    yield from _response(before, after, responses)
    yield from _upstream(*upstreams)
    yield from _reply(before, after)
    yield from _actions(before, after)


def _response(before: Outcome, after: Outcome, responses: Pair) -> Iterator[Difference]:
    statuses = tuple("reset" if each.response is None else str(each.status) for each in (before, after))
    if statuses[0] != statuses[1]:
        text = "status {} → {}".format(*statuses)
        yield Difference(Aspect.RESPONSE, text, text)
    for name in ("reset", "waiting"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            what = "the stream was cut off" if name == "reset" else "it hung"
            yield Difference(Aspect.RESPONSE, what, f"{what}: {_or_not(one)} → {_or_not(other)}")
    yield from _messages(Aspect.RESPONSE, "response", *responses, (":status",))


def _or_not(text: str) -> str:
    return one_line(text) if text else "not"


def _upstream(old: Message | None, new: Message | None) -> Iterator[Difference]:
    if old is None or new is None:
        if old is not new:
            text = f"the upstream is {'not asked any more' if new is None else 'asked, and was not before'}"
            yield Difference(Aspect.UPSTREAM, text, text)
        return
    yield from _messages(Aspect.UPSTREAM, "upstream's request", old, new)


def _messages(
    aspect: Aspect, name: str, old: Message | None, new: Message | None, apart: tuple[str, ...] = ()
) -> Iterator[Difference]:
    if old is None or new is None:
        return
    yield from _headers(aspect, f"{name} header", old.headers, new.headers, apart)
    if old.data != new.data:
        yield from (
            Difference(aspect, f"{name} body", text) for text in change(f"{name} body", old.data, new.data)
        )
    yield from _headers(aspect, f"{name} trailer", old.trailers, new.trailers)


def _headers(
    aspect: Aspect, what: str, old: Headers, new: Headers, apart: tuple[str, ...] = ()
) -> Iterator[Difference]:
    """Header by header; that only the order of names is another counts too."""
    if old == new:
        return
    one, other = _by_name(old), _by_name(new)
    found = False
    for name in dict.fromkeys((*one, *other)):
        before, after = one.get(name), other.get(name)
        if before == after:
            continue
        found = True
        if name not in apart:
            quiet = value_text(name, SHORT)[1:-1]
            yield Difference(
                aspect, f"{what} {quiet}", f"{what} {quiet}: {_values(before)} → {_values(after)}"
            )
    if not found:
        text = f"{what}s: the order is another"
        yield Difference(aspect, text, text)


def _by_name(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return found


def _values(values: list[str] | None) -> str:
    return "none" if values is None else ", ".join(value_text(value, SHORT) for value in values)


def _reply(old: Outcome, new: Outcome) -> Iterator[Difference]:
    who = tuple("a local reply" if each.local_reply else "the upstream" for each in (old, new))
    if who[0] != who[1]:
        yield Difference(
            Aspect.REPLY, "{} answers, then {}".format(*who), "{} answered, now {} does".format(*who)
        )
    if old.details != new.details:
        text = f"details {_or_not(old.details)} → {_or_not(new.details)}"
        yield Difference(Aspect.REPLY, text if len(text) <= SHORT else "details", text)
    if old.code != new.code and old.status == new.status:
        text = f"the access log's status {old.code} → {new.code}"
        yield Difference(Aspect.REPLY, text, text)


def _actions(old: Outcome, new: Outcome) -> Iterator[Difference]:
    for one, other in pairs(_paused(old), _paused(new), (whole, first)):
        if one != other:
            callback = (one or other or ("",))[0]
            text = f"{callback}: {_taken(one)} → {_taken(other)}"
            yield Difference(Aspect.ACTION, text, text)


def _taken(pair: tuple[str, Any] | None) -> str:
    if pair is None:
        return "CONTINUE, or none"
    return "trapped" if pair[1] is None else value_text(pair[1])
