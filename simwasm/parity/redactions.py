"""What may differ between two hosts that behave alike, each with the reason.

Guests are deterministic, so that even their addresses agree, call by call; what stands here is what does not.

Rules that live here: a value is hidden only where it looks as it should on its own, so that a missing or malformed one
still shows; everything that is not in these tables is compared as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from simwasm.exchange import Header, Headers, Message
from simwasm.parity.log import Crossing


@dataclass(frozen=True, slots=True)
class Redaction:
    """Values of one header that are not compared with each other."""

    header: str
    shape: re.Pattern[str]
    reason: str

    @property
    def shown(self) -> str:
        return f"<{self.reason}>"


_DATE = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

HEADERS = (
    Redaction("date", re.compile(_DATE), "the time of the answer"),
    Redaction("x-request-id", re.compile(_UUID), "random"),
    Redaction("x-envoy-upstream-service-time", re.compile(r"\d+"), "how long the upstream took"),
)
_BY_NAME = {redaction.header: redaction for redaction in HEADERS}


@dataclass(frozen=True, slots=True)
class Omission:
    """Calls that are left out of a comparison: a function, if its first words are these."""

    function: str
    words: tuple[int, ...]
    reason: str


CALLS = (
    Omission(
        "clock_time_get",
        (1,),
        "the Go runtime's scheduler is seeded with random numbers: two runs of Envoy ask the monotonic clock "
        "in different places, too",
    ),
)


def is_compared(crossing: Crossing) -> bool:
    """Whether both hosts must have made this call."""
    return not any(
        crossing.function == omission.function and crossing.words[: len(omission.words)] == omission.words
        for omission in CALLS
    )


NOT_WANTED = "not compared, as was asked"


def redacted(message: Message, ignored: frozenset[str] = frozenset()) -> Message:
    """A message without what may differ, and without the values of the headers that are ignored."""
    return Message(_headers(message.headers, ignored), message.body, _headers(message.trailers, ignored))


def _headers(headers: Headers, ignored: frozenset[str]) -> Headers:
    return tuple(
        (name, f"<{NOT_WANTED}>") if name.lower() in ignored else _header(name, value)
        for name, value in headers
    )


def _header(name: str, value: str) -> Header:
    redaction = _BY_NAME.get(name.lower())
    if redaction is None or not redaction.shape.fullmatch(value):
        return name, value
    return name, redaction.shown
