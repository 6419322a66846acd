"""Faults as they are written: what, of whom, which time, and how.

callout:auth=reset            callout:auth#2=timeout        callout:auth=503
callout:auth=inline           callout:auth=unknown          callout:auth=refused
trap:proxy_on_request_body    trap:proxy_log#3              malloc#2
status:proxy_set_shared_data#1=CAS_MISMATCH                 status:proxy_dequeue_shared_queue=EMPTY
upstream=reset@100            client=gone@10
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from simwasm.abi.enums import Status
from simwasm.abi.table import FUNCTIONS, HOST_FUNCTIONS
from simwasm.errors import InputError
from simwasm.exchange import response
from simwasm.host.clock import SECOND
from simwasm.host.faults import Fault, Kind
from simwasm.host.ports import Answer, Failure

_FORM = re.compile(
    r"(?P<kind>\w+)(?::(?P<name>[^#=@]+))?(?:#(?P<number>\d+))?(?:=(?P<how>\w+))?(?:@(?P<at>\d+))?"
)
_ANSWERS: dict[str, Answer] = {
    "reset": Failure("connection termination"),
    "refused": Failure("remote connection failure"),
    "timeout": Failure("timeout", 3600 * SECOND),
}
_AT_ONCE = {"inline": Status.INTERNAL_FAILURE, "unknown": Status.BAD_ARGUMENT}
_HOWS = {Kind.UPSTREAM: "reset", Kind.CLIENT: "gone"}
_STATUS = re.compile("[1-9][0-9]{2}")


class _Words(NamedTuple):
    """What was written, in its parts."""

    text: str
    name: str
    number: int
    how: str
    at: int | None


def parse_fault(text: str, where: str = "--fault") -> Fault:
    """Understand one fault."""
    match = _FORM.fullmatch(text)
    kind = next((kind for kind in _READ if match and kind.value == match["kind"]), None)
    if match is None or kind is None:
        known = ", ".join(kind.value for kind in _READ)
        raise InputError(
            f"{where}: `{text}` is no fault; one begins with {known}: callout:auth#2=reset, trap:proxy_log#3, "
            "malloc#2, status:proxy_set_shared_data=CAS_MISMATCH, upstream=reset@100, client=gone@10"
        )
    at = int(match["at"]) if match["at"] else None
    words = _Words(text, match["name"] or "", int(match["number"] or 0), match["how"] or "", at)
    try:
        return _READ[kind](words)
    except ValueError as error:
        raise InputError(f"{where}: `{text}`: {error}") from None


def _callout(words: _Words) -> Fault:
    if not words.name:
        raise ValueError("say which cluster: callout:CLUSTER=reset")
    if words.how in _AT_ONCE:
        return Fault(Kind.REFUSED, words.name, words.number, status=_AT_ONCE[words.how], text=words.text)
    answer = response(int(words.how)) if _STATUS.fullmatch(words.how) else _ANSWERS.get(words.how)
    if answer is None:
        raise ValueError(
            f"an answer is a status or one of {', '.join((*_ANSWERS, *_AT_ONCE))}, not `{words.how}`"
        )
    return Fault(Kind.CALLOUT, words.name, words.number, answer, text=words.text)


def _trap(words: _Words) -> Fault:
    if words.name not in {row.name for row in FUNCTIONS}:
        raise ValueError(f"no callback or host function is called `{words.name}`; `simwasm abi` lists them")
    return Fault(Kind.TRAP, words.name, words.number or 1, text=words.text)


def _status(words: _Words) -> Fault:
    if words.name not in {row.name for row in HOST_FUNCTIONS if row.errors is Status}:
        raise ValueError(f"no host function with a status is called `{words.name}`; `simwasm abi` lists them")
    if words.how not in Status.__members__:
        raise ValueError(f"a status is one of {', '.join(Status.__members__)}, not `{words.how}`")
    return Fault(Kind.STATUS, words.name, words.number, status=Status[words.how], text=words.text)


def _malloc(words: _Words) -> Fault:
    return Fault(Kind.MALLOC, "", words.number or 1, text=words.text)


def _wire(kind: Kind, words: _Words) -> Fault:
    if words.how != _HOWS[kind] or words.at is None:
        raise ValueError(f"write {kind.value}={_HOWS[kind]}@BYTES")
    return Fault(kind, "", words.number, at=words.at, text=words.text)


def _upstream(words: _Words) -> Fault:
    return _wire(Kind.UPSTREAM, words)


def _client(words: _Words) -> Fault:
    return _wire(Kind.CLIENT, words)


_READ: dict[Kind, Callable[[_Words], Fault]] = {
    Kind.CALLOUT: _callout,
    Kind.TRAP: _trap,
    Kind.STATUS: _status,
    Kind.MALLOC: _malloc,
    Kind.UPSTREAM: _upstream,
    Kind.CLIENT: _client,
}
